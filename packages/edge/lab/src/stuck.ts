/** Pods that cannot run whatever time passes: no node takes them, or CNI has no address for them. */
import type { Pod } from "@podwire/api"
import type { Cluster } from "@podwire/cluster"
import type { Problem } from "./input/index.ts"
import type { Source } from "./apply.ts"

export function stuckPods(cluster: Cluster, sourceOf: (pod: Pod) => Source | null): ReadonlyArray<Problem> {
  const problems = new Map<string, { readonly problem: Problem; count: number }>()
  const say = (pod: Pod, path: ReadonlyArray<string | number>, message: string) => {
    const source = sourceOf(pod)
    const at: Problem = source === null
      ? { file: "the cluster", line: null, column: null, path: "", message: "" }
      : source.document.problem([...source.prefix, ...path], { what: "" })
    const key = `${at.file}:${at.line}:${at.path} ${message}`
    const before = problems.get(key)
    if (before !== undefined) before.count++
    else problems.set(
      key,
      {
        problem: { ...at, message: `pod ${pod.metadata.namespace}/${pod.metadata.name}: ${message}` },
        count: 1
      }
    )
  }
  for (const pod of cluster.store.list("Pod") as ReadonlyArray<Pod>) {
    const unscheduled = pod.status?.conditions?.find((condition) =>
      condition.type === "PodScheduled" && condition.status === "False")
    if (unscheduled !== undefined) {
      say(
        pod, unscheduledPath(pod),
        `${unscheduled.message ?? "no node takes it"}; add nodes (--nodes) or loosen what the pod asks for`
      )
    } else if (pod.spec?.nodeName !== undefined && cluster.node(pod.spec.nodeName) === null) {
      const names = cluster.nodes.map((node) => node.name).join(", ")
      say(pod, ["spec", "nodeName"], `no node is called "${pod.spec.nodeName}"; there are ${names}`)
    }
  }
  for (const pod of cluster.refused) {
    const { namespace, name } = pod.metadata
    const events = cluster.eventsOf({ kind: "Pod", namespace: namespace!, name: name! })
    const why = events.findLast(({ reason }) => reason === "FailedCreatePodSandBox")?.message
    // What the runtime wraps around it names a UID: alike pods should read alike.
    say(pod, [], `${why?.replace(WRAPPING, "no network: ") ?? "has no sandbox"}${remedyFor(why ?? "", pod.spec?.nodeName)}`)
  }
  return [...problems.values()].map(({ problem, count }) =>
    count === 1
      ? problem
      : {
        ...problem,
        message: `${problem.message} (and ${count - 1} more ${count === 2 ? "pod" : "pods"} alike)`
      })
}

const WRAPPING = /^Failed to create pod sandbox: .* failed to setup network for sandbox "[^"]*": /

function remedyFor(why: string, node = "the node"): string {
  if (why.includes("/proc/sys/")) return "; see spec.securityContext.sysctls"
  if (!why.includes("no IP addresses available")) return "; see spec.cni of the Cluster document"
  return `; ${node}'s share of podCIDRs is used up: make shares larger (nodeCIDRMaskSize), or add nodes (--nodes)`
}

/** Where in the pod the demand stands that most likely keeps it out. */
function unscheduledPath({ spec }: Pod): ReadonlyArray<string | number> {
  if (spec?.nodeSelector !== undefined) return ["spec", "nodeSelector"]
  if (spec?.affinity !== undefined) return ["spec", "affinity"]
  return ["spec"]
}
