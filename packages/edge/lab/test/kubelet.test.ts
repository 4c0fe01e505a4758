/** A pod that ends, is deleted and comes again at nearly the same time: each by its own uid. */
import * as Effect from "effect/Effect"
import { NodeServices } from "@effect/platform-node"
import type { Cluster } from "@podwire/cluster"
import { SECOND } from "@podwire/engine"
import { expect, it } from "vitest"
import { Lab } from "@podwire/lab"

const MS = 1e6
const REF = { kind: "Pod", namespace: "default", name: "a" }
const pod = (name: string) => `apiVersion: v1
kind: Pod
metadata: { name: ${name} }
spec:
  nodeName: node1
  restartPolicy: Never
  containers: [{ name: c, image: busybox, command: [sleep, "1000000000"], ports: [{ containerPort: 80, hostPort: 80 }] }]
---
`

async function settled(manifests: string): Promise<Lab> {
  const made = Effect.gen(function*() {
    const lab = yield* Lab.of([{ name: "p.yaml", content: manifests }], { nodes: 1 })
    expect(yield* lab.settle()).toBe(true)
    return lab
  })
  return Effect.runPromise(made.pipe(Effect.scoped, Effect.provide(NodeServices.layer)) as Effect.Effect<Lab>)
}

function pass(cluster: Cluster, ns: number): void {
  cluster.engine.advance(cluster.engine.nowNs + ns, 1e6)
}

it("its containers end while the deletion is on its way: the object goes all the same", async () => {
  const { cluster } = await settled(pod("a"))
  const sandbox = cluster.pod("default", "a")!
  cluster.store.delete(REF, 30)
  for (const { process } of sandbox.containers) process!.kill()
  pass(cluster, 60 * SECOND)
  expect(cluster.store.get(REF.kind, REF.namespace, REF.name)).toBe(null)
})

it("another of its name comes before its network is gone: that one stays", async () => {
  const { cluster } = await settled(pod("a"))
  const { metadata, spec } = cluster.store.get(REF.kind, REF.namespace, REF.name)!
  cluster.store.delete(REF, 30)
  pass(cluster, 5 * MS)
  cluster.store.delete(REF, 0)
  pass(cluster, 2 * MS)
  cluster.store.create({
    apiVersion: "v1", kind: "Pod", metadata: { name: "a", namespace: "default", labels: { new: "yes" } }, spec
  })
  pass(cluster, 5 * SECOND)
  const now = cluster.store.get(REF.kind, REF.namespace, REF.name)
  expect([now?.metadata.labels, now?.metadata.uid === metadata.uid]).toEqual([{ new: "yes" }, false])
})

it("a pod that waited for the node and is rejected waits no more", async () => {
  const { cluster } = await settled(pod("a") + pod("b"))
  const phases = cluster.store.list("Pod").map((each) => (each.status as { phase: string }).phase)
  expect(phases.sort()).toEqual(["Failed", "Running"])
  expect(cluster.refused).toEqual([])
})
