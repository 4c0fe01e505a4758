/** One runner for every package; tests share nothing global, so nothing needs isolating. */
import { fileURLToPath } from "node:url"
import { defineConfig } from "vitest/config"

if (Number(process.versions.node.split(".")[0]) < 24) {
  throw new Error(`the suite needs the pinned Node, this is ${process.versions.node}: use npm test`)
}

export default defineConfig({
  test: {
    root: fileURLToPath(new URL("..", import.meta.url)),
    include: ["packages/*/*/test/**/*.test.ts", "test/**/*.test.ts"],
    isolate: false,
    testTimeout: 60_000
  }
})
