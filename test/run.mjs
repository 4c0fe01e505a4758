/** `npm test`: the type check of every plane, then the suite. Arguments go to vitest. */
import { spawnSync } from "node:child_process"

const args = process.argv.slice(2)
const steps = [
  ["node_modules/typescript/bin/tsc", "-b"],
  ["node_modules/vitest/vitest.mjs", "run", "--config", "test/vitest.config.ts", ...args]
]
for (const step of args.length > 0 ? steps.slice(1) : steps) {
  const { status } = spawnSync(process.execPath, step, { stdio: "inherit" })
  if (status !== 0) process.exit(status ?? 1)
}
