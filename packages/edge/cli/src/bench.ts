/**
 * `podwire bench [NAME…]`: how fast this is, here. Each bench is a plain script in a process of its own, so
 * that none meets code that another one has warmed up; this command runs them in turn and prints what they
 * say.
 *
 * Figures are medians of at least five runs with least and most. Ratios hold on other machines, times do not.
 */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import { spawn } from "node:child_process"
import { existsSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { UsageError } from "./outcome.ts"
import { V8_FLAGS } from "./v8.ts"

const NAMES = ["known-flow", "capture", "tcp-bulk", "tcp-connections", "settle", "cold-start"] as const
const PROMISED = ["cached-flow", "new-flow", "endpoint-change", "reach", "prove"] as const
const SCRIPTS = new URL("../../../kube/cluster/bench/", import.meta.url)

interface Figure {
  readonly name: string
  readonly unit: string
  readonly runs: number
  readonly median: number
  readonly min: number
  readonly max: number
}

interface Result {
  readonly bench: string
  readonly machine: string
  readonly node: string
  readonly seed: number
  readonly checksum: string
  readonly figures: ReadonlyArray<Figure>
  readonly ns_per_frame?: number
}

export const benchCommand = Command.make("bench", {
  names: Argument.String("name").pipe(
    Argument.variadic(), Argument.withDescription(`${NAMES.join(", ")}; all of them without one`)
  ),
  output: Flag.Literals("output", ["text", "json"]).pipe(
    Flag.withAlias("o"), Flag.withDefault("text" as const),
    Flag.withDescription("json: one object on the last line")
  ),
  small: Flag.Boolean("small").pipe(
    Flag.withDefault(false),
    Flag.withDescription("A little work, to see that it runs; its figures mean nothing")
  )
}, Effect.fnUntraced(function*({ names, output, small }) {
  for (const name of names) {
    if (isBuilt(name)) continue
    const known = PROMISED.some((other) => other === name)
    return yield* new UsageError({
      what: `${name}: ${known ? "not built yet" : "no such bench"}; there are ${NAMES.join(", ")}`
    })
  }
  if (!existsSync(SCRIPTS)) {
    return yield* new UsageError({ what: "the benches are part of the repository; run this in a clone" })
  }
  const results: Array<Result> = []
  for (const name of names.length === 0 ? NAMES : names) {
    process.stderr.write(`${name} …\n`)
    const result = yield* Effect.promise((signal) => run(name, small, signal))
    if (output === "text") process.stdout.write(`${results.length === 0 ? "" : "\n"}${table(result)}`)
    results.push(result)
  }
  if (output === "json") process.stdout.write(`${JSON.stringify(whole(results))}\n`)
})).pipe(
  Command.withDescription("Measure: what a frame, a capture, a cluster and a start cost here"),
  Command.withExamples([
    { command: "podwire bench known-flow -o json", description: "Nanoseconds per forwarded frame" }
  ])
)

function isBuilt(name: string): boolean {
  return NAMES.some((other) => other === name)
}

/** One bench is the object itself; of several the first that has it gives `ns_per_frame`. */
function whole(results: ReadonlyArray<Result>): unknown {
  if (results.length === 1) return results[0]
  const ns = results.find(({ ns_per_frame }) => ns_per_frame !== undefined)?.ns_per_frame
  return { benches: results, ...ns === undefined ? {} : { ns_per_frame: ns } }
}

function run(name: string, small: boolean, signal: AbortSignal): Promise<Result> {
  return new Promise((resolve, reject) => {
    const script = fileURLToPath(new URL(`${name}.ts`, SCRIPTS))
    const child = spawn(
      process.execPath, [...V8_FLAGS, "--expose-gc", script, ...small ? ["--small"] : []],
      { stdio: ["ignore", "pipe", "inherit"], signal }
    )
    let stdout = ""
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      stdout += text
    })
    child.on("error", reject)
    child.on("close", (code) => {
      if (code === 0) resolve(JSON.parse(stdout.trimEnd().split("\n").at(-1)!) as Result)
      else reject(new Error(`the bench ${name} ended with ${code}`))
    })
  })
}

function table({ bench, machine, node, seed, checksum, figures }: Result): string {
  const rows = [
    ["FIGURE", "UNIT", "RUNS", "MEDIAN", "MIN", "MAX"],
    ...figures.map((one) => [one.name, one.unit, one.runs, one.median, one.min, one.max].map(String))
  ]
  const widths = rows[0]!.map((_, i) => Math.max(...rows.map((row) => row[i]!.length)))
  const lines = rows.map((row) => row.map((cell, i) => cell.padEnd(widths[i]!)).join("   ").trimEnd())
  return `${bench}: ${machine}, Node ${node}, seed ${seed}\nchecksum ${checksum}\n${lines.join("\n")}\n`
}
