/** Commands that let time pass or make links worse: advance, settle, now, reach, fault. */
import { durationNs, type FaultOptions, UNSETTLED } from "@podwire/lab"
import { bitsPerSecond, partsPerMillion } from "@podwire/lab/document/units"
import * as Effect from "effect/Effect"
import { UsageError } from "../outcome.ts"
import { type Command, EXIT_INTERRUPTED, lines, type Outcome, printed } from "./command.ts"
import { linkNames, machineNames } from "./words.ts"

const NS_PER_SECOND = 1e9

export const advanceCommand: Command = {
  name: "advance",
  synopsis: "advance DURATION",
  summary: "Let virtual time pass: 5s, 1m30s, 250ms",
  run: Effect.fnUntraced(function*({ lab, signal }, argv) {
    const text = argv.join(" ")
    const ns = durationNs(text)
    if (ns === null) {
      const found = JSON.stringify(text)
      return yield* new UsageError({
        what: `advance: found ${found}, expected a duration such as 5s, 1m30s or 250ms`
      })
    }
    return yield* Effect.raceFirst(aborted(signal), Effect.as(lab.advance(text), printed("")))
  })
}

export const settleCommand: Command = {
  name: "settle",
  synopsis: "settle",
  summary: "Let time pass until nothing changes any more",
  run: Effect.fnUntraced(function*({ lab }, argv) {
    yield* noWords("settle", argv)
    return (yield* lab.settle()) ? printed("") : { exitCode: 1, stdout: "", stderr: `${UNSETTLED}\n` }
  })
}

export const nowCommand: Command = {
  name: "now",
  synopsis: "now",
  summary: "Print the virtual time since the start",
  run: Effect.fnUntraced(function*({ lab }, argv) {
    yield* noWords("now", argv)
    return printed(`${secondsText(lab.cluster.engine.nowNs)}s\n`)
  })
}

export const reachCommand: Command = {
  name: "reach",
  synopsis: "reach",
  summary: "An echo from every pod and node to every pod",
  run: Effect.fnUntraced(function*({ lab }, argv) {
    yield* noWords("reach", argv)
    const found = yield* Effect.result(lab.reachAll())
    return found._tag === "Success"
      ? printed(lines(found.success))
      : { exitCode: 1, stdout: `${found.failure.message}\n`, stderr: "" }
  })
}

export const faultCommand: Command = {
  name: "fault",
  synopsis: "fault A-B|NODE [down] [delay D] [jitter D] [loss P] [duplicate P] [reorder P] [corrupt P] " +
    "[rate R] [limit N] [for D] | clear",
  summary: "Make a link, or all of a machine's, worse, or cut it; until `clear` without `for`",
  run: Effect.fnUntraced(function*({ lab }, argv) {
    const fault = parseFault(argv, (text) => lab.cluster.machine(text) !== null)
    if (fault instanceof UsageError) return yield* fault
    yield* lab.fault(fault)
    return printed("")
  }),
  complete: ({ lab }, words) => (words.length <= 1
    ? [...machineNames(lab.cluster.nodes), ...machineNames(lab.cluster.hosts), ...linkNames(lab)]
    : [...Object.keys(IMPAIRMENTS), "down", "for", "clear"])
}

interface Impairment {
  readonly holds: (text: string) => boolean
  readonly expected: string
}

const DURATION: Impairment = {
  holds: (text) => durationNs(text) !== null, expected: "a duration such as 5s or 250ms"
}
const PART: Impairment = {
  holds: (text) => partsPerMillion(text) !== null, expected: "a part such as 10%, 0.5% or 200ppm"
}
const IMPAIRMENTS: Readonly<Record<string, Impairment>> = {
  delay: DURATION, jitter: DURATION, loss: PART, duplicate: PART, reorder: PART, corrupt: PART,
  rate: { holds: (text) => bitsPerSecond(text) !== null, expected: "a rate such as 10Mbit or 512kbit" },
  limit: { holds: (text) => /^\d{1,9}$/.test(text), expected: "a number of packets" }
}

/** The words behind `fault`; `isMachine` tells a node from a link. */
function parseFault(
  words: ReadonlyArray<string>, isMachine: (text: string) => boolean
): FaultOptions | UsageError {
  const [where, ...rest] = words
  if (where === undefined) {
    return new UsageError({ what: "fault: say where and what: fault node1-node2 loss 10% for 30s" })
  }
  const fault: Record<string, string | number | boolean> =
    isMachine(where) || !where.includes("-") ? { node: where } : { link: where }
  if (rest.includes("clear")) {
    if (rest.length === 1) return { ...fault, clear: true }
    return new UsageError({ what: `fault: clear stands alone: fault ${where} clear` })
  }
  for (let at = 0; at < rest.length; at++) {
    const key = rest[at]!
    if (Object.hasOwn(fault, key)) return new UsageError({ what: `fault: ${key} is given twice` })
    if (key === "down") {
      fault[key] = true
      continue
    }
    const impairment = key === "for" ? DURATION : Object.hasOwn(IMPAIRMENTS, key) ? IMPAIRMENTS[key]! : null
    if (impairment === null) {
      const words = [...Object.keys(IMPAIRMENTS), "down"].join(", ")
      return new UsageError({ what: `fault: found ${JSON.stringify(key)}, expected ${words}, for or clear` })
    }
    const value = rest[++at]
    if (value === undefined || !impairment.holds(value)) {
      const found = value === undefined ? "nothing" : JSON.stringify(value)
      return new UsageError({ what: `fault: ${key}: found ${found}, expected ${impairment.expected}` })
    }
    fault[key] = key === "limit" ? Number(value) : value
  }
  if (Object.keys(fault).every((key) => key === "node" || key === "link" || key === "for")) {
    const words = Object.keys(IMPAIRMENTS).join(", ")
    return new UsageError({ what: `fault: say what goes wrong: ${words} or down; or clear` })
  }
  return fault as FaultOptions
}

function secondsText(ns: number): string {
  const fraction = String(ns % NS_PER_SECOND).padStart(9, "0").replace(/0+$/, "")
  return `${Math.floor(ns / NS_PER_SECOND)}${fraction === "" ? "" : `.${fraction}`}`
}

function noWords(name: string, argv: ReadonlyArray<string>): Effect.Effect<void, UsageError> {
  if (argv.length === 0) return Effect.void
  const found = JSON.stringify(argv[0])
  return Effect.fail(new UsageError({ what: `${name}: found ${found}, expected nothing more` }))
}

function aborted(signal: AbortSignal): Effect.Effect<Outcome> {
  const outcome: Outcome = { exitCode: EXIT_INTERRUPTED, stdout: "", stderr: "" }
  return Effect.callback((resume) => {
    if (signal.aborted) return resume(Effect.succeed(outcome))
    const listen = () => resume(Effect.succeed(outcome))
    signal.addEventListener("abort", listen, { once: true })
    return Effect.sync(() => signal.removeEventListener("abort", listen))
  })
}
