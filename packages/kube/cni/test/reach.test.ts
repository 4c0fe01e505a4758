/** Pods that plugins made reach one another, their gateway and nothing that isolation forbids. */
import { LOOPBACK_NETWORK, type NetworkConfig } from "@podwire/cni"
import { Errno } from "@podwire/netdev"
import type { Netns } from "@podwire/netns"
import { family, format, parse } from "@podwire/wire/ip"
import { expect, it } from "vitest"
import { bridgeNetwork, network, ptpNetwork, World } from "./world.ts"

function ping(world: World, from: Netns, to: string): string {
  const target = parse(to)!
  const socket = from.ping(family(target))
  let said = "silence"
  socket.onReply = (_, reply) => {
    said = reply.isError ? `error ${reply.type}/${reply.code}` : `ttl ${reply.ttl} from ${format(reply.src)}`
  }
  const errno = socket.sendTo(target, 1, new Uint8Array(56), { ttl: 0, df: null })
  world.settle()
  socket.close()
  return errno === Errno.OK ? said : `errno ${errno}`
}

function pair(of: NetworkConfig, options: { readonly quiet?: boolean } = {}) {
  const world = new World(options)
  const pods = ["a", "b", "c"].map((name) => {
    const pod = world.pod(name)
    world.cni.add(LOOPBACK_NETWORK, { containerId: name, ifName: "lo", netns: pod })
    return world.add(of, name, pod).pod
  })
  world.settle()
  return { world, a: pods[0]!, b: pods[1]! }
}

it.each([true, false])("behind a bridge, quiet: %s", (quiet) => {
  const { world, a, b } = pair(bridgeNetwork(), { quiet })
  expect([ping(world, a, "10.244.1.3"), ping(world, b, "fd00:1::2"), ping(world, a, "10.244.1.1"), ping(world, a, "fd00:1::1"),
    ping(world, world.host, "10.244.1.2"), ping(world, world.host, "fd00:1::3")]).toEqual([
    "ttl 64 from 10.244.1.3", "ttl 64 from fd00:1::2", "ttl 64 from 10.244.1.1", "ttl 64 from fd00:1::1",
    "ttl 64 from 10.244.1.2", "ttl 64 from fd00:1::3"
  ])
})

it("point to point: pods of one subnet are a hop apart, also when the first one has gone", () => {
  const { world, a, b } = pair(ptpNetwork())
  const routed = () => [ping(world, b, "10.244.1.4"), ping(world, b, "fd00:1::4"), ping(world, b, "fd00:1::1")]
  const expected = ["ttl 63 from 10.244.1.4", "ttl 63 from fd00:1::4", "ttl 64 from fd00:1::1"]
  expect(ping(world, a, "10.244.1.3")).toBe("ttl 63 from 10.244.1.3")
  expect(ping(world, a, "10.244.1.1")).toBe("ttl 64 from 10.244.1.1")
  expect(routed()).toEqual(expected)
  world.cni.del(ptpNetwork(), { containerId: "a", ifName: "eth0" })
  expect(routed()).toEqual(expected)
})

it("isolated ports reach the gateway and not one another", () => {
  const { world, a } = pair(bridgeNetwork({ portIsolation: true }))
  expect([ping(world, a, "10.244.1.1"), ping(world, a, "10.244.1.3")]).toEqual(["ttl 64 from 10.244.1.1", "error 3/1"])
})

it("two networks on one node are routed between, as the plugins switched it on", () => {
  const { world, a } = pair(bridgeNetwork())
  const ipam = { type: "host-local", ranges: [[{ subnet: "10.9.0.0/24" }], [{ subnet: "fd00:9::/64" }]], routes: [{ dst: "0.0.0.0/0" }, { dst: "::/0" }] }
  world.add(network({ cniVersion: "1.0.0", name: "points", plugins: [{ type: "ptp", ipam }] }), "p")
  world.settle()
  expect([ping(world, a, "10.9.0.2"), ping(world, a, "fd00:9::2")]).toEqual(["ttl 63 from 10.9.0.2", "ttl 63 from fd00:9::2"])
})
