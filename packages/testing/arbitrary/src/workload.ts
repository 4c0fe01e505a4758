/**
 * Workloads as manifests: Pods, Deployments, StatefulSets and DaemonSets with up to sixty pods together, of one
 * to three containers, on their own network or the node's. All are legal and all can run somewhere. Shrinks to
 * one Pod of one container in `default`.
 */
import type { KubeObject } from "@podwire/api"
import fc from "fast-check"
import { label, subdomain } from "./name.ts"

export interface WorkloadBounds {
  readonly podsMax?: number
  readonly podsMin?: number
  readonly hostNetwork?: boolean
}

const KINDS = ["Pod", "Deployment", "StatefulSet", "DaemonSet"] as const
const NAMESPACES = ["default", "kube-system", "shop", "team-0"] as const
/** Namespaces that a cluster has from the start. */
const THERE = ["default", "kube-system"]
const IMAGES = ["registry.k8s.io/pause:3.10", "busybox", "postgres:18", "example.com/app@sha256:0000000000000000000000000000000000000000000000000000000000000000"] as const

interface Drawn {
  readonly kind: (typeof KINDS)[number]
  readonly name: string
  readonly namespace: string
  readonly replicas: number
  readonly hostNetwork: boolean
  readonly containers: ReadonlyArray<{ readonly name: string; readonly image: string; readonly port: boolean }>
  readonly parallel: boolean
}

const container = fc.record({ name: label(12), image: fc.constantFrom(...IMAGES), port: fc.boolean() })

function drawn({ hostNetwork = true }: WorkloadBounds): fc.Arbitrary<Drawn> {
  return fc.record({
    kind: fc.constantFrom(...KINDS),
    name: subdomain,
    namespace: fc.constantFrom(...NAMESPACES),
    replicas: fc.oneof({ withCrossShrink: true }, { weight: 6, arbitrary: fc.integer({ min: 1, max: 4 }) }, { weight: 1, arbitrary: fc.integer({ min: 0, max: 20 }) }),
    hostNetwork: hostNetwork ? fc.constantFrom(false, false, false, false, true) : fc.constant(false),
    containers: fc.uniqueArray(container, { minLength: 1, maxLength: 3, selector: (one) => one.name }),
    parallel: fc.boolean()
    // A StatefulSet's name becomes host names: a label (apps/validation).
  }).map((one) => (one.kind === "StatefulSet" ? { ...one, name: one.name.replaceAll(".", "-") } : one))
}

/** One workload, as `apply` would be given it. */
export function workload(bounds: WorkloadBounds = {}): fc.Arbitrary<KubeObject> {
  return drawn(bounds).map((one) => manifest({ ...one, namespace: "default" }))
}

/** `nodes` is how many pods a DaemonSet may come to, for the sum. */
export function workloads(bounds: WorkloadBounds = {}, nodes = 6): fc.Arbitrary<ReadonlyArray<KubeObject>> {
  const { podsMax = 60, podsMin = 1 } = bounds
  return fc.array(drawn(bounds), { minLength: podsMin === 0 ? 0 : 1, maxLength: 10 }).map((list) => {
    const taken = new Set<string>()
    const objects: Array<KubeObject> = []
    const spaces = new Set<string>(THERE)
    let left = podsMax
    for (const one of list) {
      const replicas = Math.min(one.replicas, left)
      const count = one.kind === "Pod" ? 1 : one.kind === "DaemonSet" ? nodes : replicas
      // One name a namespace, so that no pod is called as another kind's pod.
      const key = `${one.namespace}/${one.name}`
      if (count > left || taken.has(key)) continue
      taken.add(key)
      left -= count
      if (!spaces.has(one.namespace)) {
        spaces.add(one.namespace)
        objects.push({ apiVersion: "v1", kind: "Namespace", metadata: { name: one.namespace } })
      }
      objects.push(manifest({ ...one, replicas }))
    }
    return objects
  })
}

export function manifest({ kind, name, namespace, replicas, hostNetwork, containers, parallel }: Drawn): KubeObject {
  const metadata = { name, namespace }
  const pod = {
    ...hostNetwork ? { hostNetwork } : {},
    containers: containers.map(({ name: one, image, port }, i) => ({
      name: one, image,
      // Two pods on one node's network would want the same port.
      ...port && !hostNetwork ? { ports: [{ containerPort: 8080 + i, protocol: "UDP" }] } : {}
    }))
  }
  if (kind === "Pod") return { apiVersion: "v1", kind, metadata, spec: pod }
  const labels = { "example.com/of": name }
  const spec = { selector: { matchLabels: labels }, template: { metadata: { labels }, spec: pod } }
  if (kind === "DaemonSet") return { apiVersion: "apps/v1", kind, metadata, spec }
  const more = kind === "StatefulSet" ? { serviceName: "none", podManagementPolicy: parallel ? "Parallel" : "OrderedReady" } : {}
  return { apiVersion: "apps/v1", kind, metadata, spec: { replicas, ...more, ...spec } }
}
