/**
 * host-local: one address from each range set, the next after the last one reserved, around and around,
 * gateways skipped (plugins/ipam/host-local/backend/allocator/allocator.go). A freed address therefore
 * comes back only after the whole set went by.
 * Not supported yet: requested addresses, runtimeConfig.ipRanges, the store on disk.
 */
import { compare, equal, format, type Ip, next } from "@podwire/wire/ip"
import type { LeaseStore } from "./lease-store.ts"
import { formatSet, includes, type Range } from "./range.ts"

export type RangeSet = ReadonlyArray<Range>

export interface Allocation {
  readonly ip: Ip
  readonly range: Range
}

export class HostLocal {
  readonly #sets: ReadonlyArray<RangeSet>
  readonly #store: LeaseStore

  constructor(sets: ReadonlyArray<RangeSet>, store: LeaseStore) {
    this.#sets = sets
    this.#store = store
  }

  /** ADD: an address of every set, or the plugin's error text and nothing held. */
  add(id: string, ifname: string): ReadonlyArray<Allocation> | string {
    const got: Array<Allocation> = []
    for (const [index, set] of this.#sets.entries()) {
      const held = this.#store.held(id, ifname).find((text) =>
        set.some((range) => format(range.start).includes(":") === text.includes(":")) &&
        !got.some(({ ip }) => format(ip) === text))
      const allocation = held === undefined ? this.#draw(id, ifname, set, index)
        : `${held} has been allocated to ${id}, duplicate allocation is not allowed`
      if (typeof allocation === "string") {
        if (held === undefined) this.#store.release(id, ifname)
        return `failed to allocate for range ${index}: ${allocation}`
      }
      got.push(allocation)
    }
    return got
  }

  /** DEL: whatever is held; nothing held is no error. */
  del(id: string, ifname: string): void {
    this.#store.release(id, ifname)
  }

  /** CHECK: something is held; which address does not matter. */
  check(id: string, ifname: string): boolean {
    return this.#store.held(id, ifname).length > 0
  }

  #draw(id: string, ifname: string, set: RangeSet, index: number): Allocation | string {
    const last = this.#store.lastReserved(index)
    const from = last === null ? -1 : set.findIndex((range) => includes(range, last))
    // Behind the pointer first, then everything from the start up to it.
    const first = from < 0 ? 0 : from
    const begin = from < 0 ? set[0]!.start : last!
    let at = from >= 0 && !equal(begin, set[first]!.end) ? next(begin, 1) : null
    let range = first
    if (from < 0) at = begin
    else if (at === null) {
      range = (first + 1) % set.length
      at = set[range]!.start
    }
    const stop = at
    for (;;) {
      if (!equal(at, set[range]!.gateway) && this.#store.reserve(id, ifname, at, index)) {
        return { ip: at, range: set[range]! }
      }
      if (compare(at, set[range]!.end) >= 0) {
        range = (range + 1) % set.length
        at = set[range]!.start
      } else at = next(at, 1)
      if (equal(at, stop)) return `no IP addresses available in range set: ${formatSet(set)}`
    }
  }
}
