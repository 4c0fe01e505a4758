/**
 * Local ports: who may share one (inet_csk_bind_conflict), which one is free for whoever does not care
 * (inet_csk_find_open_port, __inet_hash_connect; RFC 6056).
 */
import { Errno } from "@podwire/netdev"
import { equal, type Ip } from "@podwire/wire/ip"
import { State } from "./state.ts"

/** Anything that holds a port: a socket, a connection without one, or what rests in TIME_WAIT. */
export interface Holder {
  readonly family: 4 | 6
  readonly v6only: boolean
  readonly reuseAddr: boolean
  /** Null is every address. */
  readonly local: Ip | null
  readonly state: State
}

export class BoundPort {
  readonly port: number
  readonly holders: Array<Holder> = []
  /** Those of them that listen. */
  readonly listeners: Array<Holder> = []
  /** Connects may share it: nobody asked for it by bind (fastreuse below 0). */
  forConnects: boolean

  constructor(port: number, forConnects: boolean) {
    this.port = port
    this.forConnects = forConnects
  }
}

export class Ports {
  readonly #ports = new Map<number, BoundPort>()

  at(port: number): BoundPort | undefined {
    return this.#ports.get(port)
  }

  /** EADDRINUSE when somebody else has it, for a holder that is or is to be in that state. */
  bind(holder: Holder, port: number): Errno {
    const bound = this.#ports.get(port)
    if (bound === undefined) {
      this.take(holder, port)
      return Errno.OK
    }
    if (conflicts(bound, holder, true)) return Errno.EADDRINUSE
    if (!holder.reuseAddr) bound.forConnects = false
    bound.holders.push(holder)
    return Errno.OK
  }

  /** Whoever it conflicts with. */
  take(holder: Holder, port: number, forConnects = false): BoundPort {
    let bound = this.#ports.get(port)
    if (bound === undefined) {
      bound = new BoundPort(port, forConnects)
      this.#ports.set(port, bound)
    }
    bound.holders.push(holder)
    return bound
  }

  release(holder: Holder, bound: BoundPort): void {
    const at = bound.holders.indexOf(holder)
    if (at < 0) return
    const last = bound.holders.pop()!
    if (at < bound.holders.length) bound.holders[at] = last
    if (bound.holders.length === 0) this.#ports.delete(bound.port)
  }

  /** Every holder, by port. */
  list(): Array<Holder> {
    return [...this.#ports.values()].sort((a, b) => a.port - b.port).flatMap((bound) => bound.holders)
  }

  /** It is about to be a listener, with whom fewer share. */
  mayListen(holder: Holder, bound: BoundPort): boolean {
    return !conflicts(bound, holder, true)
  }

  /** Another one in its place. */
  hand(from: Holder, to: Holder, bound: BoundPort): void {
    const at = bound.holders.indexOf(from)
    if (at >= 0) bound.holders[at] = to
    else bound.holders.push(to)
  }

  /**
   * bind to port 0 (inet_csk_find_open_port): first those that connect tries last, every other one from `low`
   * on; 0 when there is none. SO_REUSEADDR shares none of these.
   */
  free(holder: Holder, low: number, high: number, start: number): number {
    for (const parity of [1, 0]) {
      const first = low + parity
      const count = Math.floor((high - first) / 2) + 1
      for (let i = 0; i < count; i++) {
        const port = first + 2 * ((start + i) % count)
        const bound = this.#ports.get(port)
        if (bound === undefined || !conflicts(bound, holder, false)) return port
      }
    }
    return 0
  }

  close(): void {
    this.#ports.clear()
  }
}

function conflicts(bound: BoundPort, holder: Holder, mayShare: boolean): boolean {
  const { holders } = bound
  for (let i = 0; i < holders.length; i++) {
    const other = holders[i]!
    if (other === holder || !overlap(other, holder)) continue
    const shares = mayShare && other.reuseAddr && holder.reuseAddr
    if (!shares || other.state === State.LISTEN) return true
  }
  return false
}

/** Two holders want packets for the same address (inet_rcv_saddr_equal). */
function overlap(a: Holder, b: Holder): boolean {
  if (a.local !== null && b.local !== null) return equal(a.local, b.local)
  const wild = a.local === null ? a : b
  const other = a.local === null ? b : a
  const otherFamily = other.local === null ? other.family : other.local.length === 1 ? 4 : 6
  if (wild.family === otherFamily) return true
  // An IPv6 wildcard counts for IPv4 unless it is v6only; so does another wildcard.
  return wild.family === 6 ? !wild.v6only : other.local === null && !other.v6only
}
