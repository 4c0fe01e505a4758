/** What a step expects against what happened: one sentence for each difference, none when all held. */
import type { Pod } from "@podwire/api"
import type { LoggedFrame } from "@podwire/cluster"
import { compileFilter } from "@podwire/wire/filter"
import type { Expectation, TextExpectation } from "./document/scenario.ts"
import { durationNs } from "./document/units.ts"
import type { Lab } from "./lab.ts"
import type { ExecResult } from "./started.ts"
import { summary } from "./print/pod.ts"

/** How much of a text an error shows. */
const SHOWN_LENGTH = 400
const SECOND_NS = 1e9
/** The kernel's timer wheel fires the later the farther off the time was (kernel/time/timer.c). */
const TIMES_WITHIN_NS = 0.1 * SECOND_NS
const TIMES_WITHIN_PART = 0.05

export interface Miss {
  readonly path: ReadonlyArray<string | number>
  readonly message: string
}

/**
 * `last` is the last frame before the step, null when there was none: time alone cannot tell steps of one
 * instant apart.
 */
export function misses(
  lab: Lab, expected: Expectation, result: ExecResult | null, last: LoggedFrame | null
): ReadonlyArray<Miss> {
  return [
    ...programMisses(expected, result),
    ...podMisses(lab, expected.pods ?? {}),
    ...frameMisses(lab, expected.frames ?? [], last)
  ]
}

function programMisses(expected: Expectation, result: ExecResult | null): ReadonlyArray<Miss> {
  const { exit, stdout, stderr } = expected
  if (result === null) {
    const words = Object.entries({ exit, stdout, stderr }).filter(([, value]) => value !== undefined)
      .map(([key]) => key)
    const message = "only exec, wait and inspect have this to expect of"
    return words.map((key) => ({ path: [key], message }))
  }
  const found: Array<Miss> = []
  if (exit !== undefined && exit !== result.exitCode) {
    found.push({
      path: ["exit"],
      message: `found ${result.exitCode}, expected ${exit}; it printed ${show(result.stdout + result.stderr)}`
    })
  }
  const streams = [["stdout", stdout, result.stdout], ["stderr", stderr, result.stderr]] as const
  for (const [key, want, text] of streams) {
    if (want !== undefined) found.push(...textMisses(want, text).map((message) => ({ path: [key], message })))
  }
  return found
}

export function textMisses(expected: TextExpectation, text: string): ReadonlyArray<string> {
  if (typeof expected === "string") {
    return text.trimEnd() === expected.trimEnd() ? [] : [`found ${show(text)}, expected ${show(expected)}`]
  }
  const list = (value: string | ReadonlyArray<string> | undefined) => (
    value === undefined ? [] : typeof value === "string" ? [value] : value
  )
  const wrong: Array<string> = []
  for (const part of list(expected.contains)) {
    if (!text.includes(part)) wrong.push(`found ${show(text)}, expected it to contain ${show(part)}`)
  }
  for (const part of list(expected.lacks)) {
    if (text.includes(part)) wrong.push(`found ${show(text)}, expected it not to contain ${show(part)}`)
  }
  if (expected.matches !== undefined && !new RegExp(expected.matches, "m").test(text)) {
    wrong.push(`found ${show(text)}, expected it to match /${expected.matches}/`)
  }
  return wrong
}

function podMisses(lab: Lab, pods: Readonly<Record<string, string>>): ReadonlyArray<Miss> {
  return Object.entries(pods).flatMap(([name, state]) => {
    const [namespace, pod] = name.includes("/") ? name.split("/") as [string, string] : ["default", name]
    const object = lab.cluster.store.get("Pod", namespace, pod) as Pod | null
    const found = object === null ? "absent" : summary(object).reason
    return found === state ? [] : [{ path: ["pods", name], message: `found ${found}, expected ${state}` }]
  })
}

function frameMisses(
  lab: Lab, frames: NonNullable<Expectation["frames"]>, last: LoggedFrame | null
): ReadonlyArray<Miss> {
  if (frames.length === 0) return []
  const all = lab.frames()
  const since = last === null ? all : all.slice(all.lastIndexOf(last) + 1)
  return frames.flatMap((expected, i) => {
    const { at, filter, direction } = expected
    const accepts = compileFilter(filter ?? "")
    if (typeof accepts === "string") return [{ path: ["frames", i, "filter"], message: accepts }]
    const seen = since.filter((frame) =>
      frame.at === at && (direction === undefined || frame.direction === direction) &&
        accepts(frame.bytes, 0, frame.bytes.length)
    )
    const what = `${filter === undefined ? "frames" : `frames "${filter}"`} at ${at}`
    const miss = countMiss(expected, seen.length)
    if (miss !== null) {
      return [{ path: ["frames", i], message: `found ${seen.length} ${what}, expected ${miss}` }]
    }
    if (expected.times === undefined) return []
    const found = seen.map(({ atNs }) => atNs - seen[0]!.atNs)
    const want = expected.times.map((text) => durationNs(text)!)
    if (found.length === want.length && found.every((ns, n) => isAbout(ns, want[n]!))) {
      return []
    }
    const message = `found ${what} after ${found.map(secondsText).join(", ")}, ` +
      `expected ${want.map(secondsText).join(", ")}`
    return [{ path: ["frames", i, "times"], message }]
  })
}

function isAbout(ns: number, wantNs: number): boolean {
  return Math.abs(ns - wantNs) <= Math.max(TIMES_WITHIN_NS, wantNs * TIMES_WITHIN_PART)
}

type FrameExpectation = NonNullable<Expectation["frames"]>[number]

/** How many there should have been, null when there were. */
function countMiss({ count, atLeast, atMost, times }: FrameExpectation, seen: number): string | null {
  if (count !== undefined && seen !== count) return String(count)
  if (atLeast !== undefined && seen < atLeast) return `at least ${atLeast}`
  if (atMost !== undefined && seen > atMost) return `at most ${atMost}`
  const said = [count, atLeast, atMost, times].some((value) => value !== undefined)
  return !said && seen === 0 ? "some" : null
}

function secondsText(ns: number): string {
  return `${Number((ns / SECOND_NS).toFixed(3))}s`
}

function show(text: string): string {
  const cut = text.length > SHOWN_LENGTH ? `${text.slice(0, SHOWN_LENGTH)}…` : text
  return JSON.stringify(cut)
}
