/** `cni-plugin.ts TYPE`: the plugin as a program of its own, for tests that start one. */
import { readFileSync } from "node:fs"
import { runCniPlugin } from "@podwire/lab/cni/index"

const { stdout, stderr, exitCode } = runCniPlugin(process.argv[2] ?? "", process.env, readFileSync(0, "utf8"))
process.stdout.write(stdout)
process.stderr.write(stderr)
process.exitCode = exitCode
