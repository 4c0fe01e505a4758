/**
 * How long a transfer may take: -m over all of it, --connect-timeout until each connection, -y and -Y while
 * it runs.
 */
import { CallbackTimer, type Engine, type Ns, SECOND } from "@podwire/engine"
import type { Config } from "./config.ts"

/** CONNECT_TIMEOUT_DEFAULT. */
const CONNECT_TIMEOUT_NS = 300 * SECOND

export class Limits {
  readonly #engine: Engine
  readonly #config: Config
  readonly #total: CallbackTimer
  readonly #opening: CallbackTimer
  readonly #speed: CallbackTimer
  readonly #progress: () => number
  readonly #tooSlow: () => void
  #slowSeconds = 0
  #bytesBefore = 0

  /** `progress` is the octets of the present request and response. */
  constructor(
    engine: Engine, config: Config, timedOut: () => void, tooSlow: () => void, progress: () => number
  ) {
    this.#engine = engine
    this.#config = config
    this.#total = new CallbackTimer(timedOut)
    this.#opening = new CallbackTimer(timedOut)
    this.#speed = new CallbackTimer(() => this.#measure())
    this.#progress = progress
    this.#tooSlow = tooSlow
  }

  start(): void {
    if (this.#config.maxTimeNs > 0) this.#engine.arm(this.#total, this.#config.maxTimeNs)
  }

  /** A connection is looked for. */
  connecting(): void {
    this.#engine.arm(this.#opening, this.#config.connectTimeoutNs || CONNECT_TIMEOUT_NS)
  }

  connected(): void {
    this.#engine.disarm(this.#opening)
  }

  asking(): void {
    if (this.#config.speedTimeNs > 0) this.#engine.arm(this.#speed, SECOND)
  }

  answered(): void {
    this.#engine.disarm(this.#speed)
  }

  /** Until when there may be a connection. */
  get deadlineNs(): Ns {
    const openingNs = this.#opening.deadlineNs
    return this.#total.armed ? Math.min(this.#total.deadlineNs, openingNs) : openingNs
  }

  release(): void {
    this.#engine.disarm(this.#total)
    this.#engine.disarm(this.#opening)
    this.#engine.disarm(this.#speed)
  }

  /** Every second: for how many of them fewer octets came and went than --speed-limit asks for. */
  #measure(): void {
    const bytes = this.#progress()
    this.#slowSeconds = bytes - this.#bytesBefore < this.#config.speedLimit ? this.#slowSeconds + 1 : 0
    this.#bytesBefore = bytes
    if (this.#slowSeconds * SECOND < this.#config.speedTimeNs) this.#engine.arm(this.#speed, SECOND)
    else this.#tooSlow()
  }
}
