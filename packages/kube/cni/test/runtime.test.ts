import { CniError, LOOPBACK_NETWORK, type NetworkConfig } from "@podwire/cni"
import type { Bridge } from "@podwire/netdev"
import { DEFAULT4 } from "@podwire/netns"
import { parse as cidr } from "@podwire/wire/cidr"
import fc from "fast-check"
import { expect, it } from "vitest"
import { bridgeNetwork, network, picture, ptpNetwork, wholePicture, World } from "./world.ts"

const id = { containerId: "c1", ifName: "eth0" }

it("ptp makes what the real plugin makes (compared on Linux with plugins 1.9)", () => {
  const world = new World()
  const { pod, result } = world.add(ptpNetwork(), "c1")
  const end = result.interfaces[0]!.name
  world.settle()
  expect(picture(world.host).replaceAll(end, "vethX").split("\n").slice(3).join("\n").replace(/[0-9a-f:]{17}/, "MAC")
    .replace(/fe80::[0-9a-f:]+\/64 link\n {4}/, "")).toBe(`\
vethX: up mtu 1400 MAC
    10.244.1.1/32 global
    fd00:1::1/128 global
10.244.1.2/32 dev vethX scope host
${world.host.routes(6).some((route) => route.dst.bits === 128 && route.dst.ip[3] === 1) ? "fd00:1::1/128 dev vethX scope link\n" : ""}\
fd00:1::2/128 dev vethX scope host
fe80::/64 dev vethX scope link
`)
  expect(picture(pod).split("\n").filter((line) => line.includes("dev eth0")).join("\n")).toBe(`\
0.0.0.0/0 via 10.244.1.1 dev eth0 scope global
10.244.1.0/24 via 10.244.1.1 dev eth0 scope global src 10.244.1.2
10.244.1.1/32 dev eth0 scope link src 10.244.1.2
::/0 via fd00:1::1 dev eth0 scope global
fd00:1::/64 via fd00:1::1 dev eth0 scope global src fd00:1::2
fd00:1::1/128 dev eth0 scope link src fd00:1::2
fe80::/64 dev eth0 scope link`)
  expect(world.cni.check(ptpNetwork(), id)).toBe(null)
})

it("the loopback network brings lo up, and hands on what was before it", () => {
  const world = new World()
  const pod = world.pod("c1")
  const alone = { ...LOOPBACK_NETWORK, cniVersion: "1.0.0" }
  const result = world.cni.add(alone, { containerId: "c1", ifName: "lo", netns: pod })
  expect(result instanceof CniError ? result : result.interfaces)
    .toEqual([{ name: "lo", mac: "00:00:00:00:00:00", mtu: 0, sandbox: "/var/run/netns/c1" }])
  expect(picture(pod)).toBe("lo: up mtu 65536 00:00:00:00:00:00\n    127.0.0.1/8 host\n    ::1/128 host\n")
  expect(world.cni.check(alone, { containerId: "c1", ifName: "lo" })).toBe(null)
  const chained = bridgeNetwork({}, {}, { type: "loopback" })
  expect(world.add(chained, "c2").result.interfaces.length).toBe(3)
  pod.setDown(pod.lo)
  expect(String(world.cni.check(alone, { containerId: "c1", ifName: "lo" }))).toBe("loopback interface is down")
})

it("refuses a second ADD until DEL, names that are none, and a list whose first plugin makes nothing", () => {
  const world = new World()
  const pods = bridgeNetwork()
  const { pod } = world.add(pods, "c1")
  const add = (of: NetworkConfig, containerId: string, ifName: string) => {
    const answer = world.cni.add(of, { containerId, ifName, netns: world.pod("other") })
    return answer instanceof CniError ? `${answer.code} ${answer}` : "added"
  }
  expect(add(pods, "c1", "eth0")).toBe("999 container \"c1\" is on network \"pods\" with \"eth0\" already: DEL comes before another ADD")
  expect(world.cni.check(pods, id)).toBe(null)
  expect(add(pods, "c1", "eth1")).toBe("added")
  expect(add(pods, "default/web-0", "eth0")).toBe("4 invalid characters in containerID; default/web-0")
  expect(add(pods, "c3", "sixteen-letters-")).toBe("4 interface name is too long; interface name should be less than 16 characters")
  const portmap = network({ cniVersion: "1.0.0", name: "x", plugins: [{ type: "portmap" }] })
  expect(add(portmap, "c4", "eth0")).toBe("7 plugin type=\"portmap\" failed (add): \"portmap\" is not modelled and cannot " +
    "make an interface; put \"bridge\" or \"ptp\" before it: hostPort is not forwarded")
  expect(world.cni.del(pods, id)).toBe(null)
  world.add(pods, "c1", pod)
  expect(world.leases("pods")).toBe("10.244.1.3 c1 eth1\n10.244.1.4 c1 eth0\nfd00:1::3 c1 eth1\nfd00:1::4 c1 eth0\n")
})

it.each<readonly [string, (world: World) => NetworkConfig, RegExp]>([
  ["an exhausted range", () => bridgeNetwork({ ipam: { type: "host-local", ranges: [[{ subnet: "10.244.1.0/24" }], [{ subnet: "fd00:1::/64", rangeStart: "fd00:1::1", rangeEnd: "fd00:1::1" }]] } }),
    /failed to allocate for range 1: no IP addresses available in range set: fd00:1::1-fd00:1::1$/],
  ["a route over nothing", () => bridgeNetwork({ ipam: { type: "host-local", subnet: "10.244.1.0/24", routes: [{ dst: "10.0.0.0/8", gw: "192.0.2.1" }] } }),
    /failed to add route '10.0.0.0\/8 via 192.0.2.1 dev eth0 metric 0 \(Scope: universe, Table: 0\)': network is unreachable$/],
  ["an address that the bridge cannot take", () => bridgeNetwork({ ipam: { type: "host-local", subnet: "10.9.0.0/24" } }, { name: "other" }), /already has an IP address different from 10.9.0.1\/24$/],
  ["a resolv.conf that is not there", () => bridgeNetwork({ ipam: { type: "host-local", subnet: "10.244.1.0/24", resolvConf: "/etc/none" } }), /open \/etc\/none: no such file or directory$/],
  ["a second plugin of the list", () => bridgeNetwork({}, {}, { type: "bridge", bridge: "cni0", ipam: { type: "host-local", subnet: "10.9.0.0/24" } }),
    /container veth name \("eth0"\) peer provided \("veth[0-9a-f]{8}"\) already exists$/],
  ["a second range that is too short", () => bridgeNetwork({ ipam: { type: "host-local", subnet: "10.244.1.0/24", ranges: [[{ subnet: "10.244.2.0/24", rangeStart: "10.244.2.1", rangeEnd: "10.244.2.1" }]] } }), /no IP addresses available/]
])("an ADD that fails leaves nothing: %s", (_what, make, why) => {
  const world = new World()
  world.add(bridgeNetwork(), "there")
  world.settle()
  const before = wholePicture(world.host)
  const pod = world.pod("c1")
  const emptyPod = wholePicture(pod)
  const failed = world.cni.add(make(world), { ...id, netns: pod })
  expect(String(failed)).toMatch(why)
  world.settle()
  expect(wholePicture(world.host)).toBe(before)
  expect(wholePicture(pod)).toBe(emptyPod)
  expect(world.leases("pods")).toBe("10.244.1.2 there eth0\nfd00:1::2 there eth0\n")
  expect(world.leases("other")).toBe("")
  expect(world.cni.attachments().map(({ containerId }) => containerId)).toEqual(["there"])
})

it.each([["bridge", bridgeNetwork()], ["ptp", ptpNetwork()]] as const)("DEL of %s may come twice, late and without anything", (_type, pods) => {
  const world = new World()
  world.add(pods, "first")
  world.settle()
  const before = wholePicture(world.host)
  const gone: ReadonlyArray<(pod: ReturnType<World["pod"]>) => unknown> = [
    () => world.cni.del(pods, id),
    () => world.cni.del(pods, { ...id, netns: null }),
    (pod) => {
      pod.destroy()
      return world.cni.del(pods, id)
    },
    (pod) => {
      pod.destroy()
      return world.cni.del(pods, { ...id, netns: null })
    },
    (pod) => world.cni.del(pods, { ...id, netns: pod })
  ]
  for (const del of gone) {
    const { pod } = world.add(pods, "c1")
    world.settle()
    expect(wholePicture(world.host)).not.toBe(before)
    expect(del(pod)).toBe(null)
    expect(del(pod)).toBe(null)
    expect(world.cni.del(pods, { ...id, netns: null })).toBe(null)
    world.settle()
    expect(wholePicture(world.host)).toBe(before)
    expect(world.leases("pods")).toBe("10.244.1.2 first eth0\nfd00:1::2 first eth0\n")
  }
  expect(world.cni.del(pods, { containerId: "never", ifName: "eth0" })).toBe(null)
})

it("CHECK says what has gone", () => {
  const pods = bridgeNetwork()
  const after = (change: (world: World, pod: ReturnType<World["pod"]>, end: string) => void) => {
    const world = new World()
    const { pod, result } = world.add(pods, "c1")
    expect(world.cni.check(pods, id)).toBe(null)
    change(world, pod, result.interfaces[1]!.name)
    return String(world.cni.check(pods, id))
  }
  const eth0 = (pod: ReturnType<World["pod"]>) => pod.links.byName("eth0")!
  expect(after((_, pod) => pod.delAddress(eth0(pod), cidr("10.244.1.2/24")!))).toBe("Failed to match addr 10.244.1.2/24 on interface eth0")
  expect(after((_, pod) => pod.delRoute({ dst: DEFAULT4 }))).toBe("Expected Route {Dst:0.0.0.0/0 GW:10.244.1.1} not found in routing table")
  expect(after((_, pod) => pod.detach(eth0(pod)))).toBe("Interface name eth0 not found")
  expect(after((_, pod) => eth0(pod).setMac(1))).toMatch(/^Interface eth0 Mac .* doesn't match container Mac: 00:00:00:00:00:01$/)
  expect(after((world, _, end) => (world.host.links.byName("cni0") as Bridge).removePort(world.host.links.byName(end)!, world.host)))
    .toBe("CNI veth created for bridge cni0 was not found")
  expect(after((world, _, end) => world.host.detach(world.host.links.byName(end)!))).toMatch(/^Interface name veth[0-9a-f]+ not found$/)
  expect(after((world) => world.host.detach(world.host.links.byName("cni0")!))).toBe("Interface name cni0 not found")
  expect(after((world) => {
    const store = world.cni.leases("pods")
    if (typeof store !== "string") store.release("c1", "eth0")
  })).toBe("host-local: Failed to find address added by container c1")
  const world = new World()
  expect(String(world.cni.check(pods, id))).toBe("host-local: Failed to find address added by container c1")
  expect(world.cni.check(bridgeNetwork({}, { disableCheck: true }), id)).toBe(null)
  expect(String(world.cni.check(bridgeNetwork({}, { cniVersion: "0.3.1" }), id)))
    .toBe("configuration version \"0.3.1\" does not support the CHECK command")
})

it("GC drops what is not in the list: attachments that it knows, and leases that nobody knows", () => {
  const world = new World()
  const pods = bridgeNetwork()
  for (const one of ["a", "b", "c"]) world.add(pods, one)
  const store = world.cni.leases("pods")
  if (typeof store !== "string") store.reserve("lost", "eth0", cidr("10.244.1.99/24")!.ip, 0)
  const off = bridgeNetwork({}, { disableGC: true })
  expect(world.cni.gc(off, [])).toBe(null)
  expect(world.cni.attachments().length).toBe(3)
  expect(world.cni.gc(pods, [{ containerId: "b", ifName: "eth0" }])).toBe(null)
  expect(world.leases("pods")).toBe("10.244.1.3 b eth0\nfd00:1::3 b eth0\n")
  expect(world.host.links.list().length).toBe(3)
  // Before 1.1.0 plugins are not asked, what the runtime knows goes all the same.
  world.add(pods, "d")
  expect(world.cni.gc(bridgeNetwork({}, { cniVersion: "1.0.0" }), [])).toBe(null)
  expect(world.leases("pods")).toBe("")
})

it("STATUS is 50 when a range has run out, and says nothing before 1.1.0", () => {
  const world = new World()
  const ipam = { type: "host-local", ranges: [[{ subnet: "10.0.0.0/29" }], [{ subnet: "fd00::/64" }]] }
  const pods = bridgeNetwork({ ipam })
  for (const one of ["a", "b", "c", "d"]) world.add(pods, one)
  expect(world.cni.status(pods)).toBe(null)
  world.add(pods, "e")
  expect(world.cni.status(pods)).toEqual(new CniError(50, "no IP addresses available in range set: 10.0.0.1-10.0.0.6"))
  expect(world.cni.status(bridgeNetwork({ ipam }, { cniVersion: "1.0.0" }))).toBe(null)
  expect(world.cni.version().cniVersion).toBe("1.1.0")
})

it("hands capabilities only to plugins that declare them, and CNI_ARGS to all", () => {
  const given = (capabilities: object, args = "") => {
    const world = new World()
    const pods = bridgeNetwork({ capabilities })
    const capabilityArgs = { ips: ["10.244.1.50", "fd00:1::50"], ipRanges: [[{ subnet: "10.7.0.0/24" }]] }
    const result = world.cni.add(pods, { ...id, netns: world.pod("c1"), capabilityArgs, args })
    if (result instanceof CniError) return String(result)
    expect(world.cni.del(pods, id)).toBe(null)
    expect(world.leases("pods")).toBe("")
    return result.ips.map(({ address }) => `${address.ip.length === 1 ? "v4" : "v6"} ${address.ip.at(-1)! & 0xffff}`).join(" ")
  }
  expect(given({})).toBe("v4 258 v6 2")
  expect(given({ ips: true, ipRanges: false })).toBe("v4 306 v6 80")
  // Two addresses of IPv4 are two gateways, and the bridge takes one.
  expect(given({ ips: false, ipRanges: true })).toMatch(/"cni0" already has an IP address different from 10.244.1.1\/24$/)
  expect(given({}, "IgnoreUnknown=true;IP=10.244.1.9;K8S_POD_NAME=a")).toBe("v4 265 v6 2")
  expect(given({}, "IgnoreUnknown=1;IP=10.244.9.9")).toBe("plugin type=\"bridge\" failed (add): failed to allocate all requested IPs: 10.244.9.9")
})

it("thousands of pods come and go, and the namespace is as it was", () => {
  const world = new World({ quiet: true })
  const pods = bridgeNetwork({}, {}, { type: "portmap", capabilities: { portMappings: true } })
  world.add(pods, "first")
  const before = wholePicture(world.host)
  const leases = world.leases("pods")
  const alive: Array<string> = []
  for (let i = 0; i < 3_000; i++) {
    world.add(pods, `c${i}`)
    alive.push(`c${i}`)
    if (alive.length > 40) {
      const containerId = alive.splice((i * 7) % alive.length, 1)[0]!
      expect(world.cni.del(pods, { containerId, ifName: "eth0", ...(i % 3 === 0 ? { netns: null } : {}) })).toBe(null)
    }
  }
  for (const containerId of alive) expect(world.cni.del(pods, { containerId, ifName: "eth0" })).toBe(null)
  expect(wholePicture(world.host)).toBe(before)
  expect(world.leases("pods")).toBe(leases)
  expect(world.cni.attachments().length).toBe(1)
})

it("whatever verbs come in whatever order, nothing is held by nobody", () => {
  const verb = fc.record({
    what: fc.constantFrom("add", "add", "del", "destroy", "gc", "check"), which: fc.nat({ max: 7 }), ptp: fc.boolean()
  })
  fc.assert(fc.property(fc.array(verb, { maxLength: 40 }), (verbs) => {
    const world = new World({ quiet: true })
    // The bridge and its MAC stay, so it is there from the start.
    const nets = [bridgeNetwork({ ipam: { type: "host-local", subnet: "10.0.0.0/29" } }), network({
      cniVersion: "1.1.0", name: "points", plugins: [{ type: "ptp", ipam: { type: "host-local", ranges: [[{ subnet: "10.1.0.0/29" }], [{ subnet: "fd00::/64" }]] } }]
    })]
    world.add(nets[0]!, "first")
    world.cni.del(nets[0]!, { containerId: "first", ifName: "eth0" })
    const before = wholePicture(world.host)
    const pods = new Map<string, ReturnType<World["pod"]>>()
    for (const { what, which, ptp } of verbs) {
      const containerId = `c${which}`
      const one = nets[ptp ? 1 : 0]!
      const pod = pods.get(containerId) ?? world.pod(containerId)
      pods.set(containerId, pod)
      const target = { containerId, ifName: "eth0" }
      if (what === "add") world.cni.add(one, { ...target, netns: pod })
      else if (what === "del") expect(world.cni.del(one, target)).toBe(null)
      else if (what === "gc") expect(world.cni.gc(one, [target])).toBe(null)
      else if (what === "check") world.cni.check(one, target)
      else {
        pod.destroy()
        pods.delete(containerId)
      }
      const known = world.cni.attachments().flatMap(({ result }) => result.ips).length
      expect(world.leases("pods").split("\n").length + world.leases("points").split("\n").length - 2).toBe(known)
    }
    for (const one of nets) expect(world.cni.gc(one, [])).toBe(null)
    expect([wholePicture(world.host), world.leases("pods"), world.leases("points")]).toEqual([before, "", ""])
  }), { seed: 9, numRuns: 60 })
})
