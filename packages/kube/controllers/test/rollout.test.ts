import type { Deployment, ReplicaSet } from "@podwire/api"
import { SECOND } from "@podwire/engine"
import { expect, it } from "vitest"
import { Cluster, workload } from "./cluster.ts"

function running(spec: object, startNs = 1 * SECOND): Cluster {
  const cluster = new Cluster({ startNs })
  cluster.nodes(2)
  cluster.apply(workload("Deployment", "web", spec))
  cluster.settle()
  cluster.timeline()
  cluster.told()
  return cluster
}

it("rolls over a quarter at a time", () => {
  const cluster = running({ replicas: 4 })
  cluster.apply(workload("Deployment", "web", { replicas: 4 }, "web:2"))
  cluster.settle()
  expect(cluster.timeline()).toMatchInlineSnapshot(`
    "
    1.07 ReplicaSet default/web-7d49d4664 created replicas 1
    1.07 ReplicaSet default/web-5c4dc9cf47 replicas 3
    1.08 ReplicaSet default/web-7d49d4664 replicas 2
    1.08 Pod default/web-7d49d4664-bbnz6 created
    1.08 Pod default/web-5c4dc9cf47-n98ds terminating
    1.09 Pod default/web-7d49d4664-vcbmv created
    1.09 Pod default/web-7d49d4664-bbnz6 on node1
    1.10 Pod default/web-7d49d4664-vcbmv on node2
    2.09 Pod default/web-7d49d4664-bbnz6 Running
    2.10 Pod default/web-7d49d4664-vcbmv Running
    2.11 ReplicaSet default/web-5c4dc9cf47 replicas 2
    2.12 ReplicaSet default/web-7d49d4664 replicas 3
    2.12 Pod default/web-5c4dc9cf47-8b6l8 terminating
    2.13 ReplicaSet default/web-5c4dc9cf47 replicas 1
    2.13 Pod default/web-7d49d4664-wjrfh created
    2.14 ReplicaSet default/web-7d49d4664 replicas 4
    2.14 Pod default/web-5c4dc9cf47-qkml4 terminating
    2.14 Pod default/web-7d49d4664-wjrfh on node1
    2.15 Pod default/web-7d49d4664-s74q9 created
    2.16 Pod default/web-7d49d4664-s74q9 on node2
    3.08 Pod default/web-5c4dc9cf47-n98ds gone
    3.14 Pod default/web-7d49d4664-wjrfh Running
    3.16 Pod default/web-7d49d4664-s74q9 Running
    3.16 ReplicaSet default/web-5c4dc9cf47 replicas 0
    3.17 Pod default/web-5c4dc9cf47-jzb6d terminating
    4.12 Pod default/web-5c4dc9cf47-8b6l8 gone
    4.14 Pod default/web-5c4dc9cf47-qkml4 gone
    5.17 Pod default/web-5c4dc9cf47-jzb6d gone
    "
  `)
})

it("recreates: nothing new before the last old pod is gone", () => {
  const spec = { replicas: 2, strategy: { type: "Recreate" } }
  const cluster = running(spec)
  cluster.apply(workload("Deployment", "web", spec, "web:2"))
  cluster.settle()
  expect(cluster.timeline()).toMatchInlineSnapshot(`
    "
    1.07 ReplicaSet default/web-5c4dc9cf47 replicas 0
    1.08 Pod default/web-5c4dc9cf47-n98ds terminating
    1.08 Pod default/web-5c4dc9cf47-jzb6d terminating
    3.08 Pod default/web-5c4dc9cf47-n98ds gone
    3.08 Pod default/web-5c4dc9cf47-jzb6d gone
    3.09 ReplicaSet default/web-7d49d4664 created replicas 2
    3.10 Pod default/web-7d49d4664-qkml4 created
    3.10 Pod default/web-7d49d4664-8b6l8 created
    3.11 Pod default/web-7d49d4664-qkml4 on node1
    3.11 Pod default/web-7d49d4664-8b6l8 on node2
    4.11 Pod default/web-7d49d4664-qkml4 Running
    4.11 Pod default/web-7d49d4664-8b6l8 Running
    "
  `)
})

it("scales up and down, and replaces who was deleted", () => {
  const cluster = running({ replicas: 2 })
  cluster.patch<Deployment>("Deployment", "web", ({ spec }) => ({ ...spec, replicas: 3 }))
  cluster.settle()
  expect(cluster.timeline()).toMatchInlineSnapshot(`
    "
    1.06 Deployment default/web replicas 3
    1.07 ReplicaSet default/web-5c4dc9cf47 replicas 3
    1.08 Pod default/web-5c4dc9cf47-qkml4 created
    1.09 Pod default/web-5c4dc9cf47-qkml4 on node1
    2.09 Pod default/web-5c4dc9cf47-qkml4 Running
    "
  `)
  cluster.patch<Deployment>("Deployment", "web", ({ spec }) => ({ ...spec, replicas: 1 }))
  cluster.settle()
  expect(cluster.timeline()).toMatchInlineSnapshot(`
    "
    2.12 Deployment default/web replicas 1
    2.13 ReplicaSet default/web-5c4dc9cf47 replicas 1
    2.14 Pod default/web-5c4dc9cf47-qkml4 terminating
    2.14 Pod default/web-5c4dc9cf47-n98ds terminating
    4.14 Pod default/web-5c4dc9cf47-qkml4 gone
    4.14 Pod default/web-5c4dc9cf47-n98ds gone
    "
  `)
  cluster.remove("Pod", cluster.pods()[0]!.metadata.name!, 30)
  cluster.settle()
  expect(cluster.timeline()).toMatchInlineSnapshot(`
    "
    4.17 Pod default/web-5c4dc9cf47-jzb6d terminating
    4.18 Pod default/web-5c4dc9cf47-8b6l8 created
    4.19 Pod default/web-5c4dc9cf47-8b6l8 on node1
    5.19 Pod default/web-5c4dc9cf47-8b6l8 Running
    6.17 Pod default/web-5c4dc9cf47-jzb6d gone
    "
  `)
  expect(cluster.told("ScalingReplicaSet", "SuccessfulDelete")).toMatchInlineSnapshot(`
    "
    1.07 Normal ScalingReplicaSet Deployment/web Scaled up replica set web-5c4dc9cf47 from 2 to 3
    2.13 Normal ScalingReplicaSet Deployment/web Scaled down replica set web-5c4dc9cf47 from 3 to 1
    2.14 Normal SuccessfulDelete ReplicaSet/web-5c4dc9cf47 Deleted pod: web-5c4dc9cf47-qkml4
    2.14 Normal SuccessfulDelete ReplicaSet/web-5c4dc9cf47 Deleted pod: web-5c4dc9cf47-n98ds
    "
  `)
})

it("shares what is added in the middle of a rollout", () => {
  const strategy = { rollingUpdate: { maxSurge: 3, maxUnavailable: 2 } }
  const cluster = running({ replicas: 10, strategy }, 10 * SECOND)
  cluster.apply(workload("Deployment", "web", { replicas: 10, strategy }, "web:2"))
  cluster.run(5 * SECOND)
  cluster.apply(workload("Deployment", "web", { replicas: 15, strategy }, "web:2"))
  cluster.settle()
  expect(cluster.timeline("ReplicaSet", "Deployment")).toMatchInlineSnapshot(`
    "
    10.07 ReplicaSet default/web-7d49d4664 created replicas 3
    10.07 ReplicaSet default/web-5c4dc9cf47 replicas 8
    10.08 ReplicaSet default/web-7d49d4664 replicas 5
    15.06 Deployment default/web replicas 15
    15.07 ReplicaSet default/web-5c4dc9cf47 replicas 11
    15.07 ReplicaSet default/web-7d49d4664 replicas 7
    20.11 ReplicaSet default/web-5c4dc9cf47 replicas 10
    20.12 ReplicaSet default/web-7d49d4664 replicas 8
    20.13 ReplicaSet default/web-5c4dc9cf47 replicas 8
    20.14 ReplicaSet default/web-7d49d4664 replicas 10
    25.11 ReplicaSet default/web-5c4dc9cf47 replicas 6
    25.12 ReplicaSet default/web-7d49d4664 replicas 12
    30.16 ReplicaSet default/web-5c4dc9cf47 replicas 5
    30.18 ReplicaSet default/web-7d49d4664 replicas 13
    30.19 ReplicaSet default/web-5c4dc9cf47 replicas 3
    30.20 ReplicaSet default/web-7d49d4664 replicas 15
    35.16 ReplicaSet default/web-5c4dc9cf47 replicas 1
    40.22 ReplicaSet default/web-5c4dc9cf47 replicas 0
    "
  `)
})

it("stops while paused, scales meanwhile, and goes on", () => {
  const cluster = running({ replicas: 2 })
  cluster.apply(workload("Deployment", "web", { replicas: 3, paused: true }, "web:2"))
  cluster.settle()
  expect(cluster.timeline("ReplicaSet")).toMatchInlineSnapshot(`
    "
    1.07 ReplicaSet default/web-5c4dc9cf47 replicas 3
    "
  `)
  expect(cluster.conditions("Deployment", "web")).toMatchInlineSnapshot(`
    "
    Progressing Unknown DeploymentPaused: Deployment is paused
    Available True MinimumReplicasAvailable: Deployment has minimum availability.
    "
  `)
  cluster.apply(workload("Deployment", "web", { replicas: 3 }, "web:2"))
  cluster.settle()
  expect(cluster.timeline("ReplicaSet")).toMatchInlineSnapshot(`
    "
    2.13 ReplicaSet default/web-7d49d4664 created replicas 1
    3.17 ReplicaSet default/web-5c4dc9cf47 replicas 2
    3.18 ReplicaSet default/web-7d49d4664 replicas 2
    4.22 ReplicaSet default/web-5c4dc9cf47 replicas 1
    4.23 ReplicaSet default/web-7d49d4664 replicas 3
    5.27 ReplicaSet default/web-5c4dc9cf47 replicas 0
    "
  `)
  expect(cluster.conditions("Deployment", "web")).toMatchInlineSnapshot(`
    "
    Available True MinimumReplicasAvailable: Deployment has minimum availability.
    Progressing True NewReplicaSetAvailable: ReplicaSet "web-7d49d4664" has successfully progressed.
    "
  `)
})

it("waits for minReadySeconds, and says when a rollout makes no progress", () => {
  const spec = { replicas: 2, minReadySeconds: 5, progressDeadlineSeconds: 30 }
  const cluster = running(spec)
  expect(cluster.clock).toBe("6.02")
  cluster.apply(workload("Deployment", "web", spec, "web:2", { nodeSelector: { disk: "ssd" } }))
  cluster.settle()
  expect(cluster.clock).toBe("6.07")
  expect(cluster.conditions("Deployment", "web")).toMatchInlineSnapshot(`
    "
    Available True MinimumReplicasAvailable: Deployment has minimum availability.
    Progressing True ReplicaSetUpdated: ReplicaSet "web-646d9d78f4" is progressing.
    "
  `)
  cluster.run(40 * SECOND)
  expect(cluster.conditions("Deployment", "web")).toMatchInlineSnapshot(`
    "
    Available True MinimumReplicasAvailable: Deployment has minimum availability.
    Progressing False ProgressDeadlineExceeded: ReplicaSet "web-646d9d78f4" has timed out progressing.
    "
  `)
  expect(cluster.get<Deployment>("Deployment", "web").status).toMatchObject(
    { replicas: 3, updatedReplicas: 1, readyReplicas: 2, availableReplicas: 2, unavailableReplicas: 1 })
})

it("numbers its revisions, keeps as many as asked, and finds an old one again", () => {
  const cluster = running({ replicas: 1, revisionHistoryLimit: 2 })
  const sets = () => (cluster.store.list("ReplicaSet") as ReadonlyArray<ReplicaSet>)
    .map(({ metadata: { annotations = {} }, spec }) =>
      `${spec.template!.spec.containers[0]!.image!} ${annotations["deployment.kubernetes.io/revision"]!} ` +
      `${annotations["deployment.kubernetes.io/revision-history"] ?? "-"} ${spec.replicas!}`).sort((a, b) => (a < b ? -1 : 1))
  for (const image of ["web:2", "web:3", "web:4", "web:3"]) {
    cluster.apply(workload("Deployment", "web", { replicas: 1, revisionHistoryLimit: 2 }, image))
    cluster.settle()
  }
  expect(sets()).toEqual(["web:2 2 - 0", "web:3 5 3 1", "web:4 4 - 0"])
  expect(cluster.get("Deployment", "web").metadata.annotations).toEqual({ "deployment.kubernetes.io/revision": "5" })
})
