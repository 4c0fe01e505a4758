/**
 * ICMP's rate limits (net/ipv4/icmp.c): by destination a bucket of six tokens, one more every
 * `icmp_ratelimit` milliseconds (inet_peer_xrlim_allow), and for the namespace `icmp_msgs_per_sec` with a
 * burst (icmp_global_allow). Approximated: Linux shrinks the global burst by a random 0 to 2.
 */
import { type Engine, type Ns, SECOND } from "@podwire/engine"

const BURST = 6
/** Destinations remembered at the most; the oldest is forgotten then, in the sender's favour. */
const PEERS_MAX = 4_096
/** A global bucket gets nothing for a shorter while than this (HZ / 50). */
const GLOBAL_STEP_NS = 20_000_000

interface Bucket {
  tokensNs: Ns
  lastNs: Ns
}

export class RateLimit {
  readonly #engine: Engine
  readonly #peers = new Map<string | number, Bucket>()
  #credit = 0
  #stampNs: Ns = -Infinity

  constructor(engine: Engine) {
    this.#engine = engine
  }

  allow(peer: string | number, everyMs: number): boolean {
    if (everyMs <= 0) return true
    const everyNs = everyMs * 1_000_000
    const nowNs = this.#engine.nowNs
    let bucket = this.#peers.get(peer)
    if (bucket === undefined) {
      if (this.#peers.size >= PEERS_MAX) this.#forgetOldest()
      bucket = { tokensNs: BURST * everyNs, lastNs: nowNs }
      this.#peers.set(peer, bucket)
    }
    bucket.tokensNs = Math.min(BURST * everyNs, bucket.tokensNs + nowNs - bucket.lastNs)
    bucket.lastNs = nowNs
    if (bucket.tokensNs < everyNs) return false
    bucket.tokensNs -= everyNs
    return true
  }

  /** Asked first; a message that then fails at its peer's bucket costs nothing here. */
  globalHasCredit(perSecond: number, burst: number): boolean {
    if (this.#credit > 0) return true
    const nowNs = this.#engine.nowNs
    const passedNs = Math.min(nowNs - this.#stampNs, SECOND)
    if (passedNs < GLOBAL_STEP_NS) return false
    const more = Math.floor((perSecond * passedNs) / SECOND)
    if (more > 0) {
      this.#stampNs = nowNs
      this.#credit = Math.min(this.#credit + more, burst)
    }
    return this.#credit > 0
  }

  globalConsume(): void {
    if (this.#credit > 0) this.#credit--
  }

  #forgetOldest(): void {
    for (const oldest of this.#peers.keys()) {
      this.#peers.delete(oldest)
      return
    }
  }
}
