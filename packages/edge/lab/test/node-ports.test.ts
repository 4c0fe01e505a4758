/** A node's agent does not take a pod whose node port another pod there has (kubelet admission, predicate NodePorts). */
import * as Effect from "effect/Effect"
import { NodeServices } from "@effect/platform-node"
import { expect, it } from "vitest"
import { type InputError, Lab, renderProblem, runLab } from "@podwire/lab"

const pod = (name: string, port: number, protocol = "TCP") =>
  `apiVersion: v1\nkind: Pod\nmetadata: {name: ${name}}\nspec: {nodeName: node1, hostNetwork: true, containers: ` +
  `[{name: a, image: img, ports: [{containerPort: ${port}, protocol: ${protocol}}]}]}\n---\n`

it("the second of two on one node fails, told at its manifest; other ports and protocols are free", async () => {
  const content = pod("h1", 80) + pod("h2", 80) + pod("h3", 81) + pod("h4", 80, "UDP")
  const run = Effect.gen(function*() {
    const lab = yield* Lab.of([{ name: "m.yaml", content }], { nodes: 1 })
    const { failures } = yield* runLab(lab)
    const pods = lab.cluster.store.list("Pod").map(({ metadata, status }) => {
      const { phase, reason } = status as { readonly phase: string; readonly reason?: string }
      return `${metadata.name} ${reason ?? phase}`
    })
    return { pods, failures: failures.map(renderProblem) }
  }).pipe(Effect.scoped, Effect.provide(NodeServices.layer))
  expect(await Effect.runPromise(run as Effect.Effect<{ pods: ReadonlyArray<string>; failures: ReadonlyArray<string> }, InputError>)).toEqual({
    pods: ["h1 Running", "h2 NodePorts", "h3 Running", "h4 Running"],
    failures: [
      "m.yaml:9:7: spec: pod default/h2: Pod was rejected: Predicate NodePorts failed: another pod on node1 has that port of the " +
      "node; leave nodeName to the scheduler or use another port"
    ]
  })
})
