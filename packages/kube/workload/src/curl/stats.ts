/**
 * What -w can tell of one transfer. Its times run as curl's do (lib/progress.c): those of name, connection,
 * request and response are counted from the start of their own request and added up over redirects. Virtual
 * time.
 */
import type { Engine, Ns } from "@podwire/engine"

export class Stats {
  readonly #engine: Engine
  readonly id: number
  readonly startNs: Ns
  #beginNs: Ns
  #hasStarted = false
  nameNs: Ns = 0
  connectNs: Ns = 0
  pretransferNs: Ns = 0
  posttransferNs: Ns = 0
  firstByteNs: Ns = 0
  redirectNs: Ns = 0
  totalNs: Ns = 0
  connects = 0
  redirects = 0
  retries = 0
  /** Of the last response: 0 when there was none. */
  status = 0
  minor: number | null = null
  headBytes = 0
  requestBytes = 0
  uploaded = 0
  downloaded = 0
  effectiveUrl = ""
  scheme = ""

  constructor(engine: Engine, id: number) {
    this.#engine = engine
    this.id = id
    this.startNs = engine.nowNs
    this.#beginNs = engine.nowNs
  }

  get sinceBeginNs(): Ns {
    return this.#engine.nowNs - this.#beginNs
  }

  /** A request begins: the first, or one after a redirect. */
  begin(): void {
    this.#beginNs = this.#engine.nowNs
    this.#hasStarted = false
  }

  resolved(): void {
    this.nameNs += this.sinceBeginNs
  }

  connected(): void {
    this.connectNs += this.sinceBeginNs
  }

  asking(headBytes: number): void {
    this.requestBytes += headBytes
    this.pretransferNs += this.sinceBeginNs
  }

  sent(): void {
    this.posttransferNs += this.sinceBeginNs
  }

  started(): void {
    if (this.#hasStarted) return
    this.#hasStarted = true
    this.firstByteNs += this.sinceBeginNs
  }

  redirected(): void {
    this.redirectNs = this.#engine.nowNs - this.startNs
    this.uploaded = 0
    this.downloaded = 0
  }

  end(): void {
    this.totalNs = this.#engine.nowNs - this.startNs
  }
}
