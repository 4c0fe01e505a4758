/** What a step expects against what happened: one sentence for each difference, none when all held. */
import type { Pod } from "@podwire/api"
import type { LoggedFrame } from "@podwire/cluster"
import { compileFilter } from "@podwire/wire/filter"
import type { Expectation, TextExpectation } from "./document/scenario.ts"
import type { ExecResult, Lab } from "./lab.ts"
import { summary } from "./print/pod.ts"

/** How much of a text an error shows. */
const SHOWN_LENGTH = 400

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
    return words.map((key) => ({ path: [key], message: "only exec has this to expect of" }))
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
  return frames.flatMap(({ at, filter, direction, count, atLeast, atMost }, i) => {
    const accepts = compileFilter(filter ?? "")
    if (typeof accepts === "string") return [{ path: ["frames", i, "filter"], message: accepts }]
    const seen = since.filter((frame) =>
      frame.at === at && (direction === undefined || frame.direction === direction) &&
        accepts(frame.bytes, 0, frame.bytes.length)
    ).length
    const what = `${filter === undefined ? "frames" : `frames "${filter}"`} at ${at}`
    const say = (expected: string) => [
      { path: ["frames", i], message: `found ${seen} ${what}, expected ${expected}` }
    ]
    if (count !== undefined && seen !== count) return say(String(count))
    if (atLeast !== undefined && seen < atLeast) return say(`at least ${atLeast}`)
    if (atMost !== undefined && seen > atMost) return say(`at most ${atMost}`)
    if (count === undefined && atLeast === undefined && atMost === undefined && seen === 0) return say("some")
    return []
  })
}

function show(text: string): string {
  const cut = text.length > SHOWN_LENGTH ? `${text.slice(0, SHOWN_LENGTH)}…` : text
  return JSON.stringify(cut)
}
