import { matchesNode, matchesTerms, type Node, tolerates, untolerated } from "@podwire/api"
import { expect, it } from "vitest"

const taint = { key: "dedicated", value: "db", effect: "NoSchedule" }

it.each([
  [{ key: "dedicated", value: "db", effect: "NoSchedule" }, true],
  [{ key: "dedicated", operator: "Equal", value: "db" }, true],
  [{ key: "dedicated", operator: "Exists" }, true],
  [{ operator: "Exists" }, true],
  [{ operator: "Exists", effect: "NoExecute" }, false],
  [{ key: "dedicated", value: "web" }, false],
  [{ key: "dedicated" }, false],
  [{ key: "other", operator: "Exists" }, false],
  [{ key: "dedicated", operator: "Gt", value: "1" }, false]
])("%j tolerates the taint: %s", (toleration, expected) => {
  expect(tolerates(toleration, taint)).toBe(expected)
})

it("names the first taint that keeps a pod away", () => {
  const taints = [{ key: "a", effect: "PreferNoSchedule" }, { key: "b", effect: "NoExecute" }, taint]
  expect(untolerated(taints, [])).toBe(taints[1])
  expect(untolerated(taints, [{ key: "b", operator: "Exists" }])).toBe(taint)
  expect(untolerated(taints, [{ operator: "Exists" }])).toBeNull()
  expect(untolerated(taints, [], ["PreferNoSchedule"])).toBe(taints[0])
  expect(untolerated(undefined, undefined)).toBeNull()
})

const labels = { zone: "a", cores: "8" }
const term = (operator: string, key: string, ...values: ReadonlyArray<string>) =>
  [{ matchExpressions: [{ key, operator, values }] }]

it.each([
  [term("In", "zone", "a", "b"), true], [term("In", "zone", "b"), false], [term("NotIn", "zone", "b"), true],
  [term("NotIn", "disk", "ssd"), true], [term("Exists", "zone"), true], [term("Exists", "disk"), false],
  [term("DoesNotExist", "disk"), true], [term("Gt", "cores", "4"), true], [term("Gt", "cores", "8"), false],
  [term("Lt", "cores", "10"), true], [term("Gt", "zone", "1"), false], [term("Gt", "cores", "x"), false],
  [[{}], false], [[], false],
  [[{}, ...term("Exists", "zone")], true],
  [[{ matchFields: [{ key: "metadata.name", operator: "In", values: ["node1"] }] }], true],
  [[{ matchFields: [{ key: "metadata.name", operator: "NotIn", values: ["node1"] }] }], false],
  [[{ matchExpressions: [{ key: "zone", operator: "Exists" }], matchFields: [{ key: "metadata.name", operator: "In", values: ["x"] }] }], false]
])("terms %j match: %s", (terms, expected) => {
  expect(matchesTerms(terms, labels, "node1")).toBe(expected)
})

it("asks nodeSelector and affinity together", () => {
  const node = { apiVersion: "v1", kind: "Node", metadata: { name: "node1", labels }, spec: {} } as Node
  const affinity = (zone: string) => ({
    nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: term("In", "zone", zone) } }
  })
  expect(matchesNode({}, node)).toBe(true)
  expect(matchesNode({ nodeSelector: { zone: "a" }, affinity: affinity("a") }, node)).toBe(true)
  expect(matchesNode({ nodeSelector: { zone: "b" }, affinity: affinity("a") }, node)).toBe(false)
  expect(matchesNode({ nodeSelector: { zone: "a" }, affinity: affinity("b") }, node)).toBe(false)
  expect(matchesNode({ nodeSelector: { constructor: "x" } }, node)).toBe(false)
})
