import { admit, admitUpdate, invalidText, type KubeObject, problemText } from "@podwire/api"
import { readFileSync } from "node:fs"
import { expect, it } from "vitest"
import { parse } from "yaml"
import { BASES, merge } from "./base.ts"

const cases = readFileSync(new URL("broken.txt", import.meta.url), "utf8").split(/^=== /m).slice(1).map((text) => {
  const [head, ...rest] = text.trimEnd().split("\n") as [string, ...Array<string>]
  const [title, base] = head.split(" | ") as [string, string]
  return {
    title, base,
    fields: rest.filter((line) => !line.startsWith("--> ")).join("\n"),
    expected: rest.filter((line) => line.startsWith("--> ")).map((line) => line.slice(4))
  }
})

it("has a table worth its name", () => {
  expect(cases.length).toBeGreaterThan(100)
  expect(new Set(cases.map(({ title }) => title)).size).toBe(cases.length)
})

it.each(cases)("refuses $title", ({ base, fields, expected }) => {
  const { problems } = admit(merge(BASES[base], parse(fields)))
  expect((problems ?? []).map(problemText)).toEqual(expected)
})

it.each(Object.entries(BASES).filter(([, base]) => base !== undefined))("admits a plain %s", (_, base) => {
  expect(admit(base).problems).toBeUndefined()
})

const stored = (base: string, fields: string) => {
  const { object } = admit(merge(BASES[base], parse(fields)))
  return { ...object, metadata: { ...object!.metadata, uid: "u", resourceVersion: "1" } } as KubeObject
}

it.each([
  ["a Deployment's replicas and template", "deployment", "{}", "spec: {replicas: 5, template: {spec: {hostNetwork: true}}}", []],
  ["a Deployment's selector", "deployment", "{}",
    "spec: {selector: {matchLabels: {tier: x}}, template: {metadata: {labels: {tier: x}}}}",
    ['spec.selector: Invalid value: {"matchLabels":{"app":"web","tier":"x"}}: field is immutable']],
  ["a pod's image and one more toleration", "pod", "{}",
    "spec: {containers: [{name: c, image: other}], tolerations: [{key: a, operator: Exists}]}", []],
  ["a pod's node and port", "pod", "spec: {nodeName: node1}",
    "spec: {nodeName: node2, containers: [{name: c, image: i, ports: [{containerPort: 80}]}]}",
    ["spec: Forbidden: pod updates may not change fields other than `spec.containers[*].image`," +
      "`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing " +
      "tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative); " +
      "changed here: spec.containers[0].ports, spec.nodeName"]],
  ["one container more", "pod", "{}", "spec: {containers: [{name: c, image: i}, {name: d, image: i}]}",
    ["spec.containers: Forbidden: pod updates may not add or remove containers"]],
  ["a StatefulSet's scale", "statefulset", "{}", "spec: {replicas: 5, minReadySeconds: 3}", []],
  ["a StatefulSet's service", "statefulset", "{}", "spec: {serviceName: other}",
    ["spec: Forbidden: updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', " +
      "'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are " +
      "forbidden"]],
  ["a Job's completions", "job", "{}", "spec: {completions: 9}",
    ["spec.completions: Invalid value: 9: field is immutable"]],
  ["a node's ranges", "node", "spec: {podCIDRs: [10.244.0.0/24]}", "spec: {podCIDRs: [10.244.1.0/24]}",
    ['spec.podCIDRs: Forbidden: node updates may not change podCIDR except from "" to valid']]
])("an update of %s", (_, base, before, after, expected) => {
  const old = stored(base, before)
  const next = merge(merge(BASES[base], parse(before)), parse(after))
  expect((admitUpdate(old, next).problems ?? []).map(problemText)).toEqual(expected)
})

it("prints one problem on the line and several as a list", () => {
  const broken = merge(BASES["deployment"], parse("spec: {replicas: -1}")) as KubeObject
  expect(invalidText(broken, admit(broken).problems!)).toBe(
    'The Deployment "web" is invalid: spec.replicas: Invalid value: -1: must be greater than or equal to 0')
  const worse = merge(broken, parse("spec: {minReadySeconds: -2}")) as KubeObject
  expect(invalidText(worse, admit(worse).problems!)).toBe([
    'The Deployment "web" is invalid: ',
    "* spec.replicas: Invalid value: -1: must be greater than or equal to 0",
    "* spec.minReadySeconds: Invalid value: -2: must be greater than or equal to 0"
  ].join("\n"))
})
