/**
 * What the network taught us about single destinations, beside the routes: a smaller path MTU (RFC 1191,
 * RFC 8201) and a better gateway (redirects). Linux keeps them with the next hop (fib_nh_exception,
 * rt6_exception); they expire, and `ip route` does not show them.
 */
import { type Engine, type Ns, SECOND } from "@podwire/engine"
import { format, type Ip } from "@podwire/wire/ip"

/** ip_rt_gc_timeout: how long IPv4 believes a redirect. IPv6 does until the neighbour fails. */
export const REDIRECT_NS = 300 * SECOND
/** Destinations remembered at the most; the oldest goes first (FNHE_RECLAIM_DEPTH of 2048 buckets). */
const ENTRIES_MAX = 2_048

export class Exception {
  readonly ip: Ip
  mtu = 0
  mtuUntilNs: Ns = 0
  /** The MTU is below what we accept (min_pmtu): packets go without DF then. */
  mtuLocked = false
  gateway: Ip | null = null
  gatewayUntilNs: Ns = 0

  constructor(ip: Ip) {
    this.ip = ip
  }
}

export class Exceptions {
  readonly #engine: Engine
  readonly #entries = new Map<string | number, Exception>()

  constructor(engine: Engine) {
    this.#engine = engine
  }

  get(ip: Ip): Exception | null {
    const key = keyOf(ip)
    const entry = this.#entries.get(key)
    if (entry === undefined) return null
    const nowNs = this.#engine.nowNs
    if (entry.mtuUntilNs > nowNs || entry.gatewayUntilNs > nowNs) return entry
    this.#entries.delete(key)
    return null
  }

  learnMtu(ip: Ip, mtu: number, locked: boolean, expiresSeconds: number): void {
    const entry = this.#obtain(ip)
    entry.mtu = mtu
    entry.mtuLocked = locked
    entry.mtuUntilNs = this.#engine.nowNs + expiresSeconds * SECOND
  }

  redirect(ip: Ip, gateway: Ip, untilNs: Ns): void {
    const entry = this.#obtain(ip)
    entry.gateway = gateway
    entry.gatewayUntilNs = untilNs
  }

  /** The router that an entry points to has gone (rt6_remove_exceptions via NUD_FAILED). */
  forgetGateway(gateway: Ip): boolean {
    let found = false
    for (const entry of this.#entries.values()) {
      if (entry.gateway === null || keyOf(entry.gateway) !== keyOf(gateway)) continue
      entry.gateway = null
      entry.gatewayUntilNs = 0
      found = true
    }
    return found
  }

  #obtain(ip: Ip): Exception {
    const key = keyOf(ip)
    const entry = this.#entries.get(key) ?? new Exception(ip.slice())
    this.#entries.delete(key)
    if (this.#entries.size >= ENTRIES_MAX) {
      for (const oldest of this.#entries.keys()) {
        this.#entries.delete(oldest)
        break
      }
    }
    this.#entries.set(key, entry)
    return entry
  }
}

function keyOf(ip: Ip): string | number {
  return ip.length === 1 ? ip[0]! : format(ip)
}
