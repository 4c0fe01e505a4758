/**
 * From the start of the process to the first octet of output, of the command line as a user calls it: its
 * version, and a scenario that it runs to the end. Wall time, launcher included.
 */
import { spawn } from "node:child_process"
import { createHash } from "node:crypto"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { figure, RUNS, say, small } from "./figure.ts"

const root = fileURLToPath(new URL("../../../..", import.meta.url))
const podwire = join(root, "packages/edge/cli/bin/podwire.mjs")
const out = mkdtempSync(join(tmpdir(), "podwire-bench-"))
const COMMANDS: ReadonlyArray<readonly [string, ReadonlyArray<string>]> = [
  ["--version", ["--version"]],
  ["run, first scenario", ["run", "--out", join(out, "captures")]]
]

interface Start {
  readonly firstMs: number
  readonly endMs: number
  readonly stdout: string
}

function start(args: ReadonlyArray<string>): Promise<Start> {
  return new Promise((resolve, reject) => {
    const beganNs = process.hrtime.bigint()
    const elapsedMs = () => Number(process.hrtime.bigint() - beganNs) / 1e6
    const child = spawn(
      process.execPath, [podwire, ...args], { cwd: root, stdio: ["ignore", "pipe", "ignore"] }
    )
    let firstMs = 0
    let stdout = ""
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      if (stdout === "") firstMs = elapsedMs()
      stdout += text
    })
    child.on("error", reject)
    child.on("close", (code) => {
      if (code === 0) resolve({ firstMs, endMs: elapsedMs(), stdout })
      else reject(new Error(`podwire ${args.join(" ")} ended with ${code}`))
    })
  })
}

const figures = []
const hash = createHash("sha256")
for (const [name, args] of COMMANDS) {
  const starts: Array<Start> = []
  for (let run = 0; run < (small() ? 1 : RUNS); run++) starts.push(await start(args))
  figures.push(
    figure(`${name}: first output`, "ms", starts.map(({ firstMs }) => firstMs)),
    figure(`${name}: end`, "ms", starts.map(({ endMs }) => endMs))
  )
  hash.update(starts[0]!.stdout.replaceAll(out, ""))
}
rmSync(out, { recursive: true, force: true })
say("cold-start", hash.digest("hex").slice(0, 16), figures)
