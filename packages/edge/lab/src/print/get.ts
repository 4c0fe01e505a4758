/**
 * `kubectl get` on the store: tables, wide tables, JSON, YAML, names, JSONPath and columns of one's own, byte
 * for byte as kubectl 1.36 prints what the server's printers give (kubectl pkg/cmd/get).
 * Not supported: -w, --chunk-size, --show-managed-fields, go-template, --subresource.
 */
import type { KubeObject } from "@podwire/api"
import type { Cluster } from "@podwire/cluster"
import { nameOf } from "../object-name.ts"
import { TargetError } from "../target.ts"
import type { Printer, View } from "./columns.ts"
import { listOf, toJson } from "./json.ts"
import { parsePath, renderTemplate, valueText, walk } from "./json-path.ts"
import { labelsText } from "./labels.ts"
import * as network from "./network.ts"
import { EVENT_ORDER, events, nameAndAge, OTHER } from "./other.ts"
import { pods } from "./pod.ts"
import { type Resource, select, type Selection, type SelectOptions } from "./select.ts"
import { tabulate } from "./tabulate.ts"
import * as workload from "./workload.ts"
import { toYaml } from "./yaml.ts"

export interface GetOptions extends SelectOptions {
  readonly output?: string
  readonly showLabels?: boolean
  readonly labelColumns?: ReadonlyArray<string>
  readonly noHeaders?: boolean
  readonly sortBy?: string
}

export interface Printed {
  readonly stdout: string
  readonly stderr: string
}

const PRINTERS: Readonly<Record<string, Printer>> = {
  ...OTHER, Pod: pods, Deployment: workload.deployments, ReplicaSet: workload.replicaSets,
  StatefulSet: workload.statefulSets,
  DaemonSet: workload.daemonSets, Job: workload.jobs, CronJob: workload.cronJobs,
  HorizontalPodAutoscaler: workload.autoscalers,
  Service: network.services, Endpoints: network.endpoints, EndpointSlice: network.endpointSlices,
  Ingress: network.ingresses,
  IngressClass: network.ingressClasses, NetworkPolicy: network.networkPolicies, Event: events
}
const FORMATS = ["json", "yaml", "name", "wide", "custom-columns=…", "jsonpath=…"]

export function get(
  cluster: Cluster, words: ReadonlyArray<string>, options: GetOptions
): Printed | TargetError {
  const output = options.output ?? ""
  const selected = select(cluster, words, options)
  if (selected instanceof TargetError) return selected
  const selections = options.sortBy === undefined ? selected : sortEach(selected, options.sortBy)
  if (selections instanceof TargetError) return selections
  const objects = selections.flatMap((selection) => selection.objects)
  if (output === "" || output === "wide") {
    const stdout = tables(selections, { nowNs: cluster.engine.nowNs, wide: output === "wide" }, options)
    return { stdout, stderr: stdout === "" ? nothing(selections, options) : "" }
  }
  if (output === "name") {
    return {
      stdout: objects.map((object) => `${nameOf(object)}\n`).join(""),
      stderr: objects.length === 0 ? nothing(selections, options) : ""
    }
  }
  const whole = selections.length === 1 && selections[0]!.single ? objects[0]! : listOf(objects)
  if (output === "json") return { stdout: toJson(whole), stderr: "" }
  if (output === "yaml") return { stdout: toYaml(whole), stderr: "" }
  const [format, argument] = [output.split("=")[0]!, output.slice(output.indexOf("=") + 1)]
  if (format === "jsonpath" && output.includes("=")) {
    const rendered = renderTemplate(argument, whole)
    return "error" in rendered
      ? new TargetError({ what: `error: error parsing jsonpath ${argument}, ${rendered.error}` })
      : { stdout: rendered.text, stderr: "" }
  }
  if (format === "custom-columns" && output.includes("=")) {
    return customColumns(argument, objects, options.noHeaders ?? false)
  }
  return new TargetError({ what: `error: unable to match a printer suitable for the output format ${JSON.stringify(output)}, allowed formats are: ${FORMATS.join(",")}` })
}

function nothing(selections: ReadonlyArray<Selection>, { allNamespaces, namespace }: GetOptions): string {
  return allNamespaces !== true && selections.every(({ resource }) => resource.namespaced)
    ? `No resources found in ${namespace} namespace.\n`
    : "No resources found\n"
}

/** One block a run of one kind; names say their kind when there are several. */
function tables(selections: ReadonlyArray<Selection>, view: View, options: GetOptions): string {
  const withKind = new Set(selections.map(({ resource }) => resource.store)).size > 1
  const blocks: Array<{ readonly resource: Resource; readonly objects: Array<KubeObject> }> = []
  for (const { resource, objects } of selections) {
    const last = blocks.at(-1)
    if (last?.resource.store === resource.store) last.objects.push(...objects)
    else blocks.push({ resource, objects: [...objects] })
  }
  return blocks.filter(({ objects }) => objects.length > 0)
    .map(({ resource, objects }) => tabulate(rowsOf(resource, objects, view, options, withKind)))
    .join(options.noHeaders === true ? "" : "\n")
}

function rowsOf(
  { kind, store, namespaced }: Resource, objects: ReadonlyArray<KubeObject>, view: View, options: GetOptions,
  withKind: boolean
): ReadonlyArray<ReadonlyArray<string>> {
  const { columns, cells } = store.includes(".") || !Object.hasOwn(PRINTERS, kind) ? nameAndAge
    : PRINTERS[kind]!
  const order = kind === "Event" ? EVENT_ORDER : columns.map((_, i) => i)
  const shown = order.filter((i) => view.wide || columns[i]!.wide !== true)
  const withNamespace = options.allNamespaces === true && namespaced
  const keys = options.labelColumns ?? []
  const header = [
    ...withNamespace ? ["NAMESPACE"] : [], ...shown.map((i) => columns[i]!.name.toUpperCase()),
    ...keys.map((key) => key.slice(key.lastIndexOf("/") + 1).toUpperCase()),
    ...options.showLabels === true ? ["LABELS"] : []
  ]
  const rows = objects.map((object) => {
    const all = cells(object, view)
    return [
      ...withNamespace ? [object.metadata.namespace ?? ""] : [],
      ...shown.map((i) => (withKind && columns[i]!.name === "Name" ? nameOf(object) : all[i]!)),
      ...keys.map((key) => object.metadata.labels?.[key] ?? ""),
      ...options.showLabels === true ? [labelsText(object.metadata.labels)] : []
    ]
  })
  return options.noHeaders === true ? rows : [header, ...rows]
}

function customColumns(
  spec: string, objects: ReadonlyArray<KubeObject>, noHeaders: boolean
): Printed | TargetError {
  if (spec === "") {
    return new TargetError({ what: "error: custom-columns format specified but no custom columns given" })
  }
  const columns: Array<{
    readonly header: string; readonly steps: Exclude<ReturnType<typeof parsePath>, string>
  }> = []
  for (const part of spec.split(",")) {
    const at = part.indexOf(":")
    if (at < 0) {
      return new TargetError({
        what: `error: unexpected custom-columns spec: ${part}, expected <header>:<json-path-expr>`
      })
    }
    const steps = parsePath(part.slice(at + 1))
    if (typeof steps === "string") return new TargetError({ what: `error: ${steps}` })
    columns.push({ header: part.slice(0, at), steps })
  }
  const rows = objects.map((object) => columns.map(({ steps }) => {
    const values = walk(steps, object)
    return values.length === 0 ? "<none>" : values.map(goText).join(",")
  }))
  return { stdout: tabulate(noHeaders ? rows : [columns.map(({ header }) => header), ...rows]), stderr: "" }
}

/** fmt.Sprint of what JSON holds. */
function goText(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(goText).join(" ")}]`
  if (typeof value !== "object" || value === null) return value === null ? "<nil>" : String(value)
  const fields = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))
  return `map[${fields.map(([key, child]) => `${key}:${goText(child)}`).join(" ")}]`
}

function sortEach(
  selections: ReadonlyArray<Selection>, path: string
): ReadonlyArray<Selection> | TargetError {
  const steps = parsePath(path)
  if (typeof steps === "string") return new TargetError({ what: `error: --sort-by: ${steps}` })
  return selections.map((selection) => ({
    ...selection,
    objects: [...selection.objects].sort((a, b) => compare(walk(steps, a)[0], walk(steps, b)[0]))
  }))
}

/** Numbers by value, texts in natural order; what has no such field comes first. */
function compare(a: unknown, b: unknown): number {
  if (a === undefined || b === undefined) return a === b ? 0 : a === undefined ? -1 : 1
  if (typeof a === "number" && typeof b === "number") return a - b
  const x = valueText(a).match(/\d+|\D+/g) ?? []
  const y = valueText(b).match(/\d+|\D+/g) ?? []
  for (let i = 0; i < x.length && i < y.length; i++) {
    if (x[i] === y[i]) continue
    const numbers = /^\d/.test(x[i]!) && /^\d/.test(y[i]!)
    if (numbers && Number(x[i]) !== Number(y[i])) return Number(x[i]) - Number(y[i])
    return x[i]! < y[i]! ? -1 : 1
  }
  return x.length - y.length
}
