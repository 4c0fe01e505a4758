/**
 * What a property is about: a plan, the objects that are applied to it, and what happens afterwards. It can be
 * built as a `Cluster`, and written as the documents that a user would hand to `podwire run`, so that every
 * counterexample is also a folder that the product reads.
 *
 * Objects are manifests as a person writes them: defaults are the API's own work (`admit`).
 */
import { admit, type KubeObject, problemText } from "@podwire/api"
import { Cluster, type Observer, type Plan } from "@podwire/cluster"
import { assert, type Engine } from "@podwire/engine"
import type { LinkSpec } from "@podwire/netdev"
import { format } from "@podwire/wire/cidr"
import type { Operation } from "./operation.ts"

export interface Situation {
  readonly plan: Plan
  readonly objects: ReadonlyArray<KubeObject>
  readonly operations: ReadonlyArray<Operation>
}

/** The cluster with all objects created, before any time has passed. */
export function build(situation: Situation, observe: (engine: Engine) => ReadonlyArray<Observer> = () => []): Cluster {
  const cluster = new Cluster(situation.plan, observe)
  for (const object of situation.objects) create(cluster, object)
  return cluster
}

export function create(cluster: Cluster, manifest: KubeObject): void {
  const { object, problems } = admit(manifest)
  assert(object !== undefined, `a legal manifest: ${problems?.map(problemText).join("; ")}`)
  const stored = cluster.store.create(object)
  assert("metadata" in stored, `the store takes it: ${JSON.stringify(stored)}`)
}

/** `kind: Cluster` that makes this plan; everything is said, also what would be the default. */
export function clusterDocument(plan: Plan): object {
  const family = (f: 4 | 6) => (f === 4 ? "IPv4" : "IPv6")
  return {
    apiVersion: "podwire.dev/v1", kind: "Cluster",
    spec: {
      nodes: plan.nodes,
      ipFamilies: plan.ipFamilies.map(family),
      podCIDRs: plan.podCidrs.map(format),
      nodeCIDRMaskSize: { ipv4: plan.nodeBits[4], ipv6: plan.nodeBits[6] },
      serviceCIDRs: plan.serviceCidrs.map(format),
      underlay: { cidrs: plan.underlay.map(format), delay: `${plan.delayNs}ns`, mtu: plan.mtu },
      links: plan.links.map(({ between, spec }) => ({ between, ...impairment(spec) })),
      watchDelay: `${plan.watchNs}ns`
    }
  }
}

export function impairment(spec: Partial<LinkSpec>): object {
  const some = (key: string, value: number | undefined, unit: string) => (value === undefined ? {} : { [key]: `${value}${unit}` })
  return {
    ...some("delay", spec.delayNs, "ns"), ...some("jitter", spec.jitterNs, "ns"), ...some("loss", spec.lossPpm, "ppm"),
    ...some("duplicate", spec.duplicatePpm, "ppm"), ...some("reorder", spec.reorderPpm, "ppm")
  }
}

/** The documents as text, without the seed: JSON, which every reader of YAML reads; one object a document. */
export function documents(situation: Situation): string {
  const all = [clusterDocument(situation.plan), ...situation.objects]
  const steps = situation.operations.map((operation) => `# then ${JSON.stringify(operation)}\n`).join("")
  return all.map((one) => `${JSON.stringify(one)}\n`).join("---\n") + steps
}
