/**
 * `exec -i` and `cni` take all of standard input, also from a writer that is slower than they are
 * (`helm template … |`, a here document of a busy shell): here it writes only when it sees the reader wait.
 */
import { spawn } from "node:child_process"
import { pathToFileURL } from "node:url"
import { resolve } from "node:path"
import { expect, it } from "vitest"

const READER = `
  import { runPromise } from "effect/Effect"
  import { standardInput } from ${JSON.stringify(pathToFileURL(resolve("packages/edge/cli/src/standard-input.ts")).href)}
  const whole = runPromise(standardInput)
  process.stdout.write("reading\\n")
  process.stdout.write(JSON.stringify([...await whole]))
`

it("standard input is read to its end, however slowly it comes", async () => {
  const child = spawn(process.execPath, ["--input-type=module", "-e", READER])
  let out = ""
  child.stderr.on("data", (text) => out += text)
  child.stdin.on("error", () => {})
  child.stdout.on("data", (text) => {
    out += text
    if (out === "reading\n") child.stdin.write(new Uint8Array([104, 0]), () => child.stdin.end(new Uint8Array([255])))
  })
  await new Promise((done) => child.on("close", done))
  expect(out).toBe("reading\n[104,0,255]")
})
