import type { Node, Pod } from "@podwire/api"
import { nodeIpam, type NodeIpamOptions } from "@podwire/controllers"
import { format, parse } from "../src/cidr.ts"
import { SECOND } from "@podwire/engine"
import fc from "fast-check"
import { expect, it } from "vitest"
import { Cluster, node, workload } from "./cluster.ts"

const ranges = (options: NodeIpamOptions) => new Cluster({ controllers: [nodeIpam(options)!] })
const bare = (name: string, spec: object = {}) => ({ apiVersion: "v1", kind: "Node", metadata: { name }, spec }) as never
const cidrs = (cluster: Cluster) => (cluster.store.list("Node") as ReadonlyArray<Node>)
  .map(({ metadata, spec }) => `${metadata.name!} ${spec.podCIDRs?.join(" ") ?? "-"}`)

it("gives nodes their part of both families in the order of creation, around what is taken", () => {
  const cluster = ranges({
    ranges: [{ cidr: "10.244.0.0/16", nodeLength: 24 }, { cidr: "fd00:10:244::/56", nodeLength: 64 }], serviceCidrs: ["10.244.2.0/23"]
  })
  cluster.apply(bare("z"))
  cluster.apply(bare("given", { podCIDR: "10.244.1.0/24", podCIDRs: ["10.244.1.0/24", "fd00:10:244:1::/64"] }))
  cluster.apply(bare("a"))
  cluster.apply(bare("b"))
  cluster.settle()
  expect(cidrs(cluster)).toEqual([
    "a 10.244.4.0/24 fd00:10:244:2::/64", "b 10.244.5.0/24 fd00:10:244:3::/64",
    "given 10.244.1.0/24 fd00:10:244:1::/64", "z 10.244.0.0/24 fd00:10:244::/64"
  ])
})

it("says when there is nothing left, and gives what is freed, the last", () => {
  const cluster = ranges({ ranges: [{ cidr: "10.0.0.0/23", nodeLength: 24 }] })
  for (const name of ["a", "b", "c"]) cluster.apply(bare(name))
  cluster.settle()
  cluster.apply(bare("d"))
  cluster.settle()
  expect(cluster.events).toEqual([
    "0.01 Normal CIDRNotAvailable Node/c Node c status is now: CIDRNotAvailable",
    "0.03 Normal CIDRNotAvailable Node/d Node d status is now: CIDRNotAvailable"
  ])
  cluster.remove("Node", "a")
  cluster.settle()
  expect(cidrs(cluster)).toEqual(["b 10.0.1.0/24", "c 10.0.0.0/24", "d -"])
})

it("refuses ranges that are none", () => {
  const of = (cidr: string, nodeLength: number) => nodeIpam({ ranges: [{ cidr, nodeLength }] })
  expect([of("10.0.0.0/24", 16), of("10.0.0/8", 24), of("fd00::/48", 129), of("10.0.0.256/8", 24), of("10.0.0.0/33", 33)])
    .toEqual([null, null, null, null, null])
})

it.each([
  ["10.1.2.3/8", "10.0.0.0/8"], ["fd00:0:0:1:0:0:0:1/128", "fd00:0:0:1::1/128"], ["0:0:0:0:0:0:0:0/0", "::/0"],
  ["2001:db8:0:0:1:0:0:1/128", "2001:db8::1:0:0:1/128"], ["2001:db8:0:1:1:1:1:1/128", "2001:db8:0:1:1:1:1:1/128"], ["::1/128", "::1/128"]
])("reads %s as %s", (text, canonical) => {
  expect(format(parse(text)!)).toBe(canonical)
})

it("reads back what it writes", () => {
  fc.assert(fc.property(fc.bigInt(0n, 2n ** 128n - 1n), fc.constantFrom(32, 128) as fc.Arbitrary<32 | 128>, (value, bits) => {
    const cidr = { address: bits === 32 ? value & 0xffff_ffffn : value & ~(0xffffn << (value & 7n) * 16n), length: bits, bits }
    expect(parse(format(cidr))).toEqual(cidr)
  }), { seed: 9, numRuns: 300 })
})

it("taints and leaves a node that can't be reached, after five minutes, and ends its pods when it is gone", () => {
  const cluster = new Cluster()
  cluster.nodes(2)
  cluster.apply(workload("Deployment", "web", { replicas: 2 }))
  cluster.apply(workload("DaemonSet", "agent", {}))
  cluster.settle()
  cluster.timeline()
  const lost = cluster.get<Node>("Node", "node2")
  cluster.store.updateStatus({ ...lost, status: { ...lost.status, conditions: [{ type: "Ready", status: "Unknown" }] } } as never)
  cluster.settle()
  expect(cluster.clock).toBe("1.10")
  expect(cluster.get<Node>("Node", "node2").spec.taints).toEqual([
    { key: "node.kubernetes.io/unreachable", effect: "NoSchedule", timeAdded: "2026-01-01T00:00:01Z" },
    { key: "node.kubernetes.io/unreachable", effect: "NoExecute", timeAdded: "2026-01-01T00:00:01Z" }
  ])
  const ready = (pod: Pod) => pod.status!.conditions!.find(({ type }) => type === "Ready")!.status
  expect(cluster.pods().map((pod) => `${pod.spec.nodeName!} ${ready(pod)}`).sort((a, b) => (a < b ? -1 : 1))).toEqual(
    ["node1 True", "node1 True", "node2 False", "node2 False"])
  cluster.run(310 * SECOND)
  expect(cluster.timeline()).toMatchInlineSnapshot(`
    "
    301.00 Pod default/web-5c4dc9cf47-8b6l8 terminating
    301.01 Pod default/web-5c4dc9cf47-bbnz6 created
    301.02 Pod default/web-5c4dc9cf47-bbnz6 on node1
    302.02 Pod default/web-5c4dc9cf47-bbnz6 Running
    303.00 Pod default/web-5c4dc9cf47-8b6l8 gone
    "
  `)
  cluster.remove("Node", "node2")
  cluster.settle()
  expect(cluster.timeline()).toMatchInlineSnapshot(`
    "
    311.10 Node node2 gone
    351.11 Pod default/agent-jzb6d Failed
    351.11 Pod default/agent-jzb6d gone
    "
  `)
})

it("takes the taints away when the node is back, and none that isn't its own", () => {
  const cluster = new Cluster()
  cluster.apply(node("node1", { spec: { unschedulable: true, taints: [{ key: "gpu", effect: "NoSchedule" }] } }) as never)
  cluster.settle()
  expect(cluster.get<Node>("Node", "node1").spec.taints!.map(({ key }) => key)).toEqual(["gpu", "node.kubernetes.io/unschedulable"])
  cluster.patch<Node>("Node", "node1", ({ spec: { unschedulable: _, ...spec } }) => spec)
  cluster.settle()
  expect(cluster.get<Node>("Node", "node1").spec.taints!.map(({ key }) => key)).toEqual(["gpu"])
})
