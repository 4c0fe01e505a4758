import { apiVersionOf, KINDS, kindsIn, lookup, notModelled, refusalText, resourceOf, unknownWord } from "@podwire/api"
import { expect, it } from "vitest"

it.each([
  ["po", "pods"], ["Pods", "pods"], ["pod", "pods"], ["deploy", "deployments.apps"], ["deployments.apps", "deployments.apps"],
  ["deployment.v1.apps", "deployments.apps"], ["rs", "replicasets.apps"], ["sts", "statefulsets.apps"], ["ds", "daemonsets.apps"],
  ["job", "jobs.batch"], ["cj", "cronjobs.batch"], ["ns", "namespaces"], ["no", "nodes"], ["svc", "services"], ["ep", "endpoints"],
  ["endpointslice", "endpointslices.discovery.k8s.io"], ["cm", "configmaps"], ["ing", "ingresses.networking.k8s.io"],
  ["netpol", "networkpolicies.networking.k8s.io"], ["hpa", "horizontalpodautoscalers.autoscaling"], ["pvc", "persistentvolumeclaims"],
  ["events", "events"], ["ev.events.k8s.io", "events.events.k8s.io"], ["sa", "serviceaccounts"], ["pdb", "poddisruptionbudgets.policy"]
])("%s means %s", (word, resource) => {
  expect(resourceOf(lookup(word)!)).toBe(resource)
})

it("does not know other words, and says which were near", () => {
  expect(lookup("deplyment")).toBeNull()
  expect(unknownWord("deplyment")).toBe(
    `error: the server doesn't have a resource type "deplyment"; did you mean "deployment"?`)
  expect(unknownWord("xyzzy")).toBe(`error: the server doesn't have a resource type "xyzzy"`)
})

it("lists `all` as kubectl does, and says what is only stored", () => {
  expect(kindsIn("all").map(resourceOf)).toEqual([
    "pods", "replicationcontrollers", "services", "daemonsets.apps", "deployments.apps", "replicasets.apps",
    "statefulsets.apps", "horizontalpodautoscalers.autoscaling", "cronjobs.batch", "jobs.batch"
  ])
  expect(notModelled({ apiVersion: "v1", kind: "Pod" })).toBeNull()
  expect(notModelled({ apiVersion: "v1", kind: "Service" })).toBe("Service: stored, not modelled yet")
  expect(notModelled({ apiVersion: "example.com/v1", kind: "Widget" })).toBe(
    "Widget (example.com/v1): custom resource, stored and not acted on")
})

it("has one place for each group and kind", () => {
  const names = KINDS.map((kind) => `${apiVersionOf(kind)}/${kind.kind}`)
  expect(new Set(names).size).toBe(names.length)
})

it.each([
  ["AlreadyExists", "Pod", 'Error from server (AlreadyExists): pods "x" already exists'],
  ["NotFound", "Deployment", 'Error from server (NotFound): deployments.apps "x" not found'],
  ["NotFound", "VirtualService.networking.istio.io", 'Error from server (NotFound): virtualservices.networking.istio.io "x" not found'],
  ["NotFound", "Proxy.example.com", 'Error from server (NotFound): proxies.example.com "x" not found'],
  ["Conflict", "StatefulSet", 'Error from server (Conflict): Operation cannot be fulfilled on statefulsets.apps "x": the object ' +
    "has been modified; please apply your changes to the latest version and try again"]
] as const)("a refusal: %s of a %s", (reason, kind, text) => {
  expect(refusalText({ reason, ref: { kind, namespace: "default", name: "x" } })).toBe(text)
})
