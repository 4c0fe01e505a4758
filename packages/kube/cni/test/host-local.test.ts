import { canonicalize, HostLocal, MemoryStore, type Range } from "@podwire/cni"
import { parse as cidr } from "@podwire/wire/cidr"
import { format, parse as ip } from "@podwire/wire/ip"
import fc from "fast-check"
import { expect, it } from "vitest"

const range = (subnet: string, start?: string, end?: string): Range => {
  const made = canonicalize({
    subnet: cidr(subnet)!, ...(start ? { rangeStart: ip(start)! } : {}), ...(end ? { rangeEnd: ip(end)! } : {})
  })
  if (typeof made === "string") throw new Error(made)
  return made
}

it("draws behind the last reserved address, so a freed one comes back only after the range went by", () => {
  const store = new MemoryStore()
  const ipam = new HostLocal([[range("10.1.2.0/29")]], store)
  const add = (id: string) => {
    const got = ipam.add(id, "eth0")
    return typeof got === "string" ? got : got.map((allocation) => format(allocation.ip)).join(",")
  }
  expect(["a", "b", "c"].map(add)).toEqual(["10.1.2.2", "10.1.2.3", "10.1.2.4"])
  ipam.del("b", "eth0")
  ipam.del("b", "eth0")
  expect(["d", "e", "f"].map(add)).toEqual(["10.1.2.5", "10.1.2.6", "10.1.2.3"])
  expect(add("g")).toBe("failed to allocate for range 0: no IP addresses available in range set: 10.1.2.1-10.1.2.6")
  expect(add("a")).toBe("failed to allocate for range 0: 10.1.2.2 has been allocated to a, duplicate allocation is not allowed")
  expect(ipam.check("a", "eth0")).toBe(true)
})

it("gives one address of each set, and nothing when one of them is exhausted", () => {
  const store = new MemoryStore()
  const ipam = new HostLocal([[range("10.1.2.0/24")], [range("fd00::/120", "fd00::5", "fd00::5")]], store)
  expect((ipam.add("a", "eth0") as ReadonlyArray<{ ip: Int32Array }>).map((x) => format(x.ip))).toEqual(["10.1.2.2", "fd00::5"])
  expect(ipam.add("b", "eth0")).toBe("failed to allocate for range 1: no IP addresses available in range set: fd00::5-fd00::5")
  expect(store.size).toBe(2)
})

it.each([
  ["10.0.0.0/31", "Network 10.0.0.0/31 too small to allocate from"],
  ["fd00::1/128", "Network fd00::1/128 too small to allocate from"],
  ["10.0.0.5/24", "Network has host bits set. For a subnet mask of length 24 the network address is 10.0.0.0"]
])("refuses %s", (subnet, why) => {
  expect(canonicalize({ subnet: cidr(subnet)! })).toBe(why)
})

it("a wanted address moves the pointer, and what nobody has room for undoes the rest", () => {
  const store = new MemoryStore()
  const ipam = new HostLocal([[range("10.1.2.0/24")], [range("fd00::/64")]], store)
  const add = (id: string, ...wanted: ReadonlyArray<string>) => {
    const got = ipam.add(id, "eth0", wanted.map((text) => ip(text)!))
    return typeof got === "string" ? got : got.map((allocation) => format(allocation.ip)).join(",")
  }
  expect(add("a", "10.1.2.77", "fd00::7")).toBe("10.1.2.77,fd00::7")
  expect(add("b")).toBe("10.1.2.78,fd00::8")
  expect(add("c", "10.1.2.77")).toBe(
    "failed to allocate for range 0: requested IP address 10.1.2.77 is not available in range set 10.1.2.1-10.1.2.254")
  expect(add("c", "fd00::1")).toBe("failed to allocate for range 1: requested ip fd00::1 is subnet's gateway")
  expect(add("c", "10.9.9.9", "10.1.2.5", "10.1.2.6"))
    .toBe("failed to allocate all requested IPs: 10.9.9.9 10.1.2.6")
  expect(store.size).toBe(4)
  expect(add("d")).toBe("10.1.2.6,fd00::a")
})

it("draws as a model that walks the whole ring draws", () => {
  // 10.9.0.1 and 10.9.1.1 are gateways.
  const ring = ["10.9.0.2", "10.9.0.3", "10.9.0.4", "10.9.0.5", "10.9.0.6", "10.9.1.2"]
  const step = fc.record({ id: fc.nat({ max: 9 }), what: fc.constantFrom("add", "add", "del") })
  fc.assert(fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
    const ipam = new HostLocal([[range("10.9.0.0/29"), range("10.9.1.0/30")]], new MemoryStore())
    const owners = new Map<string, string>()
    let last = -1
    for (const { id: number, what } of steps) {
      const id = `c${number}`
      const mine = [...owners].find(([, owner]) => owner === id)
      if (what === "del") {
        ipam.del(id, "eth0")
        if (mine !== undefined) owners.delete(mine[0])
        continue
      }
      const got = ipam.add(id, "eth0")
      if (mine !== undefined) {
        expect(got).toBe(
          `failed to allocate for range 0: ${mine[0]} has been allocated to ${id}, duplicate allocation is not allowed`)
        continue
      }
      const expected = [...ring.keys()].map((i) => (last + 1 + i) % ring.length).find((i) => !owners.has(ring[i]!))
      if (expected === undefined) {
        expect(got).toMatch(/no IP addresses available in range set: 10.9.0.1-10.9.0.6,10.9.1.1-10.9.1.2$/)
        continue
      }
      expect(typeof got === "string" ? got : format(got[0]!.ip)).toBe(ring[expected])
      owners.set(ring[expected]!, id)
      last = expected
    }
  }), { seed: 7, numRuns: 300 })
})
