/**
 * Commands that run or look at something in one place: exec, inspect, and a line that begins with the place.
 */
import { durationNs, inspect, type Lab } from "@podwire/lab"
import * as Effect from "effect/Effect"
import { UsageError } from "../outcome.ts"
import { type Command, NAMESPACE, type Running, type Session } from "./command.ts"
import { type FlagSpec, flagsText, parseFlags } from "./flags.ts"
import { programWords, targetNames, TOOLS } from "./words.ts"

const NOT_FOUND = 127
const EXEC_FLAGS: ReadonlyArray<FlagSpec> = [
  { name: "container", alias: "c", takes: "value", metavar: "CONTAINER" },
  { name: "timeout", takes: "value", metavar: "DURATION" }, NAMESPACE
]

export const execCommand: Command = {
  name: "exec",
  synopsis: `exec POD ${flagsText(EXEC_FLAGS)} -- ARGV…`,
  summary: "Run a program in a pod; shorter: POD ARGV…",
  flags: EXEC_FLAGS,
  run: Effect.fnUntraced(function*(session, argv) {
    const flags = parseFlags(argv, EXEC_FLAGS, 1)
    if (flags instanceof UsageError) return yield* flags
    const [who] = flags.words
    const program = flags.rest ?? []
    if (who === undefined || program.length === 0) {
      return yield* new UsageError({ what: "say where and what: exec POD -- ping -c 1 10.244.1.2" })
    }
    const container = flags.value("container")
    const timeout = flags.value("timeout")
    if (timeout !== undefined && durationNs(timeout) === null) {
      return yield* new UsageError({
        what: `--timeout: found ${JSON.stringify(timeout)}, expected a duration such as 5s, 1m30s or 250ms`
      })
    }
    return yield* session.lab.exec(reach(session.lab, who, session.namespace), program, {
      namespace: flags.value("namespace") ?? session.namespace, signal: session.signal,
      ...container === undefined ? {} : { container }, ...timeout === undefined ? {} : { timeout }
    })
  }),
  complete: whereThenWhat
}

export const inspectCommand: Command = {
  name: "inspect",
  synopsis: `inspect WHERE ${flagsText([NAMESPACE])} [--] ip addr | ip route | bridge fdb | ss … | sysctl …`,
  summary: "Print the state of a node or pod as the Linux tool does; shorter: WHERE ip route",
  flags: [NAMESPACE],
  run: Effect.fnUntraced(function*(session, argv) {
    const flags = parseFlags(argv, [NAMESPACE], 1)
    if (flags instanceof UsageError) return yield* flags
    const [where] = flags.words
    const tool = flags.rest ?? []
    if (where === undefined || tool.length === 0) {
      return yield* new UsageError({ what: "say where and which tool: inspect node1 ip addr" })
    }
    const namespace = flags.value("namespace") ?? session.namespace
    const { host } = yield* session.lab.target(reach(session.lab, where, namespace), namespace)
    return inspect(host.netns, tool)
  }),
  complete: whereThenWhat
}

/** `web-0 ping 10.244.1.2`, `node1 ip route`. */
export const runAt = Effect.fnUntraced(function*(session: Session, who: string, argv: ReadonlyArray<string>) {
  const { lab, namespace, signal } = session
  const [tool] = argv
  const { host } = yield* lab.target(who, namespace)
  if (tool === undefined) {
    return yield* new UsageError({ what: `say what to run: ${who} ping -c 1 10.244.1.2, or ${who} ip addr` })
  }
  if (TOOLS.includes(tool)) return inspect(host.netns, argv)
  const ran = yield* lab.exec(who, argv, { namespace, signal })
  if (ran.exitCode !== NOT_FOUND) return ran
  // A tool that is known and answers "not modelled yet" says more than that there is none.
  const seen = inspect(host.netns, argv)
  return seen.exitCode === NOT_FOUND ? ran : seen
}) satisfies (session: Session, who: string, argv: ReadonlyArray<string>) => Running

/** A bare name as `Lab` takes it: of a pod or node before one of a host. */
export function reach(lab: Lab, who: string, namespace: string): string {
  const { cluster } = lab
  const taken = cluster.store.get("Pod", namespace, who) !== null || cluster.node(who) !== null
  return !taken && cluster.externalHost(who) !== null ? `host/${who}` : who
}

function whereThenWhat({ lab, namespace }: Session, words: ReadonlyArray<string>): ReadonlyArray<string> {
  if (words.length <= 1) return targetNames(lab, namespace)
  return words.filter((word) => word !== "--").length === 2 ? programWords() : []
}
