/**
 * A script against what happened: event by event, in strict order, the first difference with its place in
 * the whole time line. Both machines are judged here, by different tolerances of time only.
 */
import { line as printed } from "@podwire/wire/print"
import * as tcp from "@podwire/wire/tcp"
import { type Decoded, decode, Flows } from "./frame.ts"
import { formatSegment, type Option, type Segment, type Stamp } from "./notation.ts"
import type { Event, Script } from "./script.ts"

/** One thing that happened; the events that the script causes stand in its order. */
export type Happened =
  | { readonly atSeconds: number; readonly kind: "frame"; readonly bytes: Uint8Array }
  | { readonly atSeconds: number; readonly kind: "caused"; readonly result: string }

export interface Tolerance {
  readonly seconds: number
  /** Of the time since the script last did something. */
  readonly ratio: number
}

export interface Verdict {
  readonly text: string
  /** Null is as expected. */
  readonly fault: null | "time" | "other"
}

/** How long after its last event a script must stay silent. */
export const TAIL_SECONDS = 0.02
const LATE_FRAME = "nothing is expected here"

export function verdict(script: Script, happened: ReadonlyArray<Happened>, tolerance: Tolerance): Verdict {
  const lines: Array<string> = []
  const flows = new Flows()
  const usual = timestamped(script)
  /** What happened later than planned shifts what follows. */
  let shift = 0
  let caused = 0
  let at = 0
  for (const event of script.events) {
    const item = happened[at]
    const decoded = item?.kind === "frame" ? decode(item.bytes, flows) : null
    const why = item === undefined ? { fault: "other" as const, why: "nothing more happened" }
      : item.kind === "frame" && decoded === null ? { fault: "other" as const, why: "no segment of TCP" }
      : compare(event, item, decoded, { shift, caused, tolerance, usual, flows })
    if (why !== null) {
      const rest = happened.slice(at).map((later) => describe(later, flows, null))
      lines.push(`  -> line ${event.line}, ${why.why}; expected`)
      lines.push(`          ${window(event, shift)} ${event.text}`, "     but then", ...rest)
      return { fault: why.fault, text: lines.join("\n") }
    }
    lines.push(describe(item!, flows, event))
    shift = item!.atSeconds - event.untilSeconds
    if (event.kind !== "expect") caused = item!.atSeconds
    at++
  }
  const more = happened.slice(at)
  if (more.length === 0) return { fault: null, text: lines.join("\n") }
  const rest = more.map((later) => describe(later, flows, null))
  return { fault: "other", text: [...lines, `  -> ${LATE_FRAME}, but then`, ...rest].join("\n") }
}

function window(event: Event, shift: number): string {
  const [from, to] = [event.atSeconds + Math.min(shift, 0), event.untilSeconds + shift]
  return to - from < 0.0005 ? to.toFixed(3) : `${from.toFixed(3)}~${to.toFixed(3)}`
}

/** Connections where both SYNs carry timestamps (an expected one may be silent): so do the other segments. */
export function timestamped(script: Script): ReadonlySet<number> {
  const seen = new Map<number, { inject: boolean | null; expect: boolean | null }>()
  for (const event of script.events) {
    if (event.kind !== "inject" && event.kind !== "expect") continue
    if ((event.segment.flags & tcp.SYN) === 0 || event.segment.options === null) continue
    const flow = seen.get(event.flow) ?? { inject: null, expect: null }
    flow[event.kind] ??= event.segment.options.some(({ kind }) => kind === "TS")
    seen.set(event.flow, flow)
  }
  const agreed = [...seen].filter(([, { inject, expect }]) => inject === true && expect !== false)
  return new Set(agreed.map(([flow]) => flow))
}

interface Context {
  readonly shift: number
  readonly caused: number
  readonly tolerance: Tolerance
  readonly usual: ReadonlySet<number>
  readonly flows: Flows
}

function compare(
  event: Event, item: Happened, decoded: Decoded | null, context: Context
): { readonly fault: "time" | "other"; readonly why: string } | null {
  const other = (why: string) => ({ fault: "other" as const, why })
  if (event.kind !== "expect") {
    if (item.kind === "frame") return other(`nothing is sent${event.kind === "quiet" ? "" : " before"}`)
    const wanted = event.kind === "call" ? event.result : "0"
    return item.result === wanted ? null : other(`it gave ${item.result}`)
  }
  if (item.kind === "caused" || decoded === null) return other("nothing was sent")
  const what = difference(event, decoded, context)
  if (what !== null) return other(what)
  const { tolerance, shift, caused } = context
  const allowed = tolerance.seconds + tolerance.ratio * Math.max(0, item.atSeconds - caused)
  const early = event.atSeconds + shift - allowed - item.atSeconds
  const late = item.atSeconds - (event.untilSeconds + shift + allowed)
  if (early > 1e-9) return { fault: "time", why: `too early by ${(early * 1000).toFixed(1)} ms` }
  return late > 1e-9 ? { fault: "time", why: `too late by ${(late * 1000).toFixed(1)} ms` } : null
}

function difference(
  event: Event & { readonly kind: "expect" }, decoded: Decoded, context: Context
): string | null {
  const wanted = event.segment
  const got = decoded.segment
  if (decoded.flow !== event.flow) return `it was for connection ${decoded.flow}`
  if (decoded.corrupt) return "its octets are not those of the stream"
  const push = wanted.pushAny ? tcp.PSH : 0
  if ((wanted.flags | push) !== (got.flags | push)) return "other flags"
  for (const field of ["seq", "ack", "window", "id"] as const) {
    if (wanted[field] !== null && got[field] !== null && wanted[field] !== got[field]) return `other ${field}`
  }
  if (wanted.ack === null && got.ack !== null) return "other ack"
  for (const field of ["length", "df", "tos", "ttl", "urgent", "reserved", "badSum"] as const) {
    if (wanted[field] !== got[field]) return `other ${field}`
  }
  if (wanted.options === null && (got.flags & tcp.SYN) !== 0) return null
  const options = wanted.options ?? (context.usual.has(event.flow) ? USUAL : [])
  return sameOptions(options, got.options ?? [], context.flows.of(event.flow).stamp, context.tolerance)
    ? null
    : "other options"
}

const USUAL: ReadonlyArray<Option> = [
  { kind: "nop" }, { kind: "nop" }, { kind: "TS", val: "any", ecr: "any" }
]

function sameOptions(
  wanted: ReadonlyArray<Option>, got: ReadonlyArray<Option>, last: number, tolerance: Tolerance
): boolean {
  const sameStamp = (a: Stamp, b: Stamp) => {
    if (a === "any" || b === "any" || !("at" in b)) return true
    if ("at" in a) return a.at === b.at
    const off = Math.abs(((b.at - last) | 0) - a.afterLast)
    return off <= 1000 * tolerance.seconds + tolerance.ratio * Math.abs(a.afterLast) + 1
  }
  return wanted.length === got.length && wanted.every((a, i) => {
    const b = got[i]!
    if (a.kind === "TS" && b.kind === "TS") return sameStamp(a.val, b.val) && sameStamp(a.ecr, b.ecr)
    return JSON.stringify(a) === JSON.stringify(b)
  })
}

/** In the script's words, whole where no event says what matters. */
function describe(item: Happened, flows: Flows, event: Event | null): string {
  const time = item.atSeconds.toFixed(3).padStart(9)
  if (item.kind === "caused") {
    if (event !== null) return `${time} ${event.text}`
    return `${time} (the script's next event${item.result === "0" ? "" : `: ${item.result}`})`
  }
  const decoded = decode(item.bytes, flows)
  flows.learn(item.bytes)
  if (decoded === null) return `${time} > ${printed(item.bytes, 0, item.bytes.length)}`
  const mentions: Segment | undefined = event?.kind === "expect" ? event.segment : undefined
  const flow = decoded.flow === 1 ? "" : decoded.flow
  const octets = decoded.corrupt ? " OTHER OCTETS" : ""
  return `${time} >${flow} ${formatSegment(decoded.segment, mentions)}${octets}`
}

/** The time line as a script: what to start an expectation from. */
export function transcript(script: Script, happened: ReadonlyArray<Happened>): string {
  const flows = new Flows()
  const stimuli = script.events.filter(({ kind }) => kind !== "expect")
  const usual = timestamped(script)
  let before = 0
  return happened.map((item) => {
    const delta = `+${Number((item.atSeconds - before).toFixed(3))}`.padEnd(7)
    before = item.atSeconds
    if (item.kind === "caused") return `${delta} ${told(stimuli.shift()!, item.result)}`
    const decoded = decode(item.bytes, flows)
    flows.learn(item.bytes)
    if (decoded === null) return `${delta} > ${printed(item.bytes, 0, item.bytes.length)}`
    const { segment, flow, corrupt } = decoded
    const ordinary = (segment.flags & tcp.SYN) === 0 &&
      sameOptions(usual.has(flow) ? USUAL : [], segment.options ?? [], 0, { seconds: 0, ratio: 0 })
    const shown = formatSegment({ ...segment, id: null, options: ordinary ? null : segment.options })
      .replace(/TS val \d+ ecr/, "TS val * ecr")
    return `${delta} >${flow === 1 ? "" : flow} ${shown}${corrupt ? " OTHER OCTETS" : ""}`
  }).join("\n")
}

/** A call with what it gave; whatever else the script does as it stands there. */
function told(event: Event, result: string): string {
  if (event.kind !== "call" || /^\w+ = /.test(event.text)) return event.text
  return `${event.text.replace(/ = [^=]*$/, "")}${result === "0" ? "" : ` = ${result}`}`
}
