/**
 * Nothing is delivered twice: every datagram that a server gets has another number, unless a link made a second
 * one of it, and links say how many they made.
 */
import { situation } from "@podwire/arbitrary"
import { Journeys, marked, numberOf, type Situation } from "@podwire/checker"
import type { Cluster } from "@podwire/cluster"
import { SECOND } from "@podwire/engine"
import { Errno } from "@podwire/netdev"
import { family } from "@podwire/wire/ip"
import fc from "fast-check"
import { expect, it } from "vitest"
import { type Builder, property } from "../support/property.ts"

const PORT = 4007
const DATAGRAMS = 40

interface Counts {
  /** Of each number: how often the server got it, how often the client its echo. */
  readonly arrived: ReadonlyMap<number, number>
  readonly answered: ReadonlyMap<number, number>
  readonly sent: number
}

/** Everybody has an echo server; datagrams go between pods drawn by `picks`. */
function talk(cluster: Cluster, picks: ReadonlyArray<number>): Counts {
  const { engine, pods } = cluster
  const arrived = new Map<number, number>()
  const answered = new Map<number, number>()
  const count = (counts: Map<number, number>, payload: Uint8Array) => {
    const number = numberOf(payload)!
    counts.set(number, (counts.get(number) ?? 0) + 1)
  }
  const sockets = [...new Set(pods.map(({ netns }) => netns))].map((netns) => {
    const server = netns.udp(6)
    expect(server.bind(null, PORT)).toBe(Errno.OK)
    server.onReceive = (socket, { src, srcPort, dst, payload }) => {
      count(arrived, payload)
      socket.sendTo(src, srcPort, payload, dst)
    }
    return server
  })
  let sent = 0
  for (let i = 0; i < DATAGRAMS && pods.length > 0; i++) {
    const [from, to, which] = [0, 1, 2].map((j) => picks[(3 * i + j) % picks.length]! + i)
    const target = pods[to! % pods.length]!
    const ip = target.ips[which! % target.ips.length]!
    const client = pods[from! % pods.length]!.netns.udp(family(ip))
    client.onReceive = (_, { payload }) => count(answered, payload)
    if (client.sendTo(ip, PORT, marked(++sent)) !== Errno.OK) throw new Error("not sent")
    sockets.push(client)
    engine.advance(engine.nowNs + (which! % 3) * 1_000_000, 100_000)
  }
  engine.advance(engine.nowNs + 5 * SECOND, 1_000_000)
  for (const socket of sockets) socket.close()
  return { arrived, answered, sent }
}

function duplicated(cluster: Cluster): number {
  const { nodes } = cluster
  return nodes.flatMap((a, i) => nodes.slice(0, i).flatMap((b) => cluster.fabric.segment.between(a.nic, b.nic)))
    .reduce((sum, { stats }) => sum + stats.duplicated, 0)
}

const picks = fc.array(fc.nat({ max: 999 }), { minLength: 3, maxLength: 30 })
const extra = (counts: ReadonlyMap<number, number>) => [...counts.values()].reduce((sum, count) => sum + count - 1, 0)

function settled(given: Situation, builder: Builder, journeys = new Journeys()): Cluster {
  const cluster = builder.build(given, () => [journeys])
  cluster.settle()
  return cluster
}

it("without a link that duplicates, everything arrives once at the most", () => {
  const links = { lossPpm: 100_000, duplicatePpm: 0 }
  const input = fc.record({ situation: situation({ podsMax: 20, links }), picks })
  property(input, 60, ({ situation: given, picks: some }, builder) => {
    const cluster = settled(given, builder)
    const { arrived, answered, sent } = talk(cluster, some)
    expect([duplicated(cluster), extra(arrived), extra(answered)]).toEqual([0, 0, 0])
    const lossy = given.plan.links.some(({ spec }) => spec.lossPpm! > 0)
    if (!lossy) expect([arrived.size, answered.size]).toEqual([sent, sent])
  })
})

it("with one, there are as many copies as the links say they made", () => {
  const links = { lossPpm: 0, duplicatePpm: 400_000 }
  const input = fc.record({ situation: situation({ podsMax: 20, nodesMin: 2, links }), picks })
  property(input, 60, ({ situation: given, picks: some }, builder) => {
    const journeys = new Journeys()
    const cluster = settled(given, builder, journeys)
    const made = () => cluster.nodes.reduce((sum, { name }) => sum + copies(journeys, name), 0)
    const before = duplicated(cluster)
    const { arrived, answered, sent } = talk(cluster, some)
    expect([arrived.size, answered.size]).toEqual([sent, sent])
    // Neighbour packets are duplicated too; of ours the cards have seen each copy come in.
    const [seen, told] = [made(), duplicated(cluster) - before]
    if (seen > told) throw new Error(`${seen} copies came out of links that made ${told}`)
    expect(extra(arrived) + extra(answered)).toBeGreaterThanOrEqual(seen > 0 ? 1 : 0)
  })

  /** Watched packets that came in at a node's card more often than a card sent them. */
  function copies(journeys: Journeys, node: string): number {
    let sum = 0
    for (let number = 1; number <= DATAGRAMS; number++) {
      const sights = journeys.of(number)
      const ins = sights.filter(({ at, direction }) => at === `${node}/eth0` && direction === "in").length
      const outs = sights.filter(({ at, direction }) => at !== `${node}/eth0` && at.endsWith("/eth0") && /^node\d+\/eth0$/.test(at) && direction === "out").length
      sum += Math.max(0, ins - outs)
    }
    return sum
  }
})
