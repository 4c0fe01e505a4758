/**
 * What a lookup found, remembered: route, next hop, source address, path MTU and neighbour for one
 * destination (struct dst_entry and rtable). A small direct-mapped cache of them stands in front of
 * the FIB, so that a known destination costs a hash and a compare. An entry is good while neither the
 * FIB nor the addresses have changed since (`generation`).
 */
import type { Ns } from "@podwire/engine"
import type { NetDevice } from "@podwire/netdev"
import type { Ip } from "@podwire/wire/ip"
import type { RouteType } from "./fib.ts"
import type { Neighbour } from "./neigh.ts"

export class Dst {
  readonly ip: Ip
  readonly type: RouteType | "none"
  readonly dev: NetDevice | null
  /** The router, or the destination itself when it is on the link. */
  readonly nextHop: Ip
  readonly gatewayed: boolean
  /** The address that a local packet to it starts from. */
  readonly src: Ip | null
  /** The route's MTU, without what path MTU discovery has learnt; 0 is the device's. */
  readonly routeMtu: number
  /** Bits of the prefix that matched; ICMPv6's rate limit asks. */
  readonly bits: number
  /** What path MTU discovery has learnt, until when, and whether it is below what we believe. */
  learntMtu = 0
  learntUntilNs: Ns = 0
  mtuLocked = false
  /** When a redirect that chose the next hop runs out. */
  untilNs: Ns = Infinity
  generation = 0
  neigh: Neighbour | null = null

  constructor(
    ip: Ip, type: RouteType | "none", dev: NetDevice | null, nextHop: Ip, gatewayed: boolean,
    src: Ip | null, routeMtu: number, bits = 0
  ) {
    this.ip = ip
    this.type = type
    this.dev = dev
    this.nextHop = nextHop
    this.gatewayed = gatewayed
    this.src = src
    this.routeMtu = routeMtu
    this.bits = bits
  }
}

const SLOTS_AT_START = 16
const NOTHING: Array<Dst | null> = [null]
const SLOTS_MAX = 4096

export class DstCache {
  /** One empty slot, shared by all, until the first destination comes. */
  #slots: Array<Dst | null> = NOTHING
  #mask = 0
  #collisions = 0

  /** `generation` is the caller's sum of everything a result depends on. */
  find4(word: number, generation: number): Dst | null {
    const dst = this.#slots[hash4(word) & this.#mask]!
    return dst !== null && dst.generation === generation && dst.ip[0] === word ? dst : null
  }

  find6(w0: number, w1: number, w2: number, w3: number, generation: number): Dst | null {
    const dst = this.#slots[hash(w0, w1, w2, w3) & this.#mask]!
    if (dst === null || dst.generation !== generation) return null
    const ip = dst.ip
    return ip[3] === w3 && ip[2] === w2 && ip[1] === w1 && ip[0] === w0 ? dst : null
  }

  put(dst: Dst, generation: number): void {
    if (this.#slots === NOTHING) {
      this.#slots = new Array<Dst | null>(SLOTS_AT_START).fill(null)
      this.#mask = SLOTS_AT_START - 1
    }
    dst.generation = generation
    const slot = this.#slotOf(dst.ip)
    const old = this.#slots[slot]!
    if (old !== null && old.generation === generation && ++this.#collisions > this.#mask) this.#grow()
    this.#slots[this.#slotOf(dst.ip)] = dst
  }

  clear(): void {
    this.#slots = NOTHING
    this.#mask = 0
  }

  #slotOf(ip: Ip): number {
    const h = ip.length === 1 ? hash4(ip[0]!) : hash(ip[0]!, ip[1]!, ip[2]!, ip[3]!)
    return h & this.#mask
  }

  #grow(): void {
    this.#collisions = 0
    if (this.#mask + 1 >= SLOTS_MAX) return
    const old = this.#slots
    this.#mask = old.length * 4 - 1
    this.#slots = new Array<Dst | null>(this.#mask + 1).fill(null)
    for (const dst of old) if (dst !== null) this.#slots[this.#slotOf(dst.ip)] = dst
  }
}

function hash4(word: number): number {
  const h = Math.imul(word, 0x9e3779b1 | 0)
  return h ^ (h >>> 15)
}

function hash(w0: number, w1: number, w2: number, w3: number): number {
  let h = Math.imul(w0 ^ Math.imul(w1, 0x9e3779b1 | 0), 0x85ebca6b | 0) ^
    Math.imul(w2 ^ Math.imul(w3, 0xc2b2ae35 | 0), 0x27d4eb2f)
  h ^= h >>> 15
  h = Math.imul(h, 0x2c1b3c6d)
  return h ^ (h >>> 13)
}
