/** What is drawn is legal, reaches what it should reach, and shrinks to the smallest cluster there is. */
import { admit } from "@podwire/api"
import { checkPlan } from "@podwire/cluster"
import { documents, type Situation } from "@podwire/checker"
import { overlaps } from "@podwire/wire/cidr"
import { family } from "@podwire/wire/ip"
import fc from "fast-check"
import { expect, it } from "vitest"
import { plan, ranges4, ranges6, situation } from "../src/index.ts"

const drawn = fc.sample(situation({ operationsMax: 8 }), { seed: 1, numRuns: 400 })

it("every plan is legal, every object is admitted", () => {
  for (const { plan: one, objects } of drawn) {
    expect(checkPlan(one)).toEqual([])
    expect(objects.flatMap((object) => admit(object).problems ?? [])).toEqual([])
  }
})

it("ranges of one family do not overlap, tight ones have few addresses", () => {
  for (const tight of [false, true]) {
    for (const { pods, services, underlay, nodeBits } of fc.sample(fc.oneof(ranges4(tight), ranges6(tight)), { seed: 2, numRuns: 500 })) {
      expect([overlaps(pods, services), overlaps(pods, underlay), overlaps(services, underlay)]).toEqual([false, false, false])
      const room = (family(pods.ip) === 4 ? 32 : 128) - nodeBits
      expect(tight ? room <= 4 && room >= 2 : room >= 3).toBe(true)
    }
  }
})

it("everything that a situation may hold does come", () => {
  const seen = new Set(drawn.flatMap(({ plan: { nodes, ipFamilies, links }, objects, operations }) => [
    `${nodes.length} nodes`, ipFamilies.join(" and "), links.length > 0 ? "impaired" : "perfect", ...objects.map(({ kind }) => kind),
    ...operations.map((one) => one.do), ...nodes.flatMap(({ unschedulable, taints }) => (unschedulable === true ? ["cordoned"] : taints === undefined ? [] : ["tainted"])),
    ...objects.flatMap((object) => (JSON.stringify(object).includes("hostNetwork") ? ["hostNetwork"] : []))
  ]))
  const wanted = "1 nodes,2 nodes,3 nodes,4 nodes,5 nodes,6 nodes,4,6,4 and 6,6 and 4,impaired,perfect,Pod,Deployment,StatefulSet,DaemonSet," +
    "Namespace,advance,scale,delete,apply,fault,cordoned,tainted,hostNetwork"
  expect(wanted.split(",").filter((one) => !seen.has(one))).toEqual([])
  expect(Math.max(...drawn.map(({ objects }) => objects.length))).toBeGreaterThan(6)
})

it("shrinks to one pod on one node over IPv4, perfect links", () => {
  const { counterexample } = fc.check(fc.property(situation({ operationsMax: 8 }), () => false), { seed: 3 })
  expect(documents(counterexample![0] as Situation)).toBe(
    '{"apiVersion":"podwire.dev/v1","kind":"Cluster","spec":{"nodes":[{"name":"node1"}],"ipFamilies":["IPv4"],"podCIDRs":["10.0.0.0/19"],' +
      '"nodeCIDRMaskSize":{"ipv4":22,"ipv6":96},"serviceCIDRs":["10.1.0.0/16"],"underlay":{"cidrs":["10.2.0.0/16"],"delay":"0ns","mtu":1500},' +
      '"links":[],"watchDelay":"1000000ns"}}\n---\n' +
      '{"apiVersion":"v1","kind":"Pod","metadata":{"name":"a","namespace":"default"},"spec":{"containers":[{"name":"a","image":"registry.k8s.io/pause:3.10"}]}}\n'
  )
  expect(fc.check(fc.property(plan(), ({ nodes }) => nodes.length < 4), { seed: 3 }).counterexample![0].nodes.length).toBe(4)
})
