/**
 * Every pod and every node reaches every pod, and nobody's address changes on the way: on every interface that a
 * request or its answer passes, source and destination are the two ends' own; the TTL falls by one for each
 * node that forwards.
 */
import { situation } from "@podwire/arbitrary"
import { Journeys, marked, type Sight } from "@podwire/checker"
import { type Cluster, reach } from "@podwire/cluster"
import { SECOND } from "@podwire/engine"
import type { Netns } from "@podwire/netns"
import { equal, family, format, type Ip } from "@podwire/wire/ip"
import fc from "fast-check"
import { expect, it } from "vitest"
import { property } from "../support/property.ts"

const ATTEMPTS = 30
const PAIRS_MAX = 300
const TTL = 64
const ECHO = { 4: [8, 0], 6: [128, 129] } as const

interface End {
  readonly name: string
  readonly netns: Netns
  readonly ips: ReadonlyArray<Ip>
  /** The node that it is on. */
  readonly node: string
}

function ends(cluster: Cluster): { readonly pods: ReadonlyArray<End>; readonly nodes: ReadonlyArray<End> } {
  return {
    pods: cluster.pods.map(({ key, netns, ips, nodeName }) => ({ name: key, netns, ips, node: nodeName })),
    nodes: cluster.nodes.map(({ name, netns, ips }) => ({ name: `node/${name}`, netns, ips, node: name }))
  }
}

/** All pairs, or as many as may be, evenly. */
function thinned<T>(list: ReadonlyArray<T>, first: number): ReadonlyArray<T> {
  const step = Math.ceil(list.length / PAIRS_MAX)
  return list.filter((_, i) => i % step === first % step)
}

/** The first number of the attempt that was answered. */
function ask(cluster: Cluster, from: End, target: Ip, numbers: { next: number }): number | null {
  const { engine } = cluster
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const socket = from.netns.ping(family(target))
    const number = numbers.next++
    let answered = false
    socket.onReply = (_, reply) => {
      answered ||= !reply.isError
    }
    const errno = socket.sendTo(target, attempt, marked(number))
    const untilNs = engine.nowNs + SECOND
    while (errno === 0 && !answered && engine.nowNs < untilNs) engine.advance(Math.min(engine.nextNs, untilNs), 1024)
    socket.close()
    if (answered) return number
  }
  return null
}

/** What is wrong with the way of one request and its answer. */
function complaints(sights: ReadonlyArray<Sight>, from: End, to: End, target: Ip): ReadonlyArray<string> {
  const wrong: Array<string> = []
  const [request, reply] = ECHO[family(target)]
  const own = from.netns.addresses().map(({ cidr }) => cidr.ip)
  const source = sights[0]!.src
  if (!own.some((ip) => equal(ip, source))) wrong.push(`${format(source)} is no address of ${from.name}`)
  // A pod sends as what its status says; a node that asks its own pod sends as the bridge.
  if (from.netns !== to.netns && from.netns.name !== from.node && !from.ips.some((ip) => equal(ip, source))) {
    wrong.push(`${from.name} sends as ${format(source)}, and is known as ${from.ips.map(format).join(",")}`)
  }
  for (const { at, direction, src, dst, ttl, type } of sights) {
    const forth = type === request
    if (!forth && type !== reply) wrong.push(`${at}: type ${type}`)
    const [a, b] = forth ? [source, target] : [target, source]
    if (!equal(src, a) || !equal(dst, b)) {
      wrong.push(`${at} ${direction}: ${format(src)} → ${format(dst)} in place of ${format(a)} → ${format(b)}`)
    }
    const [start, end] = forth ? [from, to] : [to, from]
    const passed = forwarders(at, direction, start, end)
    if (passed !== null && ttl !== TTL - passed) wrong.push(`${at} ${direction}: TTL ${ttl} after ${passed} nodes`)
  }
  const last = sights.filter(({ type, direction }) => type === request && direction === "in").at(-1)
  // A node's address is reached from its own pods over the bridge.
  const where = from.netns === to.netns ? "/lo" : to.netns.name === to.node && from.node === to.node ? "/cni0" : "/eth0"
  if (last === undefined || last.at !== to.netns.name + where) wrong.push(`the request was last seen at ${last?.at}`)
  return wrong
}

/** How many nodes have forwarded a packet when an interface sees it; null where that is not plain. */
function forwarders(at: string, direction: "in" | "out", start: End, end: End): number | null {
  const onNode = (one: End) => one.netns.name === one.node
  const slash = at.lastIndexOf("/")
  const [ns, dev] = [at.slice(0, slash), at.slice(slash + 1)]
  if (start.netns === end.netns) return 0
  if (start.node === end.node) return 0
  if (ns === start.netns.name && !onNode(start)) return 0
  const first = onNode(start) ? 0 : 1
  if (ns === start.node && dev === "eth0") return direction === "out" ? first : null
  if (ns === end.node && dev === "eth0") return direction === "in" ? first : null
  if (ns === start.node) return direction === "in" ? 0 : null
  const whole = first + (onNode(end) ? 0 : 1)
  if (ns === end.netns.name && !onNode(end)) return whole
  return ns === end.node && direction === "out" ? whole : null
}

it("every pod and node reaches every pod, as itself on every interface of the way", () => {
  const input = fc.record({ situation: situation({ podsMax: 24 }), first: fc.nat({ max: 99 }) })
  property(input, 100, ({ situation: given, first }, builder) => {
    const journeys = new Journeys()
    const cluster = builder.build(given, () => [journeys])
    expect(cluster.settle()).toBe(true)
    const { pods, nodes } = ends(cluster)
    const pairs = [...pods, ...nodes].flatMap((from) => pods.flatMap((to) => to.ips.map((target) => ({ from, to, target }))))
    const numbers = { next: 1 }
    for (const { from, to, target } of thinned(pairs, first)) {
      const number = ask(cluster, from, target, numbers)
      if (number === null) throw new Error(`${from.name} → ${to.name} ${format(target)}: no answer`)
      const wrong = complaints(journeys.of(number), from, to, target)
      if (wrong.length > 0) throw new Error(`${from.name} → ${to.name} ${format(target)}: ${wrong.join("; ")}`)
      journeys.forget()
    }
    cluster.settle()
    expect(cluster.check()).toEqual([])
  })
})

it("the product's own matrix says so too", () => {
  const input = fc.record({ situation: situation({ podsMax: 10, links: null }) })
  property(input, 40, ({ situation: given }, builder) => {
    const cluster = builder.build(given)
    cluster.settle()
    const { cells, left } = reach(cluster)
    const targets = cluster.pods.reduce((sum, { ips }) => sum + ips.length, 0)
    expect([left, cells.length]).toEqual([0, (cluster.pods.length + cluster.nodes.length) * targets])
    expect(cells.filter(({ answered, sourceKept }) => !answered || !sourceKept)).toEqual([])
  })
})
