import { expect, it } from "vitest"
import { SECOND } from "@podwire/engine"
import { Cluster, node, workload } from "./cluster.ts"

function running(spec: object = {}, podSpec: object = {}): Cluster {
  const cluster = new Cluster()
  cluster.nodes(2)
  cluster.apply(workload("DaemonSet", "agent", spec, "agent:1", podSpec))
  cluster.settle()
  return cluster
}

it("comes with a new node, and goes where it may not be any more", () => {
  const cluster = running()
  cluster.timeline()
  cluster.apply(node("node3") as never)
  cluster.settle()
  expect(cluster.timeline()).toMatchInlineSnapshot(`
    "
    1.04 Node node3 created
    1.05 Pod default/agent-qkml4 created
    1.06 Pod default/agent-qkml4 on node3
    2.06 Pod default/agent-qkml4 Running
    "
  `)
  cluster.patch("Node", "node1", () => ({ taints: [{ key: "gpu", effect: "NoExecute" }] }))
  cluster.patch("Node", "node2", () => ({ taints: [{ key: "gpu", effect: "NoSchedule" }], unschedulable: true }))
  cluster.settle()
  expect(cluster.timeline()).toMatchInlineSnapshot(`
    "
    2.09 Pod default/agent-n98ds terminating
    4.09 Pod default/agent-n98ds gone
    "
  `)
  expect(cluster.get("DaemonSet", "agent").status).toMatchInlineSnapshot(`
    {
      "currentNumberScheduled": 1,
      "desiredNumberScheduled": 1,
      "numberAvailable": 1,
      "numberMisscheduled": 1,
      "numberReady": 1,
      "numberUnavailable": 0,
      "observedGeneration": 1,
      "updatedNumberScheduled": 1,
    }
  `)
})

it("is bound by an affinity for its one node and tolerates what daemons tolerate", () => {
  const { spec, metadata } = running({}, { hostNetwork: true }).pods()[0]!
  expect(spec.affinity).toEqual({ nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: {
    nodeSelectorTerms: [{ matchFields: [{ key: "metadata.name", operator: "In", values: [spec.nodeName] }] }]
  } } })
  expect(spec.tolerations!.map(({ key, operator, effect }) => `${key!} ${operator!} ${effect!}`)).toEqual([
    "node.kubernetes.io/not-ready Exists NoExecute", "node.kubernetes.io/unreachable Exists NoExecute",
    "node.kubernetes.io/disk-pressure Exists NoSchedule", "node.kubernetes.io/memory-pressure Exists NoSchedule",
    "node.kubernetes.io/pid-pressure Exists NoSchedule", "node.kubernetes.io/unschedulable Exists NoSchedule",
    "node.kubernetes.io/network-unavailable Exists NoSchedule"
  ])
  expect(Object.keys(metadata.labels!)).toEqual(["app", "controller-revision-hash"])
})

it("keeps to nodes that its template admits", () => {
  const cluster = running({}, { nodeSelector: { disk: "ssd" } })
  expect(cluster.pods()).toEqual([])
  cluster.apply(node("node3", { labels: { disk: "ssd" } }) as never)
  cluster.settle()
  expect(cluster.pods().map(({ spec }) => spec.nodeName)).toEqual(["node3"])
})

it.each([
  ["one by one", { maxUnavailable: 1 }],
  ["with the new beside the old", { maxSurge: 1, maxUnavailable: 0 }]
])("rolls over %s", (_, rollingUpdate) => {
  const cluster = running({ updateStrategy: { rollingUpdate } })
  cluster.timeline()
  cluster.apply(workload("DaemonSet", "agent", { updateStrategy: { rollingUpdate } }, "agent:2"))
  cluster.settle()
  expect(cluster.timeline("Pod")).toMatchSnapshot()
})

it("leaves all when OnDelete", () => {
  const cluster = running({ updateStrategy: { type: "OnDelete" } })
  cluster.apply(workload("DaemonSet", "agent", { updateStrategy: { type: "OnDelete" } }, "agent:2"))
  cluster.run(10 * SECOND)
  expect(cluster.get("DaemonSet", "agent").status).toMatchObject({ updatedNumberScheduled: 0, numberReady: 2 })
})
