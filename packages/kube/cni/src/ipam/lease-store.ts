/** Where reservations are kept: policy is apart from it, so that disk and memory obey one allocator. */
import { format, type Ip } from "@podwire/wire/ip"

export interface LeaseStore {
  /** False when the address is taken; else it is ours and the set's pointer has moved to it. */
  reserve(id: string, ifname: string, ip: Ip, set: number): boolean
  /** The address last reserved from a range set; it survives releases. */
  lastReserved(set: number): Ip | null
  release(id: string, ifname: string): void
  held(id: string, ifname: string): ReadonlyArray<string>
}

export class MemoryStore implements LeaseStore {
  readonly #leases = new Map<string, { readonly id: string; readonly ifname: string }>()
  readonly #last = new Map<number, Ip>()

  get size(): number {
    return this.#leases.size
  }

  reserve(id: string, ifname: string, ip: Ip, set: number): boolean {
    const key = format(ip)
    if (this.#leases.has(key)) return false
    this.#leases.set(key, { id, ifname })
    this.#last.set(set, ip)
    return true
  }

  lastReserved(set: number): Ip | null {
    return this.#last.get(set) ?? null
  }

  release(id: string, ifname: string): void {
    for (const key of this.held(id, ifname)) this.#leases.delete(key)
  }

  held(id: string, ifname: string): ReadonlyArray<string> {
    return [...this.#leases].filter(([, lease]) => lease.id === id && lease.ifname === ifname).map(([key]) => key)
  }
}
