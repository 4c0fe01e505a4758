/**
 * What every store of leases owes its allocator, whichever way it keeps them: run against memory, disk, and a
 * store that lies about its pointer and refuses at random.
 */
import { canonicalize, HostLocal, type LeaseStore, type Range } from "@podwire/cni"
import { parse as cidr } from "@podwire/wire/cidr"
import { format, type Ip, parse } from "@podwire/wire/ip"
import fc from "fast-check"
import { expect, it } from "vitest"

export const ip = (text: string): Ip => parse(text)!

export function range(subnet: string, start?: string, end?: string): Range {
  const made = canonicalize({
    subnet: cidr(subnet)!, ...(start ? { rangeStart: ip(start) } : {}), ...(end ? { rangeEnd: ip(end) } : {})
  })
  if (typeof made === "string") throw new Error(made)
  return made
}

export function held(store: LeaseStore): ReadonlyArray<string> {
  return store.leases().map((lease) => `${format(lease.ip)} ${lease.id} ${lease.ifname}`).sort()
}

export interface StoreUnderTest {
  readonly store: LeaseStore
  readonly close: () => void
}

/** `faithful` is false for a store that may refuse a free address and forgets its pointer. */
export function leaseStoreLaws(name: string, make: () => StoreUnderTest, runs: number, faithful = true): void {
  const using = (use: (store: LeaseStore) => void) => {
    const { store, close } = make()
    try {
      use(store)
    } finally {
      close()
    }
  }

  if (faithful) {
    it(`${name}: an address has one owner until it is released; the pointer stays`, () => using((store) => {
      expect(store.lastReserved(0)).toBe(null)
      expect(store.reserve("a", "eth0", ip("10.0.0.2"), 0)).toBe(true)
      expect(store.reserve("b", "eth0", ip("10.0.0.2"), 0)).toBe(false)
      expect(store.reserve("a", "eth0", ip("10.0.0.2"), 1)).toBe(false)
      expect(store.reserve("a", "eth0", ip("fd00::2"), 1)).toBe(true)
      expect(store.reserve("a", "eth1", ip("fd00::a:3"), 1)).toBe(true)
      expect(store.held("a", "eth0").map(format)).toEqual(["10.0.0.2", "fd00::2"])
      expect(held(store)).toEqual(["10.0.0.2 a eth0", "fd00::2 a eth0", "fd00::a:3 a eth1"])
      store.release("a", "eth0")
      store.release("a", "eth0")
      store.release("nobody", "eth0")
      expect(held(store)).toEqual(["fd00::a:3 a eth1"])
      expect(format(store.lastReserved(0)!)).toBe("10.0.0.2")
      expect(format(store.lastReserved(1)!)).toBe("fd00::a:3")
      expect(store.lastReserved(2)).toBe(null)
      expect(store.reserve("b", "eth0", ip("10.0.0.2"), 0)).toBe(true)
    }))
  }

  it(`${name}: no address has two owners, a refused ADD holds nothing, churn leaks nothing`, () => {
    const sets = [[range("10.9.0.0/29"), range("10.9.1.0/30")], [range("fd00::/124", "fd00::5", "fd00::9")]]
    const step = fc.record({ id: fc.nat({ max: 9 }), what: fc.constantFrom("add", "add", "del", "gc") })
    fc.assert(fc.property(fc.array(step, { maxLength: 60 }), (steps) => using((store) => {
      const ipam = new HostLocal(sets, store)
      const model = new Map<string, ReadonlyArray<string>>()
      for (const { id: number, what } of steps) {
        const id = `c${number}`
        if (what === "del") {
          ipam.del(id, "eth0")
          model.delete(id)
        } else if (what === "gc") {
          ipam.gc([{ containerId: id, ifName: "eth0" }])
          for (const other of [...model.keys()]) if (other !== id) model.delete(other)
        } else {
          const got = ipam.add(id, "eth0")
          if (typeof got !== "string") {
            expect(model.has(id)).toBe(false)
            model.set(id, got.map((one) => format(one.ip)))
          } else if (faithful && !model.has(id)) expect(got).toMatch(/no IP addresses available in range set/)
        }
        const expected = [...model].flatMap(([owner, ips]) => ips.map((one) => `${one} ${owner} eth0`)).sort()
        expect(held(store)).toEqual(expected)
        expect(ipam.check(id, "eth0")).toBe(model.has(id))
      }
    })), { seed: 11, numRuns: runs })
  })
}
