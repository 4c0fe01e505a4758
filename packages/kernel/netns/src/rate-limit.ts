/**
 * ICMP's rate limit by destination (inet_peer_xrlim_allow): a bucket of six tokens, one more every
 * `icmp_ratelimit` milliseconds. Not supported: the namespace-wide limit of 1,000 messages a second.
 */
import type { Engine, Ns } from "@podwire/engine"

const BURST = 6
/** Destinations remembered at the most; all are forgotten then, in the sender's favour. */
const PEERS_MAX = 4_096

export class RateLimit {
  readonly #engine: Engine
  readonly #peers = new Map<string | number, { tokensNs: Ns; lastNs: Ns }>()

  constructor(engine: Engine) {
    this.#engine = engine
  }

  allow(peer: string | number, everyMs: number): boolean {
    if (everyMs === 0) return true
    const everyNs = everyMs * 1_000_000
    const nowNs = this.#engine.nowNs
    let bucket = this.#peers.get(peer)
    if (bucket === undefined) {
      if (this.#peers.size >= PEERS_MAX) this.#peers.clear()
      bucket = { tokensNs: BURST * everyNs, lastNs: nowNs }
      this.#peers.set(peer, bucket)
    }
    bucket.tokensNs = Math.min(BURST * everyNs, bucket.tokensNs + nowNs - bucket.lastNs)
    bucket.lastNs = nowNs
    if (bucket.tokensNs < everyNs) return false
    bucket.tokensNs -= everyNs
    return true
  }
}
