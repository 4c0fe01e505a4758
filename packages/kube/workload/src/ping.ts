/**
 * `ping` in the manner of iputils: an ICMP or ICMPv6 echo socket, one request a second, and its
 * report word for word. The payload starts with the sending time as a struct timeval, then counts up.
 * Not supported, and refused: flood and adaptive modes, record route and timestamps, marks, broadcast,
 * patterns (-p), outstanding replies (-O), printed times (-D).
 */
import { CallbackTimer, MILLISECOND, type Ns, SECOND } from "@podwire/engine"
import { Errno, strerror } from "@podwire/netdev"
import type { PingReply, PingSocket } from "@podwire/netns"
import { family, format, type Ip } from "@podwire/wire/ip"
import { Finished, type Host, Process, type Program } from "./process.ts"
import { resolve } from "./resolve.ts"

const PAYLOAD_BYTES = 56
const TIMEVAL_BYTES = 16
/** How long the last request may stay unanswered (iputils MAXWAIT). */
const LINGER_NS = 10 * SECOND
const USAGE = "ping: usage: ping [-46nq] [-c count] [-i interval] [-s size] [-t ttl] [-W timeout] " +
  "[-w deadline] [-M do|dont|want] destination\n"

interface Options {
  only: 4 | 6 | null
  count: number
  intervalNs: Ns
  bytes: number
  ttl: number
  lingerNs: Ns
  deadlineNs: Ns
  quiet: boolean
  dontFragment: boolean | null
  destination: string
}

export const ping: Program = {
  name: "ping",
  synopsis: "ping [-46q] [-c count] [-i interval] [-s size] [-t ttl] [-W timeout] destination",
  start(host, argv) {
    const options = parseOptions(argv)
    if (typeof options === "string") return new Finished(host, argv, 2, "", options)
    const target = resolve(host, options.destination, options.only)
    if (target === null) {
      return new Finished(host, argv, 2, "", `ping: ${options.destination}: Name or service not known\n`)
    }
    return new Ping(host, argv, options, target)
  }
}

class Ping extends Process {
  readonly #options: Options
  readonly #target: Ip
  readonly #socket: PingSocket
  readonly #tick: CallbackTimer
  readonly #last: CallbackTimer
  readonly #sentAtNs: Array<Ns> = []
  readonly #seen = new Set<number>()
  readonly #startNs: Ns
  #errors = 0
  #duplicates = 0
  readonly #rttsNs: Array<Ns> = []

  constructor(host: Host, argv: ReadonlyArray<string>, options: Options, target: Ip) {
    super(host, argv)
    this.#options = options
    this.#target = target
    this.#startNs = host.engine.nowNs
    this.#socket = host.netns.ping(family(target))
    this.#socket.onReply = (_, reply) => this.#onReply(reply)
    this.#tick = new CallbackTimer(() => this.#send())
    this.#last = new CallbackTimer(() => this.#finish())
    const text = format(target)
    const bytes = options.bytes
    this.stdout = family(target) === 4
      ? `PING ${options.destination} (${text}) ${bytes}(${bytes + 28}) bytes of data.\n`
      : `PING ${options.destination} (${text}) ${bytes} data bytes\n`
    if (options.deadlineNs > 0) host.engine.arm(this.#last, options.deadlineNs)
    this.#send()
  }

  protected override release(): void {
    this.#socket.close()
    this.host.engine.disarm(this.#tick)
    this.host.engine.disarm(this.#last)
  }

  override kill(): void {
    if (this.running) this.#finish()
  }

  #send(): void {
    const { engine } = this.host
    const seq = this.#sentAtNs.length + 1
    this.#sentAtNs.push(engine.nowNs)
    const errno = this.#socket.sendTo(
      this.#target, seq & 0xffff, payload(this.#options.bytes, engine.nowNs),
      { ttl: this.#options.ttl, df: this.#options.dontFragment }
    )
    if (errno !== Errno.OK && !this.#refused(errno)) return
    if (!this.running) return
    if (seq === this.#options.count) {
      // A send that failed counts as heard: iputils does not linger for it.
      this.#maybeDone()
      if (this.running && this.#options.deadlineNs === 0) engine.arm(this.#last, this.#options.lingerNs)
    } else engine.arm(this.#tick, this.#options.intervalNs)
  }

  /** A send that failed at once: fatal for the first packet, noted for later ones. */
  #refused(errno: Errno): boolean {
    if (this.#sentAtNs.length === 1 && errno === Errno.ENETUNREACH) {
      this.stdout = ""
      this.stderr += `ping: connect: ${strerror(errno)}\n`
      this.exit(2)
      return false
    }
    this.#errors++
    this.stderr += errno === Errno.EMSGSIZE
      ? `ping: local error: message too long, mtu: ${this.#socket.mtu ?? 1500}\n`
      : `ping: sendmsg: ${strerror(errno)}\n`
    return true
  }

  #onReply(reply: PingReply): void {
    if (reply.isError) {
      this.#errors++
      const from = format(reply.offender ?? reply.src)
      const what = describeError(family(this.#target), reply.type, reply.code, reply.info ?? 0)
      this.stdout += `From ${from} icmp_seq=${reply.seq} ${what}\n`
      this.#maybeDone()
      return
    }
    // Sequence numbers come round after 65,536 requests: the answer is to the last one of that number.
    const sent = this.#sentAtNs.length
    const request = sent - ((sent - reply.seq) & 0xffff)
    const sentAtNs = this.#sentAtNs[request - 1]
    if (sentAtNs === undefined) return
    const rttNs = this.host.engine.nowNs - sentAtNs
    const duplicate = this.#seen.has(request)
    this.#seen.add(request)
    if (duplicate) this.#duplicates++
    // Without room for the sending time iputils knows no round trip.
    const timed = this.#options.bytes >= TIMEVAL_BYTES
    if (timed) this.#rttsNs.push(rttNs)
    if (!this.#options.quiet) {
      this.stdout += `${reply.payload.length + 8} bytes from ${format(reply.src)}: ` +
        `icmp_seq=${reply.seq} ttl=${reply.ttl}${timed ? ` time=${milliseconds(rttNs)} ms` : ""}` +
        `${duplicate ? " (DUP!)" : ""}\n`
    }
    this.#maybeDone()
  }

  #maybeDone(): void {
    const { count } = this.#options
    const heard = this.#seen.size + this.#errors
    if (count > 0 && this.#sentAtNs.length === count && heard >= count) this.#finish()
  }

  #finish(): void {
    const sent = this.#sentAtNs.length
    const received = this.#seen.size
    const lostPercent = sent === 0 ? 0 : ((sent - received) * 100) / sent
    // From the first request to the last: iputils does not count the wait for what stays out.
    const elapsedMs = Math.floor(((this.#sentAtNs.at(-1) ?? this.#startNs) - this.#startNs) / MILLISECOND)
    this.stdout += `\n--- ${this.#options.destination} ping statistics ---\n` +
      `${sent} packets transmitted, ${received} received` +
      (this.#duplicates > 0 ? `, +${this.#duplicates} duplicates` : "") +
      (this.#errors > 0 ? `, +${this.#errors} errors` : "") +
      `, ${significant(lostPercent)}% packet loss, time ${elapsedMs}ms\n`
    if (this.#rttsNs.length > 0) this.stdout += `rtt min/avg/max/mdev = ${spread(this.#rttsNs)} ms\n`
    else this.stdout += "\n"
    this.exit(received > 0 ? 0 : 1)
  }
}

function payload(size: number, nowNs: Ns): Uint8Array {
  const bytes = new Uint8Array(size)
  for (let i = 0; i < size; i++) bytes[i] = i & 0xff
  if (size >= TIMEVAL_BYTES) {
    littleEndian(bytes, 0, Math.floor(nowNs / SECOND))
    littleEndian(bytes, 8, Math.floor((nowNs % SECOND) / 1000))
  }
  return bytes
}

function littleEndian(bytes: Uint8Array, at: number, value: number): void {
  let rest = value
  for (let i = 0; i < 8; i++) {
    bytes[at + i] = rest % 256
    rest = Math.floor(rest / 256)
  }
}

/** iputils prints four significant digits or so: 0.123, 1.23, 12.3, 123. */
function milliseconds(ns: Ns): string {
  const us = Math.floor(ns / 1000)
  const digits = us >= 100_000 ? 0 : us >= 10_000 ? 1 : us >= 1_000 ? 2 : 3
  const unit = 10 ** (3 - digits)
  return (Math.floor(us / unit) * unit / 1000).toFixed(digits)
}

function spread(rttsNs: ReadonlyArray<Ns>): string {
  const us = rttsNs.map((ns) => Math.floor(ns / 1000))
  const mean = us.reduce((sum, x) => sum + x, 0) / us.length
  const square = us.reduce((sum, x) => sum + x * x, 0) / us.length
  const mdev = Math.sqrt(Math.max(0, square - mean * mean))
  const least = us.reduce((a, b) => (a < b ? a : b))
  const most = us.reduce((a, b) => (a > b ? a : b))
  return [least, mean, most, mdev].map((x) => (Math.floor(x) / 1000).toFixed(3)).join("/")
}

/** As C's %g prints a percentage. */
function significant(percent: number): string {
  return String(Number(percent.toPrecision(6)))
}

function describeError(version: 4 | 6, type: number, code: number, info: number): string {
  if (version === 4) {
    if (type === 11) {
      return code === 0 ? "Time to live exceeded" : "Frag reassembly time exceeded"
    }
    if (type === 3 && code === 4) return `Frag needed and DF set (mtu = ${info})`
    if (type === 3) return UNREACHABLE4[code] ?? `Dest Unreachable, Bad Code: ${code}`
    return `Bad ICMP type: ${type}`
  }
  if (type === 1) return UNREACHABLE6[code] ?? `Destination unreachable: Unknown code ${code}`
  if (type === 2) return `Packet too big: mtu=${info}`
  if (type === 3) {
    return code === 0 ? "Time exceeded: Hop limit" : "Time exceeded: Defragmentation failure"
  }
  if (type === 4) return "Parameter problem: " + (code === 0 ? "Wrong header field" : "Unknown header")
  return `Unknown icmp type: ${type}`
}

const UNREACHABLE4: ReadonlyArray<string> = [
  "Destination Net Unreachable", "Destination Host Unreachable", "Destination Protocol Unreachable",
  "Destination Port Unreachable", "", "Source Route Failed", "Destination Net Unknown",
  "Destination Host Unknown", "Source Host Isolated", "Destination Net Prohibited",
  "Destination Host Prohibited", "Destination Net Unreachable for Type of Service",
  "Destination Host Unreachable for Type of Service", "Packet filtered"
]
const UNREACHABLE6: ReadonlyArray<string> = [
  "Destination unreachable: No route", "Destination unreachable: Administratively prohibited",
  "Destination unreachable: Beyond scope of source address",
  "Destination unreachable: Address unreachable", "Destination unreachable: Port unreachable"
]

function parseOptions(argv: ReadonlyArray<string>): Options | string {
  const options: Options = {
    only: null, count: 0, intervalNs: SECOND, bytes: PAYLOAD_BYTES, ttl: 0, lingerNs: LINGER_NS,
    deadlineNs: 0, quiet: false, dontFragment: null, destination: ""
  }
  const words = argv.slice(1)
  for (let i = 0; i < words.length; i++) {
    const word = words[i]!
    if (!word.startsWith("-") || word === "-") {
      if (options.destination !== "") return USAGE
      options.destination = word
      continue
    }
    for (let at = 1; at < word.length; at++) {
      const flag = word[at]!
      if (flag === "4" || flag === "6") options.only = flag === "4" ? 4 : 6
      else if (flag === "q") options.quiet = true
      else if (flag === "n") continue
      else {
        const value = at + 1 < word.length ? word.slice(at + 1) : words[++i]
        const problem = setOption(options, flag, value)
        if (problem !== null) return problem
        break
      }
    }
  }
  return options.destination === "" ? "ping: usage error: Destination address required\n" : options
}

function setOption(options: Options, flag: string, value: string | undefined): string | null {
  if (!"cisWwtM".includes(flag)) return `ping: invalid option -- '${flag}'\n${USAGE}`
  if (value === undefined) return `ping: option requires an argument -- '${flag}'\n${USAGE}`
  if (flag === "M") {
    if (!["do", "dont", "want"].includes(value)) return `ping: invalid -M argument: ${value}\n`
    options.dontFragment = value === "do" ? true : value === "dont" ? false : null
    return null
  }
  const number = Number(value)
  const [least, most] = RANGES[flag]!
  const whole = flag === "i" || flag === "W" || flag === "w" || Number.isInteger(number)
  if (value === "" || !Number.isFinite(number) || !whole) return `ping: invalid argument: '${value}'\n`
  if (number < least || number > most) {
    return `ping: invalid argument: '${value}': out of range: ${least} <= value <= ${most}\n`
  }
  if (flag === "c") options.count = number
  else if (flag === "i") options.intervalNs = Math.floor(number * SECOND)
  else if (flag === "s") options.bytes = number
  else if (flag === "t") options.ttl = number
  else if (flag === "W") options.lingerNs = Math.floor(number * SECOND)
  else options.deadlineNs = Math.floor(number * SECOND)
  return null
}

const RANGES: Readonly<Record<string, readonly [number, number]>> = {
  c: [1, 1_000_000], i: [0, 2_147_483], s: [0, 65_507], t: [0, 255], W: [0, 2_147_483],
  w: [0, 2_147_483]
}

