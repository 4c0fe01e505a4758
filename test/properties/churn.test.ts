/**
 * Churn leaks nothing: when everything is deleted, each node holds what it held before: links, addresses, routes,
 * neighbours, FDB entries, sockets, leases, attachments; every frame taken has ended; and what still wakes up is
 * what wakes up on an empty cluster.
 */
import { situation } from "@podwire/arbitrary"
import { conservation, create, marked, perform, picture } from "@podwire/checker"
import type { Cluster } from "@podwire/cluster"
import { refOf } from "@podwire/api"
import { SECOND } from "@podwire/engine"
import type { Netns } from "@podwire/netns"
import { format } from "@podwire/wire/cidr"
import { family } from "@podwire/wire/ip"
import fc from "fast-check"
import { expect, it } from "vitest"
import { property } from "../support/property.ts"

/** FDB entries age for 300 s; neighbours for less. */
const QUIET_NS = 1_000 * SECOND
const FIRST_PODS = {
  apiVersion: "apps/v1", kind: "DaemonSet", metadata: { name: "first", namespace: "kube-public" },
  spec: {
    selector: { matchLabels: { app: "first" } },
    template: {
      metadata: { labels: { app: "first" } },
      spec: { tolerations: [{ operator: "Exists" }], containers: [{ name: "first", image: "busybox" }] }
    }
  }
}

function emptied(cluster: Cluster): void {
  const { store } = cluster
  for (const kind of ["Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Pod"]) {
    for (const object of store.list(kind)) store.delete(refOf(object), 0)
  }
  cluster.settle()
  cluster.engine.advance(cluster.engine.nowNs + QUIET_NS, 10_000_000)
  expect(store.list("Pod").map(({ metadata }) => metadata.name)).toEqual([])
  expect(cluster.pods).toEqual([])
}

/** What is left in namespaces of pods that are gone. */
function left(cluster: Cluster, seen: ReadonlySet<Netns>): ReadonlyArray<string> {
  const living = new Set(cluster.nodes.map(({ netns }) => netns))
  return [...seen].filter((netns) => !living.has(netns)).flatMap((netns) => [
    ...netns.links.list().map(({ name }) => `${netns.name} has ${name}`),
    ...netns.addresses().map(({ cidr }) => `${netns.name} has ${format(cidr)}`),
    ...netns.sockets.udp.list().map(({ localPort }) => `${netns.name} has a socket on port ${localPort}`),
    ...netns.sockets.tcpRows().map(({ port }) => `${netns.name} has TCP on port ${port}`)
  ])
}

/** Everybody to everybody once, answered or not. */
function chat(cluster: Cluster): void {
  const { pods, nodes, engine } = cluster
  for (const from of [...pods, ...nodes]) {
    for (const { ips } of [...pods, ...nodes]) {
      for (const ip of ips) {
        const ping = from.netns.ping(family(ip))
        ping.sendTo(ip, 1, marked(1))
        ping.close()
        const udp = from.netns.udp(family(ip))
        udp.sendTo(ip, 9, marked(2))
        udp.close()
      }
    }
  }
  engine.advance(engine.nowNs + 2 * SECOND, 1_000_000)
}

it("after everything is deleted, nothing is left of it", () => {
  const input = fc.record({ situation: situation({ operationsMax: 8, podsMax: 15 }), talks: fc.boolean() })
  property(input, 40, ({ situation: given, talks }, builder) => {
    const cluster = builder.build({ ...given, objects: [] })
    cluster.settle()
    // The bridge comes with the first pod and stays.
    create(cluster, FIRST_PODS)
    cluster.settle()
    chat(cluster)
    emptied(cluster)
    const before = picture(cluster)
    const [nextNs, rows] = [cluster.engine.nextNs, cluster.store.list("Namespace").length]
    const seen = new Set<Netns>()
    const look = () => {
      for (const { netns } of cluster.pods) seen.add(netns)
    }
    for (const object of given.objects) create(cluster, object)
    cluster.settle()
    look()
    if (talks) chat(cluster)
    for (const operation of given.operations) {
      perform(cluster, operation)
      look()
    }
    cluster.settle()
    look()
    if (talks) chat(cluster)
    emptied(cluster)
    expect(left(cluster, seen)).toEqual([])
    expect(picture(cluster)).toBe(before)
    expect(conservation(cluster)).toEqual([])
    expect(nextNs).toBe(Infinity)
    expect(cluster.engine.nextNs).toBe(Infinity)
    expect(cluster.store.list("Namespace").length).toBeGreaterThanOrEqual(rows)
  })
})
