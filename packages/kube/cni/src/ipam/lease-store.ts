/**
 * Where reservations are kept: policy is apart from it, so that disk and memory obey one allocator.
 * Invariant of every store: an address has at most one owner, and `reserve` says false rather than share it.
 */
import { format, type Ip } from "@podwire/wire/ip"

export interface Lease {
  readonly ip: Ip
  readonly id: string
  /** Empty in leases of plugins before 0.8, which did not write it. */
  readonly ifname: string
}

export interface LeaseStore {
  /** False when the address is taken; else it is ours and the set's pointer is there. A text: it broke. */
  reserve(id: string, ifname: string, ip: Ip, set: number): boolean | string
  /** The address last reserved from a range set; it survives releases. Whatever cannot be read is null. */
  lastReserved(set: number): Ip | null
  /** Whatever is held goes; nothing held is fine. */
  release(id: string, ifname: string): void
  held(id: string, ifname: string): ReadonlyArray<Ip>
  leases(): ReadonlyArray<Lease>
}

/** In memory, by address and by owner: neither draw nor release looks at anybody else's leases. */
export class MemoryStore implements LeaseStore {
  readonly #leases = new Map<number | string, Lease>()
  readonly #owners = new Map<string, Array<Lease>>()
  readonly #last = new Map<number, Ip>()

  get size(): number {
    return this.#leases.size
  }

  reserve(id: string, ifname: string, ip: Ip, set: number): boolean | string {
    const key = keyOf(ip)
    if (this.#leases.has(key)) return false
    const lease = { ip, id, ifname }
    this.#leases.set(key, lease)
    const owner = ownerOf(id, ifname)
    const others = this.#owners.get(owner)
    if (others === undefined) this.#owners.set(owner, [lease])
    else others.push(lease)
    this.#last.set(set, ip)
    return true
  }

  lastReserved(set: number): Ip | null {
    return this.#last.get(set) ?? null
  }

  release(id: string, ifname: string): void {
    const owner = ownerOf(id, ifname)
    for (const { ip } of this.#owners.get(owner) ?? []) this.#leases.delete(keyOf(ip))
    this.#owners.delete(owner)
  }

  held(id: string, ifname: string): ReadonlyArray<Ip> {
    return (this.#owners.get(ownerOf(id, ifname)) ?? []).map(({ ip }) => ip)
  }

  leases(): ReadonlyArray<Lease> {
    return [...this.#leases.values()]
  }
}

/** An IPv4 address is a number; keys of both families never meet. */
function keyOf(ip: Ip): number | string {
  return ip.length === 1 ? ip[0]! : `${ip[0]},${ip[1]},${ip[2]},${ip[3]}`
}

function ownerOf(id: string, ifname: string): string {
  return `${id}\n${ifname}`
}

/** By address, for people. */
export function formatLeases(store: LeaseStore): string {
  return store.leases().map(({ ip, id, ifname }) => `${format(ip)} ${id} ${ifname}\n`)
    .sort((a, b) => (a < b ? -1 : 1)).join("")
}
