import { HostLocal, MemoryStore } from "@podwire/cni"
import { Prng } from "@podwire/engine"
import { format, type Ip } from "@podwire/wire/ip"
import { expect, it } from "vitest"
import { held, ip, leaseStoreLaws, range } from "./lease-store.laws.ts"

/** Says no to free addresses, breaks now and then, and points anywhere. */
class HostileStore extends MemoryStore {
  readonly #prng: Prng

  constructor(seed: number) {
    super()
    this.#prng = new Prng(seed, "hostile")
  }

  override reserve(id: string, ifname: string, address: Ip, set: number): boolean | string {
    const draw = this.#prng.below(10)
    if (draw < 2) return false
    return draw === 2 ? "write /leases: no space left on device" : super.reserve(id, ifname, address, set)
  }

  override lastReserved(set: number): Ip | null {
    const lies = [null, ip("10.9.0.6"), ip("fd00::7"), ip("192.0.2.1"), ip("10.9.0.0"), super.lastReserved(set)]
    return lies[this.#prng.below(lies.length)]!
  }
}

leaseStoreLaws("memory", () => ({ store: new MemoryStore(), close: () => {} }), 150)
leaseStoreLaws("hostile", () => ({ store: new HostileStore(5), close: () => {} }), 150, false)

it("a store that breaks is the error, and what the sets before it gave goes back", () => {
  class Full extends MemoryStore {
    override reserve(id: string, ifname: string, address: Ip, set: number): boolean | string {
      return set === 1 ? "open /leases/fd00::2: no space left on device" : super.reserve(id, ifname, address, set)
    }
  }
  const store = new Full()
  const ipam = new HostLocal([[range("10.0.0.0/24")], [range("fd00::/64")]], store)
  expect(ipam.add("a", "eth0"))
    .toBe("failed to allocate for range 1: open /leases/fd00::2: no space left on device")
  expect(held(store)).toEqual([])
  expect(format(store.lastReserved(0)!)).toBe("10.0.0.2")
})

it("fifty thousand leases cost no more each than the first thousand", () => {
  const store = new MemoryStore()
  const ipam = new HostLocal([[range("10.0.0.0/15")]], store)
  for (let i = 0; i < 50_000; i++) expect(typeof ipam.add(`c${i}`, "eth0")).toBe("object")
  for (let i = 0; i < 50_000; i++) ipam.del(`c${i}`, "eth0")
  expect(store.size).toBe(0)
}, 5_000)
