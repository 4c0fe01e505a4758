/**
 * host-local: one address from each range set, the next after the last one reserved, around and around,
 * gateways skipped (plugins/ipam/host-local/backend/allocator/allocator.go). A freed address therefore
 * comes back only after the whole set went by. A set that can give none takes back what the sets before it
 * gave; the pointers stay where they went.
 */
import { equal, format, type Ip, next } from "@podwire/wire/ip"
import type { LeaseStore } from "./lease-store.ts"
import { capacity, formatSet, includes, type Range, type RangeSet } from "./range.ts"

export interface Allocation {
  readonly ip: Ip
  readonly range: Range
}

export interface Attachment {
  readonly containerId: string
  readonly ifName: string
}

export class HostLocal {
  readonly #sets: ReadonlyArray<RangeSet>
  readonly #store: LeaseStore

  constructor(sets: ReadonlyArray<RangeSet>, store: LeaseStore) {
    this.#sets = sets
    this.#store = store
  }

  /** ADD: an address of every set, the wanted ones where they fit, or the plugin's error text. */
  add(id: string, ifname: string, wanted: ReadonlyArray<Ip> = []): ReadonlyArray<Allocation> | string {
    const got: Array<Allocation> = []
    // Asked for twice is asked for once.
    let open = wanted.filter((ip, i) => wanted.findIndex((other) => equal(ip, other)) === i)
    for (const [index, set] of this.#sets.entries()) {
      const requested = open.find((ip) => set.some((range) => includes(range, ip))) ?? null
      if (requested !== null) open = open.filter((ip) => ip !== requested)
      const allocation = this.#get(id, ifname, set, index, requested)
      if (typeof allocation === "string") {
        for (let i = 0; i < got.length; i++) this.#store.release(id, ifname)
        return `failed to allocate for range ${index}: ${allocation}`
      }
      got.push(allocation)
    }
    if (open.length === 0) return got
    this.del(id, ifname)
    return `failed to allocate all requested IPs: ${open.map(format).join(" ")}`
  }

  /**
   * DEL: whatever is held; nothing held is no error. Once for every set, as the real plugin does it: the
   * second time finds the leases of old plugins, which name no interface.
   */
  del(id: string, ifname: string): void {
    for (let i = 0; i < this.#sets.length; i++) this.#store.release(id, ifname)
  }

  /** CHECK: something is held; which address does not matter. */
  check(id: string, ifname: string): boolean {
    return this.#store.held(id, ifname).length > 0
  }

  /** GC: leases of attachments that nobody has any more. */
  gc(valid: ReadonlyArray<Attachment>): void {
    // An old lease names no interface, any of its container's keeps it.
    const keep = new Set(valid.flatMap(({ containerId, ifName }) =>
      [`${containerId}\n${ifName}`, `${containerId}\n`]))
    for (const { id, ifname } of this.#store.leases()) {
      if (!keep.has(`${id}\n${ifname}`)) this.#store.release(id, ifname)
    }
  }

  /** STATUS: the set that can give no more addresses, if there is one. */
  exhausted(): RangeSet | null {
    const leases = this.#store.leases()
    for (const set of this.#sets) {
      const total = capacity(set)
      if (total > leases.length) continue
      const taken = leases.filter(({ ip }) =>
        set.some((range) => includes(range, ip) && !equal(range.gateway, ip)))
      if (taken.length >= total) return set
    }
    return null
  }

  #get(id: string, ifname: string, set: RangeSet, index: number, requested: Ip | null): Allocation | string {
    if (requested !== null) {
      const range = set.find((one) => includes(one, requested))!
      const text = format(requested)
      if (equal(requested, range.gateway)) return `requested ip ${text} is subnet's gateway`
      const reserved = this.#store.reserve(id, ifname, requested, index)
      if (typeof reserved === "string") return reserved
      if (reserved) return { ip: requested, range }
      return `requested IP address ${text} is not available in range set ${formatSet(set)}`
    }
    for (const ip of this.#store.held(id, ifname)) {
      if (!set.some((range) => includes(range, ip))) continue
      return `${format(ip)} has been allocated to ${id}, duplicate allocation is not allowed`
    }
    return this.#draw(id, ifname, set, index)
  }

  /** RangeIter: behind the pointer first, then everything from the start up to it. */
  #draw(id: string, ifname: string, set: RangeSet, index: number): Allocation | string {
    const last = this.#store.lastReserved(index)
    const from = last === null ? -1 : set.findIndex((range) => includes(range, last))
    let at = from < 0 ? 0 : from
    let ip = set[at]!.start
    const step = () => {
      // Equal, as in the real code: a start behind the end runs out of its subnet rather than out.
      if (!equal(ip, set[at]!.end)) ip = next(ip, 1)
      else {
        at = (at + 1) % set.length
        ip = set[at]!.start
      }
    }
    if (from >= 0) {
      ip = last!
      step()
    }
    const stop = ip
    do {
      if (!equal(ip, set[at]!.gateway)) {
        const reserved = this.#store.reserve(id, ifname, ip, index)
        if (typeof reserved === "string") return reserved
        if (reserved) return { ip, range: set[at]! }
      }
      step()
    } while (!equal(ip, stop))
    return `no IP addresses available in range set: ${formatSet(set)}`
  }
}
