import { expect, it } from "vitest"
import { SECOND } from "@podwire/engine"
import { Cluster, workload } from "./cluster.ts"

it("rolls a Deployment over, a quarter at a time", () => {
  const cluster = new Cluster()
  cluster.nodes(2)
  cluster.apply(workload("Deployment", "web", { replicas: 4 }))
  cluster.settle()
  cluster.lines.length = 0
  cluster.run(10 * SECOND)
  cluster.apply(workload("Deployment", "web", { replicas: 4 }, "web:2"))
  cluster.settle()
  expect(cluster.timeline).toMatchInlineSnapshot(`
    "11.07 ReplicaSet default/web-7d49d4664 created replicas 1
    11.07 ReplicaSet default/web-5c4dc9cf47 replicas 3
    11.08 ReplicaSet default/web-7d49d4664 replicas 2
    11.08 Pod default/web-7d49d4664-bbnz6 created
    11.08 Pod default/web-5c4dc9cf47-n98ds terminating
    11.09 Pod default/web-7d49d4664-vcbmv created
    11.09 Pod default/web-7d49d4664-bbnz6 on node1
    11.10 Pod default/web-7d49d4664-vcbmv on node2
    12.09 Pod default/web-7d49d4664-bbnz6 Running
    12.10 Pod default/web-7d49d4664-vcbmv Running
    12.11 ReplicaSet default/web-5c4dc9cf47 replicas 2
    12.12 ReplicaSet default/web-7d49d4664 replicas 3
    12.12 Pod default/web-5c4dc9cf47-8b6l8 terminating
    12.13 ReplicaSet default/web-5c4dc9cf47 replicas 1
    12.13 Pod default/web-7d49d4664-wjrfh created
    12.14 ReplicaSet default/web-7d49d4664 replicas 4
    12.14 Pod default/web-5c4dc9cf47-qkml4 terminating
    12.14 Pod default/web-7d49d4664-wjrfh on node1
    12.15 Pod default/web-7d49d4664-s74q9 created
    12.16 Pod default/web-7d49d4664-s74q9 on node2
    13.08 Pod default/web-5c4dc9cf47-n98ds gone
    13.14 Pod default/web-7d49d4664-wjrfh Running
    13.16 Pod default/web-7d49d4664-s74q9 Running
    13.16 ReplicaSet default/web-5c4dc9cf47 replicas 0
    13.17 Pod default/web-5c4dc9cf47-jzb6d terminating
    14.12 Pod default/web-5c4dc9cf47-8b6l8 gone
    14.14 Pod default/web-5c4dc9cf47-qkml4 gone
    15.17 Pod default/web-5c4dc9cf47-jzb6d gone"
  `)
})

it.each([
  [{ maxSurge: 0, maxUnavailable: 1 }, "surge 0"],
  [{ maxSurge: "100%", maxUnavailable: 0 }, "all at once"]
])("rolls with %j", (rollingUpdate) => {
  const cluster = new Cluster()
  cluster.nodes(2)
  cluster.apply(workload("Deployment", "web", { replicas: 2, strategy: { rollingUpdate } }))
  cluster.settle()
  cluster.lines.length = 0
  cluster.run(10 * SECOND)
  cluster.apply(workload("Deployment", "web", { replicas: 2, strategy: { rollingUpdate } }, "web:2"))
  cluster.settle()
  expect(cluster.timeline).toMatchSnapshot()
})
