/**
 * The command line. So far one command:
 *
 *   podwire run [PATH...] [--seed N] [--nodes N] [--out DIR]
 *
 * Exit codes: 0 all held, 1 a pair does not answer, 2 bad input or usage, 3 a bug in Podwire.
 */
import { readdirSync, readFileSync, statSync } from "node:fs"
import { basename, join, resolve } from "node:path"
import { fileURLToPath } from "node:url"
import { parseArgs } from "node:util"
import { readManifests, run } from "@podwire/lab"

const root = fileURLToPath(new URL("../../../..", import.meta.url))
const FIRST_SCENARIO = join(root, "scenarios/010-pods-on-three-nodes")
const USAGE = "usage: podwire run [PATH...] [--seed N] [--nodes N] [--out DIR]\n" +
  "  PATH is a manifest or a folder of manifests; without one the first scenario runs\n"

function main(argv: ReadonlyArray<string>): number {
  const { values, positionals } = parseArgs({
    args: [...argv], allowPositionals: true,
    options: {
      seed: { type: "string", default: "7" }, nodes: { type: "string", default: "3" },
      out: { type: "string" }, help: { type: "boolean", short: "h", default: false }
    }
  })
  if (values.help) {
    process.stdout.write(USAGE)
    return 0
  }
  const [command, ...paths] = positionals
  const seed = Number(values.seed)
  const nodes = Number(values.nodes)
  if (command !== "run") return refuse(`unknown command ${JSON.stringify(command ?? "")}\n${USAGE}`)
  if (!Number.isSafeInteger(seed) || seed < 0) return refuse(`--seed: found ${values.seed}, expected a whole number`)
  if (!Number.isSafeInteger(nodes) || nodes < 1 || nodes > 100) {
    return refuse(`--nodes: found ${values.nodes}, expected a whole number from 1 to 100`)
  }
  const files = (paths.length > 0 ? paths : [FIRST_SCENARIO]).flatMap((path) => manifestsAt(path))
  const manifests = readManifests(files)
  if (manifests.problems.length > 0) return refuse(manifests.problems.join("\n"))
  for (const [kind, count] of manifests.notModelled) {
    process.stderr.write(`warning: ${count} ${kind}: not modelled, kept and counted\n`)
  }
  if (manifests.pods.length === 0) return refuse("no Pod in the input; Pods are what runs so far")
  const name = basename(resolve(paths[0] ?? FIRST_SCENARIO)).replace(/\.ya?ml$/, "")
  const out = values.out ?? join("captures/out", name)
  process.stderr.write(`seed ${seed}\n`)
  const report = run(manifests, { seed, nodes, out })
  if (report.problems.length > 0) return refuse(report.problems.join("\n"))
  process.stdout.write(report.text)
  return report.held ? 0 : 1
}

function manifestsAt(path: string): ReadonlyArray<{ readonly file: string; readonly text: string }> {
  if (!statSync(path).isDirectory()) return [{ file: path, text: readFileSync(path, "utf8") }]
  return readdirSync(path).filter((file) => /\.(ya?ml|json)$/.test(file)).sort()
    .map((file) => join(path, file)).map((file) => ({ file, text: readFileSync(file, "utf8") }))
}

function refuse(message: string): number {
  process.stderr.write(`${message}\n`)
  return 2
}

try {
  process.exitCode = main(process.argv.slice(2))
} catch (error) {
  const code = error instanceof Error && "code" in error ? String(error.code) : ""
  const input = /^(E[A-Z]+|ERR_PARSE_ARGS.*)$/.test(code)
  const text = error instanceof Error ? (input ? error.message : error.stack ?? error.message) : String(error)
  process.stderr.write(input ? `${text}\n` : `a bug in Podwire, please report it with this command line:\n${text}\n`)
  process.exitCode = input ? 2 : 3
}
