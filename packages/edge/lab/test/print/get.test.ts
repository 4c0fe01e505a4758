/** Whole answers of `get` on a small cluster of given documents. */
import * as Effect from "effect/Effect"
import { expect, it } from "vitest"
import { Lab } from "../../src/lab.ts"
import { get } from "../../src/print/get.ts"
import { TargetError } from "../../src/target.ts"

const POD = (name: string) => `apiVersion: v1
kind: Pod
metadata: { name: ${name}, labels: { app: ${name} } }
spec: { nodeName: node1, containers: [{ name: c, image: "nginx:1.27" }] }
`
const SERVICE = `apiVersion: v1
kind: Namespace
metadata: { name: shop }
---
apiVersion: v1
kind: ConfigMap
metadata: { name: c, namespace: shop }
data: { a: "1" }
`

it("tables, names, templates and what is not there", async () => {
  const said = await Effect.runPromise(Effect.scoped(Effect.gen(function*() {
    const lab = yield* Lab.of([{ name: "x.yaml", content: [POD("web"), POD("api"), SERVICE].join("---\n") }], { nodes: 1 })
    yield* lab.settle()
    const ask = (words: string, more: object = {}) => {
      const printed = get(lab.cluster, words.split(" "), { namespace: "default", ...more })
      return printed instanceof TargetError ? `! ${printed.message}\n` : printed.stdout + printed.stderr
    }
    return [
      ask("pods", { output: "wide" }), ask("po,cm", { allNamespaces: true }), ask("pod web", { noHeaders: true, showLabels: true }),
      ask("pods", { selector: "app in (api)", output: "name" }), ask("cm"), ask("pod nope"), ask("gizmos"),
      ask("pods", { output: 'jsonpath={range .items[?(@.metadata.name=="web")]}{.metadata.name}={.status.podIP}{"\\n"}{end}' }),
      ask("pods", { output: "custom-columns=N:.metadata.name,L:.metadata.labels,X:.spec.x" })
    ].join("")
  })))
  expect(said).toMatchInlineSnapshot(`
    "NAME   READY   STATUS    RESTARTS   AGE   IP           NODE    NOMINATED NODE   READINESS GATES
    api    1/1     Running   0          2s    10.244.0.3   node1   <none>           <none>
    web    1/1     Running   0          2s    10.244.0.2   node1   <none>           <none>
    NAMESPACE   NAME      READY   STATUS    RESTARTS   AGE
    default     pod/api   1/1     Running   0          2s
    default     pod/web   1/1     Running   0          2s

    NAMESPACE   NAME          DATA   AGE
    shop        configmap/c   1      2s
    web   1/1   Running   0     2s    app=web
    pod/api
    No resources found in default namespace.
    ! Error from server (NotFound): pods "nope" not found
    ! error: the server doesn't have a resource type "gizmos"
    web=10.244.0.2
    N     L              X
    api   map[app:api]   <none>
    web   map[app:web]   <none>
    "
  `)
})
