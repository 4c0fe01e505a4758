/**
 * Scripts drawn from a seed: a connection accepted, then segments of the peer and calls as they fall.
 * `node drawn.ts FIRST COUNT` plays COUNT of them on the running kernel and on our stack and prints the first
 * difference of each. Not compared: what two right machines do not share (PSH inside bulk writes; the window,
 * which depends on the memory that a card's driver takes for a frame).
 */
import { fileURLToPath } from "node:url"
import { Engine } from "@podwire/engine"
import * as tcp from "@podwire/wire/tcp"
import { decode, Flows } from "./frame.ts"
import { missing, REAL, Referee } from "./kernel.ts"
import type { Happened } from "./match.ts"
import { formatSegment, type Option } from "./notation.ts"
import { parseScript, type Script } from "./script.ts"
import { playVirtual } from "./virtual.ts"

const AT_ONCE = 12
const EVENTS_MIN = 6
const EVENTS_MAX = 15
/** Longer ones are of a bulk write. */
const SMALL_BYTES_MAX = 900

/** The text of a script without expectations. */
export function draw(seed: number): string {
  const prng = new Engine(seed).prng("script")
  const pick = <T>(...from: ReadonlyArray<T>): T => from[prng.below(from.length)]!
  const options = pick(
    "mss 1000", "mss 1000,nop,nop,sackOK", "mss 1012,sackOK,TS val 100 ecr 0,nop,wscale 7",
    "mss 1000,nop,nop,sackOK,nop,wscale 2"
  )
  const window = pick(65_535, 65_535, 3000, 5000)
  const lines = [
    "# Drawn.", "0 s = socket", "+0 bind(s, 8080)", "+0 listen(s, 5)",
    `+0 < [S] seq 0 win ${window} <${options}>`, "+0 > [S.] seq 0 ack 1", `+0.01 < [.] seq 1 ack 1 win ${window}`,
    "+0 c = accept(s)"
  ]
  /** The peer's next number; how far our own stream may have come; what of it the peer has acknowledged. */
  let [next, sent, acked] = [1, 0, 1]
  let [open, ended, writes] = [true, false, true]
  for (let left = EVENTS_MIN + prng.below(EVENTS_MAX - EVENTS_MIN + 1); left > 0; left--) {
    const after = `+${pick("0", "0.01", "0.01", "0.02", "0.06", "0.1", "0.3")}`
    acked = pick(acked, sent + 1, sent + 1)
    const rest = `ack ${acked} win ${pick(window, window, window, window, 0, 1000, 2500)}`
    const dice = prng.below(100)
    if (dice < 30) {
      const length = pick(1, 100, 1000, 1000)
      const shift = pick(0, 0, 0, 0, 1000, 2000, -100, -1000)
      const at = ended ? next : Math.max(1, next + shift)
      lines.push(`${after} < [${pick("P.", ".")}] seq ${at}:${at + length} ${rest}`)
      if (at <= next) next = Math.max(next, at + length)
    } else if (dice < 50) lines.push(`${after} < [.] seq ${next} ${rest}`)
    else if (dice < 53) {
      if (ended) continue
      lines.push(`${after} < [F.] seq ${next++} ${rest}`)
      ended = true
    } else if (dice < 55) lines.push(`${after} < [R] seq ${next + pick(0, 1, 100_000)}`)
    else if (dice < 56) lines.push(`${after} < [S] seq ${pick(0, next, next + 100_000)} <mss 1000>`)
    else if (dice < 57) lines.push(`${after} < [.] seq ${next} ack ${sent + 5000}`)
    else if (dice < 58) lines.push(`${after} < [${pick("none", "P", "F")}] seq ${next}`)
    else if (!open) continue
    else if (dice < 86) {
      const length = pick(1, 100, 500, 1000, 2500, 4000)
      lines.push(`${after} send(c, ${length})`)
      if (writes) sent += length
    } else if (dice < 94) lines.push(`${after} recv(c, ${pick(10, 1000, 100_000)})`)
    else if (dice < 96) {
      lines.push(`${after} setsockopt(c, ${pick("TCP_NODELAY", "TCP_CORK")}, ${pick(0, 1)})`)
    } else {
      open = dice < 98
      lines.push(`${after} ${open ? "shutdown(c, write)" : "close(c)"}`)
      if (writes) sent++
      writes = false
    }
  }
  lines.push(...open ? ["+0.3 state(c)", "+0 available(c)", "+0 so_error(c)"] : ["+0.3 ! none"])
  return lines.join("\n")
}

interface Row {
  readonly atSeconds: number
  readonly text: string
  readonly caused: boolean
}

function rows(script: Script, happened: ReadonlyArray<Happened>): ReadonlyArray<Row> {
  const flows = new Flows()
  const stimuli = script.events.filter(({ kind }) => kind !== "expect")
  return happened.map((item) => {
    const { atSeconds } = item
    if (item.kind === "caused") {
      const what = stimuli.shift()!.text.replace(/ = .*/, "")
      return { atSeconds, caused: true, text: `${what}: ${item.result}` }
    }
    const decoded = decode(item.bytes, flows)
    flows.learn(item.bytes)
    if (decoded === null) return { atSeconds, caused: false, text: "no segment of TCP" }
    const { segment } = decoded
    const options = segment.options!.map((one): Option => one.kind === "TS" ? { ...one, val: "any" } : one)
    const pushAny = segment.length > SMALL_BYTES_MAX
    const flags = segment.flags | (pushAny ? tcp.PSH : 0)
    const compared = { ...segment, options, pushAny, flags, window: segment.window === 0 ? 0 : null }
    const text = `> ${formatSegment(compared)}${decoded.corrupt ? " OTHER OCTETS" : ""}`
    return { atSeconds, caused: false, text }
  })
}

/** The first row that is not the same, or -1. */
function difference(a: ReadonlyArray<Row>, b: ReadonlyArray<Row>): number {
  let caused = 0
  for (let i = 0; i < Math.max(a.length, b.length); i++) {
    const [one, other] = [a[i], b[i]]
    if (one === undefined || other === undefined || one.text !== other.text) return i
    const allowed = REAL.seconds + REAL.ratio * Math.max(0, one.atSeconds - caused)
    if (Math.abs(one.atSeconds - other.atSeconds) > allowed) return i
    if (one.caused) caused = one.atSeconds
  }
  return -1
}

function shown(of: ReadonlyArray<Row>, from: number, to: number): string {
  const lines = of.slice(from, to).map(({ atSeconds, text }) => `    ${atSeconds.toFixed(3)} ${text}`)
  return lines.join("\n") || "    nothing"
}

/** Null is the same; a kernel that does not agree with itself has said nothing. */
async function compare(referee: Referee, seed: number): Promise<string | null> {
  const family = seed % 2 === 0 ? 4 : 6
  const script = parseScript(draw(seed), family)
  const ours = rows(script, playVirtual(script, family))
  const real = rows(script, await referee.play(script, family))
  const at = difference(real, ours)
  if (at < 0 || difference(real, rows(script, await referee.play(script, family))) >= 0) return null
  return [
    `seed ${seed}, IPv${family}`, shown(ours, 0, at), "  Linux", shown(real, at, at + 3), "  we",
    shown(ours, at, at + 3)
  ].join("\n")
}

async function main(first: number, count: number): Promise<void> {
  const why = missing()
  if (why !== null) throw new Error(`no referee for TCP, ${why}`)
  const referee = new Referee()
  let [seed, different] = [first, 0]
  await Promise.all(Array.from({ length: AT_ONCE }, async () => {
    while (seed < first + count) {
      const text = await compare(referee, seed++)
      if (text === null) continue
      different++
      console.log(text)
    }
  }))
  console.log(`${different} of ${count} differ`)
  referee.end()
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await main(Number(process.argv[2] ?? 1), Number(process.argv[3] ?? 100))
}
