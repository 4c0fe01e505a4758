import { SECOND } from "@podwire/engine"
import { expect, it } from "vitest"
import { Cluster, workload } from "./cluster.ts"

function running(spec: object): Cluster {
  const cluster = new Cluster()
  cluster.nodes(2)
  cluster.apply(workload("StatefulSet", "db", spec))
  cluster.settle()
  return cluster
}

it("goes up one by one, rolls over from the top, and goes down from the top", () => {
  const cluster = running({ replicas: 2, serviceName: "db" })
  expect(cluster.timeline("Pod")).toMatchInlineSnapshot(`
    "
    0.01 Pod default/db-0 created
    0.02 Pod default/db-0 on node1
    1.02 Pod default/db-0 Running
    1.03 Pod default/db-1 created
    1.04 Pod default/db-1 on node2
    2.04 Pod default/db-1 Running
    "
  `)
  cluster.apply(workload("StatefulSet", "db", { replicas: 2, serviceName: "db" }, "db:2"))
  cluster.settle()
  expect(cluster.timeline("Pod")).toMatchInlineSnapshot(`
    "
    2.07 Pod default/db-1 terminating
    4.07 Pod default/db-1 gone
    4.08 Pod default/db-1 created
    4.09 Pod default/db-1 on node2
    5.09 Pod default/db-1 Running
    5.10 Pod default/db-0 terminating
    7.10 Pod default/db-0 gone
    7.11 Pod default/db-0 created
    7.12 Pod default/db-0 on node1
    8.12 Pod default/db-0 Running
    "
  `)
  cluster.apply(workload("StatefulSet", "db", { replicas: 0, serviceName: "db" }, "db:2"))
  cluster.settle()
  expect(cluster.timeline("Pod")).toMatchInlineSnapshot(`
    "
    8.15 Pod default/db-1 terminating
    10.15 Pod default/db-1 gone
    10.16 Pod default/db-0 terminating
    12.16 Pod default/db-0 gone
    "
  `)
})

it("names its pods", () => {
  const cluster = running({ replicas: 1, serviceName: "db", ordinals: { start: 5 } })
  const { metadata: { uid: _, ownerReferences: __, ...metadata }, spec } = cluster.pods()[0]!
  expect([metadata, spec.hostname, spec.subdomain]).toMatchInlineSnapshot(`
    [
      {
        "creationTimestamp": "2026-01-01T00:00:00Z",
        "generateName": "db-",
        "generation": 1,
        "labels": {
          "app": "db",
          "apps.kubernetes.io/pod-index": "5",
          "controller-revision-hash": "db-798c645ff7",
          "statefulset.kubernetes.io/pod-name": "db-5",
        },
        "name": "db-5",
        "namespace": "default",
        "resourceVersion": "9",
      },
      "db-5",
      "db",
    ]
  `)
  expect(cluster.told("SuccessfulCreate")).toMatchInlineSnapshot(`
    "
    0.01 Normal SuccessfulCreate StatefulSet/db create Pod db-5 in StatefulSet db successful
    "
  `)
})

it("makes all at once when Parallel, and waits for minReadySeconds when not", () => {
  const parallel = running({ replicas: 3, podManagementPolicy: "Parallel" })
  expect(parallel.pods().map(({ metadata }) => metadata.creationTimestamp)).toEqual(Array(3).fill("2026-01-01T00:00:00Z"))
  const slow = running({ replicas: 2, minReadySeconds: 10 })
  expect(slow.pods().map(({ metadata }) => metadata.creationTimestamp)).toEqual(["2026-01-01T00:00:00Z", "2026-01-01T00:00:11Z"])
})

it("leaves who is below the partition as he was, also when he comes back", () => {
  const cluster = running({ replicas: 3 })
  cluster.apply(workload("StatefulSet", "db", { replicas: 3, updateStrategy: { rollingUpdate: { partition: 2 } } }, "db:2"))
  cluster.settle()
  cluster.remove("Pod", "db-0", 30)
  cluster.settle()
  expect(cluster.pods().map(({ spec }) => spec.containers[0]!.image)).toEqual(["web:1", "web:1", "db:2"])
  expect(cluster.get("StatefulSet", "db").status).toMatchObject({ currentReplicas: 2, updatedReplicas: 1, readyReplicas: 3 })
})

it("leaves all when OnDelete, until they are deleted", () => {
  const spec = { replicas: 2, updateStrategy: { type: "OnDelete" } }
  const cluster = running(spec)
  cluster.apply(workload("StatefulSet", "db", spec, "db:2"))
  cluster.settle()
  cluster.remove("Pod", "db-1", 30)
  cluster.run(10 * SECOND)
  expect(cluster.pods().map(({ spec }) => spec.containers[0]!.image)).toEqual(["web:1", "db:2"])
})
