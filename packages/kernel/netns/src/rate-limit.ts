/**
 * ICMP's rate limits. By destination a bucket, filled by time and capped by whoever takes from it
 * (inet_peer_xrlim_allow): errors, redirects and routes that lead nowhere share it, so an error that one
 * of them allows may fail at the next. For the namespace `icmp_msgs_per_sec` with a burst, both families
 * together (icmp_global_allow). Approximated: Linux lets a message cost the global bucket a random 0 to 2.
 */
import { type Engine, type Ns, SECOND } from "@podwire/engine"

const BURST = 6
/** Destinations remembered at the most; the oldest is forgotten then, in the sender's favour. */
const PEERS_MAX = 4_096
/** A global bucket gets nothing for a shorter while than this (HZ / 50). */
const GLOBAL_STEP_NS = 20_000_000
/** A peer that is new has been silent for a minute (inet_getpeer). */
const NEW_NS = 60 * SECOND
/** ip_rt_error_cost and ip_rt_error_burst. */
const ROUTE_ERROR_NS = SECOND
const ROUTE_ERRORS_NS = 5 * SECOND
/** ip_rt_redirect_load (HZ / 50), ip_rt_redirect_number and ip_rt_redirect_silence. */
const REDIRECT_LOAD_NS = 20_000_000
const REDIRECTS_MAX = 9
const REDIRECT_SILENCE_NS = REDIRECT_LOAD_NS * 1024

/** What is remembered of one address (struct inet_peer). */
interface Peer {
  tokensNs: Ns
  lastNs: Ns
  redirects: number
}

export class RateLimit {
  readonly #engine: Engine
  readonly #peers = new Map<string | number, Peer>()

  constructor(engine: Engine) {
    this.#engine = engine
  }

  /** A message each `everyMs`, six at once after a silence. */
  allow(address: string | number, everyMs: number): boolean {
    const everyNs = everyMs * 1_000_000
    return this.#take(this.#peer(address), everyNs, BURST * everyNs)
  }

  /** A packet from there has no route: is that worth an error (ip_error)? */
  allowRouteError(address: number): boolean {
    return this.#take(this.#peer(address), ROUTE_ERROR_NS, ROUTE_ERRORS_NS)
  }

  /** Ever more rarely to a host that does not listen, and again after 20 seconds of silence (ip_rt_send_redirect). */
  allowRedirect(address: number): boolean {
    const peer = this.#peer(address)
    const nowNs = this.#engine.nowNs
    if (nowNs - peer.lastNs > REDIRECT_SILENCE_NS) {
      peer.tokensNs = 0
      peer.redirects = 0
    }
    if (peer.redirects >= REDIRECTS_MAX) {
      peer.lastNs = nowNs
      return false
    }
    const pauseNs = peer.redirects === 0 ? -1 : REDIRECT_LOAD_NS * 2 ** peer.redirects
    if (nowNs - peer.lastNs <= pauseNs) return false
    peer.lastNs = nowNs
    peer.redirects++
    return true
  }

  #take(peer: Peer, costNs: Ns, mostNs: Ns): boolean {
    const nowNs = this.#engine.nowNs
    // Time fills the bucket, and its cap is applied, only when some has passed.
    if (nowNs > peer.lastNs) peer.tokensNs = Math.min(mostNs, peer.tokensNs + nowNs - peer.lastNs)
    peer.lastNs = nowNs
    if (peer.tokensNs < costNs) return false
    peer.tokensNs -= costNs
    return true
  }

  #peer(address: string | number): Peer {
    let peer = this.#peers.get(address)
    if (peer === undefined) {
      if (this.#peers.size >= PEERS_MAX) this.#forgetOldest()
      peer = { tokensNs: 0, lastNs: this.#engine.nowNs - NEW_NS, redirects: 0 }
      this.#peers.set(address, peer)
    }
    return peer
  }

  #forgetOldest(): void {
    for (const oldest of this.#peers.keys()) {
      this.#peers.delete(oldest)
      return
    }
  }
}

/** One for a namespace. */
export class GlobalLimit {
  readonly #engine: Engine
  #credit = 0
  #stampNs: Ns = -Infinity

  constructor(engine: Engine) {
    this.#engine = engine
  }

  /** Asked first; a message that then fails at its peer's bucket costs nothing here. */
  hasCredit(perSecond: number, burst: number): boolean {
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

  consume(): void {
    if (this.#credit > 0) this.#credit--
  }
}
