/**
 * The part of a test that both sides have: streams, the clock of its reports, when it is over. The side that
 * sends is under a limit, of time, octets, blocks or a rate; the side that receives counts until it is told
 * to stop.
 */
import { CallbackTimer, MILLISECOND, type Ns, SECOND } from "@podwire/engine"
import type { Host } from "../process.ts"
import type { IperfOptions } from "./options.ts"
import {
  type Durations, type Interval, intervalText, type Part, resultsText, type Side, type Total
} from "./report.ts"
import { isBehind, type Limit, type Stream } from "./stream.ts"

/**
 * What a processor makes of one stream without -b, bits a second: an approximation, without which a link that
 * has no rate would take a test's whole data in no time.
 */
const PROCESSOR_RATE = 10_000_000_000
/** --pacing-timer's default. */
const TICK_NS = MILLISECOND

export class Run implements Limit {
  readonly #host: Host
  readonly options: IperfOptions
  readonly isServer: boolean
  readonly streams: Array<Stream> = []
  readonly intervals: Array<Interval> = []
  readonly #write: (text: string) => void
  readonly #ended: () => void
  readonly #report: CallbackTimer
  readonly #end: CallbackTimer
  readonly #tick: CallbackTimer
  #startNs: Ns = 0
  #intervalNs: Ns = 0
  #endNs: Ns = 0
  #isRunning = false

  /** `ended` is called once when a limit is reached. */
  constructor(
    host: Host, options: IperfOptions, isServer: boolean, write: (text: string) => void, ended: () => void
  ) {
    this.#host = host
    this.options = options
    this.isServer = isServer
    this.#write = write
    this.#ended = ended
    this.#report = new CallbackTimer(() => this.#onReport())
    this.#end = new CallbackTimer(() => this.#over())
    this.#tick = new CallbackTimer(() => this.#onTick())
  }

  get isSender(): boolean {
    return this.isServer === this.options.reverse
  }

  get isRunning(): boolean {
    return this.#isRunning
  }

  get blockSize(): number {
    return this.options.blockSize
  }

  get side(): Side {
    const { udp, format } = this.options
    return { isServer: this.isServer, isSender: this.isSender, udp, format, streams: this.streams }
  }

  get seconds(): number {
    return (this.#endNs - this.#startNs) / SECOND
  }

  start(): void {
    const { engine } = this.#host
    const { interval, seconds } = this.options
    this.#startNs = engine.nowNs
    this.#intervalNs = engine.nowNs
    this.#isRunning = true
    // The end is looked at before the last report, which it makes itself.
    if (!this.isServer && seconds > 0) engine.arm(this.#end, seconds * SECOND)
    if (interval > 0) engine.arm(this.#report, interval * SECOND)
    if (this.isSender) engine.arm(this.#tick, TICK_NS)
    for (const stream of [...this.streams]) if (this.#isRunning) stream.start(() => this.#changed())
    this.#changed()
  }

  /** Counting ends here. */
  stop(): void {
    if (!this.#isRunning) return
    this.#isRunning = false
    const { engine } = this.#host
    engine.disarm(this.#report)
    engine.disarm(this.#end)
    engine.disarm(this.#tick)
    this.#endNs = engine.nowNs
    for (const stream of this.streams) stream.stop()
    this.#takeInterval()
  }

  close(): void {
    this.stop()
    for (const stream of this.streams) stream.close()
  }

  /** The last interval, unless it is short and empty, and the results. */
  finalText(durations: Durations): string {
    const last = this.intervals.at(-1)
    const text = last === undefined ? "" : this.#intervalText(last)
    return text + resultsText(this.side, this.totals(), durations)
  }

  totals(): ReadonlyArray<Total> {
    return this.streams.map((stream, i) => {
      const { peer } = stream
      const retransmits = this.intervals.reduce((all, interval) => all + interval.parts[i]!.retransmits, 0)
      return stream.isSender
        ? { sent: stream.bytes, received: peer.bytes, retransmits, sentPackets: stream.packets,
          receivedPackets: peer.packets, errors: peer.errors, jitter: peer.jitter }
        : { sent: peer.bytes, received: stream.bytes, retransmits: Math.max(0, peer.retransmits),
          sentPackets: peer.packets, receivedPackets: stream.packets, errors: stream.errors,
          jitter: stream.jitter }
    })
  }

  mayGo(stream: Stream): boolean {
    const { bytes, blocks, rate, burst } = this.options
    if (!this.#isRunning) return false
    if (bytes > 0 && this.#sum((one) => one.bytes) >= bytes) return false
    if (blocks > 0 && this.#sum((one) => one.blocks) >= blocks) return false
    if (burst > 1 && stream.blocks % burst !== 0) return true
    return isBehind(stream, rate > 0 ? rate : PROCESSOR_RATE, this.#host.engine.nowNs - this.#startNs)
  }

  #sum(of: (stream: Stream) => number): number {
    let all = 0
    for (const stream of this.streams) all += of(stream)
    return all
  }

  /** After something was sent or received: an amount may be reached. */
  #changed(): void {
    const { bytes, blocks } = this.options
    if (this.isServer || !this.#isRunning) return
    if ((bytes > 0 && this.#sum((one) => one.bytes) >= bytes) ||
      (blocks > 0 && this.#blocks() >= blocks)) this.#over()
  }

  /** A receiver counts the blocks that its octets make. */
  #blocks(): number {
    return this.isSender ? this.#sum((one) => one.blocks)
      : this.#sum((one) => Math.floor(one.bytes / this.options.blockSize))
  }

  #over(): void {
    if (!this.#isRunning) return
    this.stop()
    this.#ended()
  }

  #onTick(): void {
    for (const stream of this.streams) stream.send()
    if (this.#isRunning) this.#host.engine.arm(this.#tick, TICK_NS)
  }

  #onReport(): void {
    this.#host.engine.arm(this.#report, this.options.interval * SECOND)
    this.#takeInterval()
    this.#write(this.#intervalText(this.intervals.at(-1)!))
  }

  #takeInterval(): void {
    const { nowNs } = this.#host.engine
    const parts = this.streams.map((stream): Part => {
      const info = stream.info()
      return {
        ...stream.takeCounts(), jitter: stream.jitter, cwnd: (info?.snd_cwnd ?? 0) * (info?.snd_mss ?? 0),
        sendWindow: info?.snd_wnd ?? 0, rtt: info?.rtt ?? 0, rttvar: info?.rttvar ?? 0, pmtu: info?.pmtu ?? 0
      }
    })
    this.intervals.push({
      start: (this.#intervalNs - this.#startNs) / SECOND, end: (nowNs - this.#startNs) / SECOND, parts
    })
    this.#intervalNs = nowNs
  }

  /** Nothing for an interval that is short and empty: iperf_print_intermediate. */
  #intervalText(interval: Interval): string {
    const seconds = interval.end - interval.start
    const short = seconds < this.options.interval / 10 || seconds === 0
    if (short && interval.parts.every((part) => part.bytes === 0)) {
      this.intervals.splice(this.intervals.indexOf(interval), 1)
      return ""
    }
    return intervalText(this.side, interval, this.intervals[0] === interval)
  }
}
