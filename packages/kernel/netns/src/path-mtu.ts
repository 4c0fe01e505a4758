/** Path MTUs that routers told us, for `mtu_expires` seconds each (fib_nh_exception; RFC 1191, RFC 8201). */
import type { Engine, Ns } from "@podwire/engine"
import { format, type Ip } from "@podwire/wire/ip"

const EXPIRES_NS = 600_000_000_000
/** Destinations remembered at the most; the oldest goes first. */
const ENTRIES_MAX = 2_048

export class PathMtu {
  readonly #engine: Engine
  readonly #entries = new Map<string, { readonly mtu: number; readonly untilNs: Ns }>()

  constructor(engine: Engine) {
    this.#engine = engine
  }

  /** 0 when nothing is known. */
  get(ip: Ip): number {
    if (this.#entries.size === 0) return 0
    const key = format(ip)
    const entry = this.#entries.get(key)
    if (entry === undefined) return 0
    if (entry.untilNs > this.#engine.nowNs) return entry.mtu
    this.#entries.delete(key)
    return 0
  }

  /** Nanoseconds until it is forgotten; 0 when nothing is known. */
  expiresIn(ip: Ip): Ns {
    return this.get(ip) === 0 ? 0 : this.#entries.get(format(ip))!.untilNs - this.#engine.nowNs
  }

  set(ip: Ip, mtu: number): void {
    const key = format(ip)
    this.#entries.delete(key)
    if (this.#entries.size >= ENTRIES_MAX) {
      for (const oldest of this.#entries.keys()) {
        this.#entries.delete(oldest)
        break
      }
    }
    this.#entries.set(key, { mtu, untilNs: this.#engine.nowNs + EXPIRES_NS })
  }
}
