import {
  admit, imageTag, items, type Job, type KubeObject, type PodSpec, prepareForCreate, qosClass, validate, withDefaults, withJobSelector
} from "@podwire/api"
import { readFileSync } from "node:fs"
import { expect, it } from "vitest"
import { parse, parseAllDocuments, stringify } from "yaml"
import { BASES, merge } from "./base.ts"

const shown = (base: string, fields = "{}") =>
  stringify(admit(merge(BASES[base], parse(fields))).object, { sortMapEntries: true, flowCollectionPadding: false, indentSeq: false })

it("a pod is stored with what the server and admission fill in", () => {
  expect(shown("pod", `
    spec:
      hostNetwork: true
      containers: [{name: c, image: "a/b:1", ports: [{containerPort: 80}], livenessProbe: {httpGet: {port: 80}},
        resources: {limits: {cpu: 1}}, env: [{name: IP, valueFrom: {fieldRef: {fieldPath: status.podIP}}}]}]
      volumes: [{name: v}, {name: h, hostPath: {path: /x}}]`)).toBe(`apiVersion: v1
kind: Pod
metadata:
  name: web
  namespace: default
spec:
  containers:
  - env:
    - name: IP
      valueFrom:
        fieldRef:
          apiVersion: v1
          fieldPath: status.podIP
    image: a/b:1
    imagePullPolicy: IfNotPresent
    livenessProbe:
      failureThreshold: 3
      httpGet:
        path: /
        port: 80
        scheme: HTTP
      periodSeconds: 10
      successThreshold: 1
      timeoutSeconds: 1
    name: c
    ports:
    - containerPort: 80
      hostPort: 80
      protocol: TCP
    resources:
      limits:
        cpu: 1
      requests:
        cpu: 1
    terminationMessagePath: /dev/termination-log
    terminationMessagePolicy: File
  dnsPolicy: ClusterFirst
  enableServiceLinks: true
  hostNetwork: true
  preemptionPolicy: PreemptLowerPriority
  priority: 0
  restartPolicy: Always
  schedulerName: default-scheduler
  securityContext: {}
  serviceAccount: default
  serviceAccountName: default
  terminationGracePeriodSeconds: 30
  tolerations:
  - effect: NoExecute
    key: node.kubernetes.io/not-ready
    operator: Exists
    tolerationSeconds: 300
  - effect: NoExecute
    key: node.kubernetes.io/unreachable
    operator: Exists
    tolerationSeconds: 300
  volumes:
  - emptyDir: {}
    name: v
  - hostPath:
      path: /x
      type: ""
    name: h
status:
  phase: Pending
  qosClass: Burstable
`)
})

it("a template gets what a pod gets later, except what only a pod has", () => {
  const { spec } = admit(merge(BASES["deployment"], parse(
    "spec: {template: {spec: {hostNetwork: true, containers: [{name: c, image: i, ports: [{containerPort: 80}]}]}}}"
  ))).object as { readonly spec: { readonly template: { readonly spec: Record<string, unknown> } } }
  expect(spec.template.spec).not.toHaveProperty("enableServiceLinks")
  expect(spec.template.spec).not.toHaveProperty("tolerations")
  expect(spec.template.spec["containers"]).toMatchObject([{ ports: [{ containerPort: 80, protocol: "TCP" }] }])
  expect(JSON.stringify(spec.template.spec)).not.toContain("hostPort")
})

it.each([
  ["deployment", {
    replicas: 1, revisionHistoryLimit: 10, progressDeadlineSeconds: 600,
    strategy: { type: "RollingUpdate", rollingUpdate: { maxUnavailable: "25%", maxSurge: "25%" } }
  }],
  ["replicaset", { replicas: 1 }],
  ["statefulset", {
    replicas: 1, revisionHistoryLimit: 10, podManagementPolicy: "OrderedReady",
    updateStrategy: { type: "RollingUpdate", rollingUpdate: { partition: 0 } },
    persistentVolumeClaimRetentionPolicy: { whenDeleted: "Retain", whenScaled: "Retain" }
  }],
  ["daemonset", {
    revisionHistoryLimit: 10, updateStrategy: { type: "RollingUpdate", rollingUpdate: { maxUnavailable: 1, maxSurge: 0 } }
  }],
  ["job", {
    completions: 1, parallelism: 1, backoffLimit: 6, completionMode: "NonIndexed", suspend: false,
    podReplacementPolicy: "TerminatingOrFailed"
  }],
  ["service", {
    type: "ClusterIP", sessionAffinity: "None", internalTrafficPolicy: "Cluster",
    ports: [{ port: 80, protocol: "TCP", targetPort: 80 }]
  }],
  ["namespace", { finalizers: ["kubernetes"] }]
])("a %s", (base, spec) => {
  expect(admit(BASES[base]).object!.spec).toMatchObject(spec)
})

it("places what has a namespace in default, takes it from what has none, and names namespaces by label", () => {
  expect(admit(BASES["service"]).object!.metadata.namespace).toBe("default")
  expect(admit(merge(BASES["node"], { metadata: { namespace: "default" } })).object!.metadata.namespace).toBeUndefined()
  expect(admit(BASES["namespace"]).object!.metadata.labels).toEqual({ "kubernetes.io/metadata.name": "team-a" })
})

it("pulls what is tagged latest, or not tagged, every time", () => {
  const policy = (image: string) =>
    (admit(merge(BASES["pod"], { spec: { containers: [{ name: "c", image }] } })).object!.spec as PodSpec)
      .containers[0]!.imagePullPolicy
  expect(["nginx", "nginx:latest", "nginx:1", "nginx@sha256:abc"].map(policy))
    .toEqual(["Always", "Always", "IfNotPresent", "IfNotPresent"])
})

it("a pod that tolerates everything, or one of the two, is not told for how long", () => {
  const keys = (tolerations: ReadonlyArray<object>) =>
    (admit(merge(BASES["pod"], { spec: { tolerations } })).object!.spec as PodSpec)
      .tolerations!.map(({ key, tolerationSeconds }) => `${key} ${tolerationSeconds}`)
  expect(keys([{ operator: "Exists" }])).toEqual(["undefined undefined"])
  expect(keys([{ key: "node.kubernetes.io/not-ready", operator: "Exists" }])).toEqual(
    ["node.kubernetes.io/not-ready undefined", "node.kubernetes.io/unreachable 300"])
})

it("a namespace on what has none is refused, were it not taken away", () => {
  const node = merge(BASES["node"], { metadata: { namespace: "x" }, spec: {} }) as KubeObject
  expect(validate(node)).toEqual(
    [{ path: ["metadata", "namespace"], atKey: false, message: "Forbidden: not allowed on this type" }])
})

it("a node's single range and its list are kept in step", () => {
  expect(admit(merge(BASES["node"], { spec: { podCIDR: "10.244.0.0/24" } })).object!.spec)
    .toEqual({ podCIDR: "10.244.0.0/24", podCIDRs: ["10.244.0.0/24"] })
  expect(admit(merge(BASES["node"], { spec: { podCIDRs: ["10.244.0.0/24", "fd00::/64"] } })).object!.spec)
    .toEqual({ podCIDR: "10.244.0.0/24", podCIDRs: ["10.244.0.0/24", "fd00::/64"] })
})

const good = parseAllDocuments(readFileSync(new URL("good.yaml", import.meta.url), "utf8"))
  .flatMap((document) => items(document.toJS())).map(({ value }) => admit(value))

it("every good manifest is admitted, and admitting what was stored changes nothing", () => {
  for (const { object, problems } of good) {
    expect(problems).toBeUndefined()
    expect(withDefaults(object!)).toEqual(object)
    expect(validate(object!)).toEqual([])
    expect(admit(object).object).toEqual(object)
  }
})

it("what a server wrote into a pasted object is not taken", () => {
  const pasted = good.find(({ object }) => object!.metadata.name === "pasted")!.object!
  expect(pasted.metadata).toEqual({
    name: "pasted", namespace: "default", generateName: "pasted-",
    ownerReferences: [{ apiVersion: "apps/v1", kind: "ReplicaSet", name: "rs", uid: "u", controller: true, blockOwnerDeletion: true }]
  })
  expect(pasted.status).toEqual({ phase: "Pending", qosClass: "BestEffort" })
  const node = good.find(({ object }) => object!.kind === "Node")!.object!
  expect(prepareForCreate(node).status).toHaveProperty("addresses")
})

it.each([
  ["nginx", "latest"], ["nginx:1.27", "1.27"], ["host:5000/nginx", "latest"], ["host:5000/nginx:2", "2"],
  ["nginx@sha256:abc", ""], ["nginx:1@sha256:abc", "1"], ["", "latest"]
])("the tag of %j is %j", (image, tag) => {
  expect(imageTag(image)).toBe(tag)
})

it.each([
  [[{}], "BestEffort"],
  [[{ requests: { cpu: 1 } }], "Burstable"],
  [[{ limits: { cpu: 1, memory: "1Gi" } }], "Guaranteed"],
  [[{ limits: { cpu: 1, memory: "1Gi" }, requests: { cpu: "1000m", memory: "1024Mi" } }], "Guaranteed"],
  [[{ limits: { cpu: 1, memory: "1Gi" } }, {}], "Burstable"]
])("resources %j make a pod %s", (resources, expected) => {
  expect(qosClass({ containers: resources.map((r, i) => ({ name: `c${i}`, resources: r as object })) })).toBe(expected)
})

it("a Job's selector and its pods' labels carry its uid", () => {
  const job = withJobSelector(admit(BASES["job"]).object as unknown as Job, "u-1")
  expect(job.spec.selector).toEqual({ matchLabels: { "batch.kubernetes.io/controller-uid": "u-1" } })
  expect(job.spec.template.metadata.labels).toEqual({
    "batch.kubernetes.io/controller-uid": "u-1", "controller-uid": "u-1", "batch.kubernetes.io/job-name": "web", "job-name": "web"
  })
  expect(validate(job as unknown as KubeObject)).toEqual([])
})
