/** The checkers see what is there: a model's answers, a frame's way, a frame that was lost, a picture's change. */
import { makePlan, FrameLog } from "@podwire/cluster"
import { parse } from "@podwire/wire/cidr"
import { expect, it } from "vitest"
import { AddressModel, AddressModels, build, conservation, framesText, Journeys, marked, numberOf, picture } from "../src/index.ts"

const plan = makePlan({ seed: 1, nodes: [{ name: "node1" }], ipFamilies: [4] })
const pod = (name: string) => ({ apiVersion: "v1", kind: "Pod", metadata: { name }, spec: { containers: [{ name: "c", image: "busybox" }] } })
const situation = { plan, objects: [pod("a"), pod("b")], operations: [] }

it("the naive host-local goes around, and takes back what cannot be had whole", () => {
  const model = new AddressModel(parse("10.0.0.0/29")!)
  expect(["a", "b", "c"].map((owner) => model.add(owner))).toEqual(["10.0.0.2", "10.0.0.3", "10.0.0.4"])
  model.del("b")
  expect(["d", "e", "f", "g"].map((owner) => model.add(owner))).toEqual(["10.0.0.5", "10.0.0.6", "10.0.0.3", null])
  expect(model.full).toBe(true)
  const both = new AddressModels([parse("10.0.0.0/29")!, parse("fd00::/126")!])
  expect([both.add("a"), both.add("b"), both.add("c")]).toEqual([["10.0.0.2", "fd00::2"], ["10.0.0.3", "fd00::3"], null])
  both.del("a")
  expect(both.add("d")).toEqual(["10.0.0.5", "fd00::2"])
})

it("a packet's way stands in order, and only of marked ones", () => {
  const journeys = new Journeys()
  const cluster = build(situation, () => [journeys])
  cluster.settle()
  const [a, b] = cluster.pods
  const socket = a!.netns.ping(4)
  socket.sendTo(b!.ips[0]!, 1, marked(7))
  socket.sendTo(b!.ips[0]!, 2, new Uint8Array(16))
  cluster.engine.advance(cluster.engine.nowNs + 1e9, 100_000)
  expect(journeys.of(7).filter(({ type }) => type === 8).map(({ at, direction }) => `${at.replace(/veth.*/, "veth")} ${direction}`)).toEqual([
    "default/a/eth0 out", "node1/veth in", "node1/veth out", "default/b/eth0 in"
  ])
  expect(journeys.of(0)).toEqual([])
  expect([numberOf(marked(9)), numberOf(new Uint8Array(16)), numberOf(new Uint8Array(3))]).toEqual([9, null, null])
})

it("a frame that nobody ends, and what a pod leaves on its node, are seen", () => {
  const cluster = build(situation, (engine) => [new FrameLog(engine)])
  cluster.settle()
  expect(conservation(cluster)).toEqual([])
  cluster.pool.alloc(60)
  expect(conservation(cluster)).toHaveLength(2)
  const before = picture(cluster)
  cluster.store.delete({ kind: "Pod", namespace: "default", name: "a" }, 0)
  cluster.settle()
  expect(picture(cluster)).not.toBe(before)
})

it("frames read as tcpdump prints them", () => {
  let log: FrameLog | null = null
  const cluster = build(situation, (engine) => [log = new FrameLog(engine, (at) => at === "default/a/eth0")])
  cluster.settle()
  const [a, b] = cluster.pods
  a!.netns.ping(4).sendTo(b!.ips[0]!, 1, marked(7))
  cluster.engine.advance(cluster.engine.nowNs + 1e9, 100_000)
  const lines = framesText(log!.frames()).trimEnd().split("\n").filter((line) => /ARP|ICMP echo/.test(line) && !/who-has (\S+) tell \1/.test(line))
  expect(lines.map((line) => line.slice(16).replace(/id \d+/, "id 1").replace(/is-at [^,]+/, "is-at MAC"))).toEqual([
    "default/a/eth0 out ARP, Request who-has 10.244.0.3 tell 10.244.0.2, length 28",
    "default/a/eth0 in ARP, Reply 10.244.0.3 is-at MAC, length 28",
    "default/a/eth0 out IP 10.244.0.2 > 10.244.0.3: ICMP echo request, id 1, seq 1, length 24",
    "default/a/eth0 in IP 10.244.0.3 > 10.244.0.2: ICMP echo reply, id 1, seq 1, length 24"
  ])
})
