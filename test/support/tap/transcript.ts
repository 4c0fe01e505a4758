/**
 * The segments of each connection as a device saw them, with nothing left in them that two correct runs do
 * not share: no sequence numbers but relative ones, no timestamps, no identification, of windows only those
 * of the handshake and whether they are zero, no PSH on whole segments. And whether two such transcripts are
 * the same.
 */
import { Direction, type Frame, type NetDevice, type Tap } from "@podwire/netdev"
import { Conversations, line } from "@podwire/wire/print"
import { segmentOf } from "./frame-ring.ts"

/** Ethernet, IPv6 and TCP with all its options. */
const HEADER_BYTES = 114
/** Timers of the kernel count jiffies, of 4 ms or 10, and helpers take their time. */
const TOLERANCE_MS = 45
const TOLERANCE = 0.12

export interface Line {
  readonly ms: number
  readonly out: boolean
  readonly text: string
}

interface Kept {
  readonly ns: number
  readonly out: boolean
  readonly bytes: Uint8Array
}

export class Transcript implements Tap {
  readonly #ports = new Map<number, Array<Kept>>()

  /** From now on the frames with that port on either side are kept. */
  watch(port: number): void {
    this.#ports.set(port, [])
  }

  see(dev: NetDevice, direction: Direction, frame: Frame): void {
    const { bytes, head, tail } = frame
    const header = bytes.slice(head, Math.min(tail, head + HEADER_BYTES))
    const out = direction === Direction.Out
    const segment = segmentOf(0, out, header)
    if (segment === null) return
    const kept = this.#ports.get(segment.srcPort) ?? this.#ports.get(segment.dstPort)
    kept?.push({ ns: dev.engine.nowNs, out, bytes: header })
  }

  lines(port: number): ReadonlyArray<Line> {
    const conversations = new Conversations()
    const kept = this.#ports.get(port)!
    return kept.map(({ ns, out, bytes }) => {
      const text = normalised(line(bytes, 0, bytes.length, { conversations }))
      return { ms: (ns - kept[0]!.ns) / 1e6, out, text: `${headerOf(bytes)} ${text}` }
    })
  }
}

function headerOf(bytes: Uint8Array): string {
  if (bytes[12] === 0x86) return `hlim ${bytes[21]} class ${((bytes[14]! & 15) << 4) | (bytes[15]! >> 4)}`
  const id = bytes[18] === 0 && bytes[19] === 0 ? "0" : "#"
  return `ttl ${bytes[22]} tos ${bytes[15]} id ${id}${(bytes[20]! & 0x40) !== 0 ? " DF" : ""}`
}

function normalised(text: string): string {
  const segment = text.replace(/^.*Flags /, "")
    .replace(/TS val \d+ ecr (\d+)/, (_, ecr) => `TS ecr ${ecr === "0" ? 0 : "#"}`)
    // Not relative: a beginning, and what belongs to none.
    .replace(/^(\[S\.\], seq \d+, ack )\d+/, "$1#").replace(/\b\d{8,10}\b/g, "#")
  if (segment.startsWith("[S")) return segment
  const window = segment.replace(/win (\d+)/, (_, win) => `win ${win === "0" ? 0 : "#"}`)
  return /length (\d{4})$/.test(window) ? window.replace("[P.]", "[.]") : window
}

/** Where two transcripts part, direction by direction; "" when they do not. */
export function difference(linux: ReadonlyArray<Line>, ours: ReadonlyArray<Line>): string {
  return [true, false].map((out) => {
    const a = linux.filter((some) => some.out === out)
    const b = ours.filter((some) => some.out === out)
    const at = [...a.length > b.length ? a : b].findIndex((_, i) => !alike(a, b, i))
    if (at < 0) return ""
    const shown = (lines: ReadonlyArray<Line>) => lines.slice(Math.max(at - 2, 0), at + 3)
      .map(({ ms, text }) => `\n      ${ms.toFixed(0).padStart(5)} ${text}`).join("") || "\n      nothing"
    return `  ${out ? "sent" : "heard"}, from segment ${at}\n    Linux${shown(a)}\n    we${shown(b)}\n`
  }).join("")
}

/** The same segment, about as long after the one before it. */
function alike(a: ReadonlyArray<Line>, b: ReadonlyArray<Line>, i: number): boolean {
  const [x, y] = [a[i], b[i]]
  if (x === undefined || y === undefined || x.text !== y.text) return false
  const [before, after] = [a, b].map((lines) => lines[i]!.ms - (lines[i - 1]?.ms ?? 0)) as [number, number]
  return Math.abs(before - after) <= Math.max(TOLERANCE_MS, TOLERANCE * Math.max(before, after))
}
