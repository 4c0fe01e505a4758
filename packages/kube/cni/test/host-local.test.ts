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
  ["10.0.0.5/24", "Network has host bits set. For a subnet mask of length 24 the network address is 10.0.0.0/24"]
])("refuses %s", (subnet, why) => {
  expect(canonicalize({ subnet: cidr(subnet)! })).toBe(why)
})

it("no two attachments ever hold one address, and churn leaks nothing", () => {
  const step = fc.record({ id: fc.nat({ max: 30 }), what: fc.constantFrom("add", "add", "del") })
  fc.assert(fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
    const store = new MemoryStore()
    const ipam = new HostLocal([[range("10.9.0.0/28"), range("10.9.1.0/29")]], store)
    const held = new Map<string, string>()
    for (const { id: number, what } of steps) {
      const id = `c${number}`
      if (what === "del") {
        ipam.del(id, "eth0")
        held.delete(id)
        continue
      }
      const got = ipam.add(id, "eth0")
      if (typeof got === "string") expect(held.has(id) || held.size === 13 + 5).toBe(true)
      else {
        const address = format(got[0]!.ip)
        expect([...held.values()]).not.toContain(address)
        held.set(id, address)
      }
    }
    expect(store.size).toBe(held.size)
  }), { seed: 7, numRuns: 200 })
})
