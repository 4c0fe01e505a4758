import { CniError, resultJson } from "@podwire/cni"
import { print } from "@podwire/cni/json"
import { Bridge, Dummy } from "@podwire/netdev"
import * as mac from "@podwire/wire/mac"
import { expect, it } from "vitest"
import { bridgeNetwork, picture, World } from "./world.ts"

it("makes what the real plugin makes (compared on Linux with plugins 1.9), and answers so", () => {
  const world = new World()
  const { pod, result } = world.add(bridgeNetwork({ mtu: 1450 }), "c1")
  world.settle()
  expect(print(resultJson(result, "1.1.0"))).toBe(`\
{
    "cniVersion": "1.1.0",
    "interfaces": [
        {
            "mac": "1a:8e:0f:d8:e2:39",
            "name": "cni0"
        },
        {
            "mac": "a6:85:bb:18:77:5f",
            "name": "veth67e7ebae"
        },
        {
            "mac": "96:47:6a:c8:91:e3",
            "name": "eth0",
            "sandbox": "/var/run/netns/c1"
        }
    ],
    "ips": [
        {
            "address": "10.244.1.2/24",
            "gateway": "10.244.1.1",
            "interface": 2
        },
        {
            "address": "fd00:1::2/64",
            "gateway": "fd00:1::1",
            "interface": 2
        }
    ],
    "routes": [
        {
            "dst": "0.0.0.0/0",
            "gw": "10.244.1.1"
        },
        {
            "dst": "::/0",
            "gw": "fd00:1::1"
        }
    ]
}`)
  expect(picture(world.host)).toBe(`\
lo: up mtu 65536 00:00:00:00:00:00
    127.0.0.1/8 host
    ::1/128 host
cni0: up mtu 1450 1a:8e:0f:d8:e2:39
    fe80::188e:fff:fed8:e239/64 link
    10.244.1.1/24 global
    fd00:1::1/64 global
veth67e7ebae: up mtu 1450 a6:85:bb:18:77:5f master cni0
    fe80::a485:bbff:fe18:775f/64 link
10.244.1.0/24 dev cni0 scope link src 10.244.1.1
fd00:1::/64 dev cni0 scope link
fe80::/64 dev cni0 scope link
fe80::/64 dev veth67e7ebae scope link
`)
  expect(picture(pod)).toBe(`\
lo: down mtu 65536 00:00:00:00:00:00
eth0: up mtu 1450 96:47:6a:c8:91:e3
    10.244.1.2/24 global
    fd00:1::2/64 global
    fe80::9447:6aff:fec8:91e3/64 link
0.0.0.0/0 via 10.244.1.1 dev eth0 scope global
10.244.1.0/24 dev eth0 scope link src 10.244.1.2
::/0 via fd00:1::1 dev eth0 scope global
fd00:1::/64 dev eth0 scope link
fe80::/64 dev eth0 scope link
`)
  const sysctl = (path: string) => world.host.sysctl.get(path)
  expect([sysctl("net.ipv4.ip_forward"), sysctl("net.ipv6.conf.all.forwarding"), sysctl("net/ipv6/conf/cni0/accept_ra"),
    sysctl("net/ipv6/conf/veth67e7ebae/accept_ra"), pod.sysctl.get("net/ipv4/conf/eth0/arp_notify"),
    pod.sysctl.get("net/ipv6/conf/eth0/accept_dad")]).toEqual(["1", "1", "0", "0", "1", "0"])
})

it("takes hairpinMode, portIsolation and enabledad to where they count", () => {
  for (const on of [true, false]) {
    const world = new World()
    const { pod, result } = world.add(bridgeNetwork({ hairpinMode: on, portIsolation: on, enabledad: on }), "c1")
    const bridge = world.host.links.byName("cni0") as Bridge
    const port = bridge.port(world.host.links.byName(result.interfaces[1]!.name)!)!
    expect([port.hairpin, port.isolated, pod.sysctl.get("net/ipv6/conf/eth0/accept_dad")]).toEqual([on, on, on ? "1" : "0"])
  }
})

it("is only layer 2 without IPAM, and leaves the pod's end down when asked", () => {
  for (const disableContainerInterface of [false, true]) {
    const world = new World()
    const { pod, result } = world.add(bridgeNetwork({ ipam: {}, isDefaultGateway: false, disableContainerInterface }), "c1")
    const bridge = world.host.links.byName("cni0")!
    expect([result.ips, result.routes, pod.links.byName("eth0")!.up, world.host.sysctl.get("net.ipv4.ip_forward")])
      .toEqual([[], [], !disableContainerInterface, "0"])
    // Without an address the bridge follows its lowest port.
    expect(bridge.mac).toBe(world.host.links.byName(result.interfaces[1]!.name)!.mac)
  }
})

it("keeps the bridge's MAC from the first address on, whatever ports come", () => {
  const world = new World()
  const layer2 = bridgeNetwork({ ipam: {}, isDefaultGateway: false }, { name: "layer2" })
  const bridge = () => world.host.links.byName("cni0")!
  world.add(layer2, "c1")
  const first = bridge().mac
  const { result } = world.add(bridgeNetwork(), "c2")
  expect(bridge().mac).toBe(first)
  expect(result.interfaces[0]!.mac).toBe(mac.format(first))
  for (let i = 3; i < 20; i++) world.add(layer2, `c${i}`)
  world.cni.del(layer2, { containerId: "c1", ifName: "eth0" })
  expect(bridge().mac).toBe(first)
})

it("has no default route, forwarding or address of its own unless it is the gateway", () => {
  const world = new World()
  const { result } = world.add(bridgeNetwork({ isDefaultGateway: false }), "c1")
  const bridge = world.host.links.byName("cni0")!
  expect([result.routes, world.host.addresses(bridge).filter((one) => one.scope === "global"), world.host.sysctl.get("net.ipv4.ip_forward")])
    .toEqual([[], [], "0"])
})

it("keeps a default route that IPAM has with a gateway of its own", () => {
  const world = new World()
  const ipam = { type: "host-local", subnet: "10.9.0.0/24", routes: [{ dst: "0.0.0.0/0", gw: "10.9.0.200" }, { dst: "10.96.0.0/12", priority: 5 }] }
  const { pod } = world.add(bridgeNetwork({ ipam }), "c1")
  expect(picture(pod).split("\n").filter((line) => line.includes("via"))).toEqual([
    "0.0.0.0/0 via 10.9.0.200 dev eth0 scope global", "10.96.0.0/12 via 10.9.0.1 dev eth0 scope global"
  ])
})

it("refuses another network's address on the bridge, unless forceAddress moves it", () => {
  const other = (forceAddress: boolean) => bridgeNetwork(
    { forceAddress, ipam: { type: "host-local", ranges: [[{ subnet: "10.9.0.0/24" }], [{ subnet: "fd00:9::/64" }]] } }, { name: "other" })
  const world = new World()
  world.add(bridgeNetwork(), "c1")
  const addresses = () => picture(world.host).split("\n").filter((line) => line.endsWith("global")).map((line) => line.trim())
  const failed = world.cni.add(other(false), { containerId: "c2", ifName: "eth0", netns: world.pod("c2") })
  expect(String(failed)).toBe(
    "plugin type=\"bridge\" failed (add): failed to set bridge addr: \"cni0\" already has an IP address different from 10.9.0.1/24")
  expect(addresses()).toEqual(["10.244.1.1/24 global", "fd00:1::1/64 global"])
  world.add(other(true), "c2")
  expect(addresses()).toEqual(["fd00:1::1/64 global", "10.9.0.1/24 global", "fd00:9::1/64 global"])
})

it("takes the MAC that is asked for: capability before args before CNI_ARGS", () => {
  const given = (conf: object, args: string, capabilityArgs: { readonly mac?: string }) => {
    const world = new World()
    const result = world.cni.add(bridgeNetwork({ capabilities: { mac: true }, ...conf }), {
      containerId: "c1", ifName: "eth0", netns: world.pod("c1"), args, capabilityArgs
    })
    return result instanceof CniError ? String(result) : result.interfaces[2]!.mac
  }
  const args = "IgnoreUnknown=1;K8S_POD_NAME=p;MAC=02:00:00:00:00:01"
  const cni = { args: { cni: { mac: "02:00:00:00:00:02" } } }
  expect([
    given({}, args, {}), given(cni, args, {}), given(cni, args, { mac: "02:00:00:00:00:03" }),
    given({ capabilities: {} }, args, { mac: "02:00:00:00:00:03" }), given({}, "", { mac: "red" }), given({}, "K8S_POD_NAME=p", {})
  ]).toEqual([
    "02:00:00:00:00:01", "02:00:00:00:00:02", "02:00:00:00:00:03", "02:00:00:00:00:01",
    "plugin type=\"bridge\" failed (add): failed to make veth pair: address red: invalid MAC address",
    "plugin type=\"bridge\" failed (add): ARGS: unknown args [\"K8S_POD_NAME=p\"]"
  ])
})

it("draws another name when one is taken", () => {
  const world = new World()
  world.host.attach(new Dummy(world.engine, world.pool, "veth67e7ebae", 0x020000000001))
  const { result } = world.add(bridgeNetwork(), "c1")
  expect(result.interfaces[1]!.name).toMatch(/^veth[0-9a-f]{8}$/)
  expect(result.interfaces[1]!.name).not.toBe("veth67e7ebae")
})

it("says what is in its way", () => {
  const world = new World()
  world.host.attach(new Dummy(world.engine, world.pool, "cni0", 0x020000000001))
  const pod = world.pod("c1")
  const add = () => String(world.cni.add(bridgeNetwork(), { containerId: "c1", ifName: "eth0", netns: pod }))
  expect(add()).toBe("plugin type=\"bridge\" failed (add): failed to create bridge \"cni0\": \"cni0\" already exists but is not a bridge")
  world.host.detach(world.host.links.byName("cni0")!)
  pod.attach(new Dummy(world.engine, world.pool, "eth0", 0x020000000002))
  expect(add()).toMatch(/^plugin type="bridge" failed \(add\): container veth name \("eth0"\) peer provided \("veth[0-9a-f]{8}"\) already exists$/)
  expect(pod.links.byName("eth0")).not.toBe(null)
  expect(world.leases("pods")).toBe("")
})

it("holds 1023 pods, as Linux's bridge does", () => {
  const world = new World({ quiet: true })
  const wide = bridgeNetwork({ ipam: { type: "host-local", subnet: "10.0.0.0/16" } })
  for (let i = 0; i < 1023; i++) world.add(wide, `c${i}`)
  const before = world.host.links.list().length
  const pod = world.pod("c1023")
  expect(String(world.cni.add(wide, { containerId: "c1023", ifName: "eth0", netns: pod })))
    .toMatch(/^plugin type="bridge" failed \(add\): failed to connect "veth[0-9a-f]{8}" to bridge cni0: exchange full$/)
  expect([world.host.links.list().length, pod.links.list().length, world.leases("pods").split("\n").length]).toEqual([before, 1, 1024])
})
