import type { Pod, ReplicaSet } from "@podwire/api"
import { SECOND } from "@podwire/engine"
import { expect, it } from "vitest"
import { compareForDeletion } from "../src/replica-set.ts"
import { Cluster, workload } from "./cluster.ts"

const bare = (name: string, app: string) => ({
  apiVersion: "v1", kind: "Pod", metadata: { name, namespace: "default", labels: { app } }, spec: { containers: [{ name: "main" }] }
}) as never
const names = (cluster: Cluster) => cluster.pods().map(({ metadata }) =>
  `${metadata.name!.replace(/^web-.*/, "web-x")} ${metadata.ownerReferences?.[0]?.name ?? "-"}`)

it("adopts who matches, releases who doesn't any more, and makes up the difference", () => {
  const cluster = new Cluster()
  cluster.nodes(1)
  cluster.apply(bare("a", "web"))
  cluster.apply(bare("b", "other"))
  cluster.apply(workload("ReplicaSet", "web", { replicas: 2 }))
  cluster.settle()
  expect(names(cluster)).toEqual(["a web", "b -", "web-x web"])
  const adopted = cluster.get<Pod>("Pod", "a")
  cluster.store.update({ ...adopted, metadata: { ...adopted.metadata, labels: { app: "debug" } } } as never)
  cluster.settle()
  expect(names(cluster)).toEqual(["a -", "b -", "web-x web", "web-x web"])
})

it("counts only pods that are active, and says how many are on their way out", () => {
  const cluster = new Cluster()
  cluster.nodes(1)
  cluster.apply(workload("ReplicaSet", "web", { replicas: 2, minReadySeconds: 3 }))
  cluster.settle()
  cluster.remove("Pod", cluster.pods()[0]!.metadata.name!, 30)
  cluster.run(1500_000_000)
  expect(cluster.get<ReplicaSet>("ReplicaSet", "web").status).toEqual({
    replicas: 2, fullyLabeledReplicas: 2, readyReplicas: 2, availableReplicas: 1, terminatingReplicas: 1, observedGeneration: 1
  })
})

it("deletes first who is least far, whose node has most of them, who is cheapest, who is youngest", () => {
  const ready = (since: string) => [{ type: "Ready", status: "True", lastTransitionTime: since }]
  const at = (minute: number) => `2026-01-01T00:${String(minute).padStart(2, "0")}:00Z`
  const pod = (name: string, nodeName: string, status: object, metadata: object = {}) =>
    ({ metadata: { name, uid: name, creationTimestamp: at(0), ...metadata }, spec: { nodeName, containers: [] }, status }) as unknown as Pod
  const running = { phase: "Running", conditions: ready(at(0)) }
  const pods = [
    pod("old", "a", running),
    pod("young", "a", { phase: "Running", conditions: ready(at(50)) }, { creationTimestamp: at(50) }),
    pod("crowded", "b", running),
    pod("cheap", "a", running, { annotations: { "controller.kubernetes.io/pod-deletion-cost": "-1" } }),
    pod("unready", "a", { phase: "Running" }),
    pod("pending", "a", { phase: "Pending" }),
    pod("homeless", "", { phase: "Pending" })
  ]
  const rank = ({ spec }: Pod) => (spec.nodeName === "b" ? 2 : 1)
  expect(pods.sort((a, b) => compareForDeletion(a, b, rank, 3600 * SECOND)).map(({ metadata }) => metadata.name))
    .toEqual(["homeless", "pending", "unready", "cheap", "crowded", "young", "old"])
})
