/**
 * Who has which address, whatever happens: nobody shares one, each lies in its node's share, the API and the pod
 * agree, and what CNI gives is what a naive host-local would give, call for call. Pods that get none are those
 * whose node has none left.
 */
import { situation } from "@podwire/arbitrary"
import { AddressModels, perform, type Situation } from "@podwire/checker"
import type { Cluster } from "@podwire/cluster"
import type { Pod } from "@podwire/api"
import { contains, parse } from "@podwire/wire/cidr"
import { format } from "@podwire/wire/ip"
import fc from "fast-check"
import { expect, it } from "vitest"
import { type Builder, property } from "../support/property.ts"

function complaints(cluster: Cluster): ReadonlyArray<string> {
  const wrong = [...cluster.check()]
  const shares = new Map(cluster.nodes.map((node) => [node.name, node.podCidrs]))
  for (const pod of cluster.pods) {
    if (pod.hostNetwork) continue
    for (const ip of pod.ips) {
      if (!shares.get(pod.nodeName)!.some((share) => contains(share, ip))) wrong.push(`${pod.key} on ${pod.nodeName} has ${format(ip)}`)
    }
    const told = ((cluster.store.get("Pod", pod.namespace, pod.name) as Pod).status?.podIPs ?? []).map(({ ip }) => ip).join(",")
    if (told !== pod.ips.map(format).join(",")) wrong.push(`${pod.key} has ${pod.ips.map(format).join(",")}, the API says ${told}`)
    const eth0 = pod.netns.links.byName("eth0")!
    const held = pod.netns.addresses(eth0).filter(({ scope }) => scope === "global").map(({ cidr }) => format(cidr.ip)).join(",")
    if (held !== told) wrong.push(`${pod.key}: ip addr says ${held}, the API ${told}`)
  }
  for (const node of cluster.store.list("Node")) {
    const { podCIDRs } = node.spec as { readonly podCIDRs: ReadonlyArray<string> }
    const others = cluster.store.list("Node").filter((other) => other !== node)
      .flatMap((other) => (other.spec as { readonly podCIDRs: ReadonlyArray<string> }).podCIDRs)
    for (const text of podCIDRs) if (others.includes(text)) wrong.push(`${node.metadata.name} shares ${text}`)
    if (podCIDRs.some((text, i) => !contains(cluster.plan.podCidrs[i]!, parse(text)!.ip))) wrong.push(`${podCIDRs} lies outside`)
  }
  return wrong
}

/** The calls of the nodes' CNI, beside what a naive host-local would answer. */
function compared(cluster: Cluster): ReadonlyArray<string> {
  const wrong: Array<string> = []
  for (const node of cluster.nodes) {
    let models: AddressModels | null = null
    const { cni } = node
    const [add, del] = [cni.add.bind(cni), cni.del.bind(cni)]
    cni.add = (network, args) => {
      models ??= new AddressModels(node.podCidrs)
      const result = add(network, args)
      const got = "ips" in result ? result.ips.map(({ address }) => format(address.ip)).join(",") : null
      const expected = models.add(args.containerId)?.join(",") ?? null
      if (got !== expected) wrong.push(`${node.name}: ADD gave ${got}, not ${expected}`)
      return result
    }
    cni.del = (network, args) => {
      models?.del(args.containerId)
      return del(network, args)
    }
  }
  return wrong
}

function play(given: Situation, builder: Builder, look: (cluster: Cluster) => void, tight = false): void {
  const cluster = builder.build(given)
  const wrong = tight ? compared(cluster) : []
  cluster.settle()
  look(cluster)
  for (const operation of given.operations) {
    perform(cluster, operation)
    cluster.settle()
    look(cluster)
  }
  expect(wrong).toEqual([])
}

it("no address is shared, each lies in its node's share, everybody says the same", () => {
  const input = fc.record({ situation: situation({ operationsMax: 6 }) })
  property(input, 60, ({ situation: given }, builder) => {
    play(given, builder, (cluster) => {
      expect(complaints(cluster)).toEqual([])
    })
  })
})

it("on shares of a few addresses they come back as host-local brings them back, and run out as they should", () => {
  const input = fc.record({ situation: situation({ tight: true, operationsMax: 16, podsMax: 30, nodesMax: 3, links: null }) })
  property(input, 60, ({ situation: given }, builder) => {
    play(given, builder, (cluster) => {
      expect(complaints(cluster)).toEqual([])
      for (const pod of cluster.refused) {
        const [event] = cluster.eventsOf({ kind: "Pod", namespace: pod.metadata.namespace!, name: pod.metadata.name! }).slice(-1)
        expect(event?.message).toContain("no IP addresses available in range set")
      }
    }, true)
  })
})
