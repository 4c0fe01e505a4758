/**
 * What Go's decoder does before anybody looks: null fields are absent, and structs that are not pointers
 * are there even when nobody wrote them (`metadata`, `spec`, a template's `spec`). Copies only what it
 * changes, so that a document without nulls comes back as it went in.
 */

/** Deeper than any object; a document nested further is refused rather than overflow the stack. */
const DEPTH_MAX = 500

type Fields = Readonly<Record<string, unknown>>

const ROOT: ReadonlyArray<ReadonlyArray<string>> = [["metadata"]]
const SPEC = [...ROOT, ["spec"]]
const TEMPLATE = [
  ...SPEC, ["spec", "template"], ["spec", "template", "metadata"], ["spec", "template", "spec"]
]
const JOB_TEMPLATE = [
  ...SPEC, ["spec", "jobTemplate"], ["spec", "jobTemplate", "spec"],
  ["spec", "jobTemplate", "spec", "template"],
  ["spec", "jobTemplate", "spec", "template", "metadata"], ["spec", "jobTemplate", "spec", "template", "spec"]
]

/** Parents before children. */
const STRUCTS: Readonly<Record<string, ReadonlyArray<ReadonlyArray<string>>>> = {
  "": ROOT, Endpoints: ROOT, ConfigMap: ROOT, Secret: ROOT, ServiceAccount: ROOT, EndpointSlice: ROOT,
  Deployment: TEMPLATE, StatefulSet: TEMPLATE, DaemonSet: TEMPLATE, ReplicaSet: TEMPLATE, Job: TEMPLATE,
  CronJob: JOB_TEMPLATE
}

/** Maps of strings: a null in one of them is "", where elsewhere it would be an absent field. */
const STRING_MAPS: ReadonlySet<string> = new Set([
  "labels", "annotations", "matchLabels", "nodeSelector", "data", "binaryData", "stringData"
])

/** Kept as they are: Kubernetes does not look inside. */
const OPAQUE: ReadonlySet<string> = new Set(["fieldsV1"])

/** null when the value is nested too deeply. */
export function normalize(kind: string, value: object): object | null {
  if (tooDeep(value, 0)) return null
  // An object without a schema keeps its nulls, save in metadata.
  let normal = kind === "" ? withNormalMetadata(value as Fields) : pruned(value, "") as Fields
  for (const path of STRUCTS[kind] ?? SPEC) normal = withStruct(normal, path, 0)
  return normal
}

function withNormalMetadata(value: Fields): Fields {
  const { metadata } = value
  if (metadata === null) {
    const { metadata: _, ...rest } = value
    return rest
  }
  return metadata === undefined ? value : { ...value, metadata: pruned(metadata, "metadata") }
}

function withStruct(value: Fields, path: ReadonlyArray<string>, at: number): Fields {
  const key = path[at]!
  const child = value[key]
  if (at === path.length - 1) return child === undefined ? { ...value, [key]: {} } : value
  if (typeof child !== "object" || child === null || Array.isArray(child)) return value
  const next = withStruct(child as Fields, path, at + 1)
  return next === child ? value : { ...value, [key]: next }
}

function pruned(value: unknown, name: string): unknown {
  if (typeof value !== "object" || value === null || OPAQUE.has(name)) return value
  if (Array.isArray(value)) {
    const copy = value.map((item) => pruned(item, ""))
    return copy.some((item, i) => item !== value[i]) ? copy : value
  }
  let copy: Array<[string, unknown]> | null = null
  const entries = Object.entries(value)
  for (const [i, [key, child]] of entries.entries()) {
    const next = child === null && STRING_MAPS.has(name) ? "" : pruned(child, key)
    if (next === child && next !== null) copy?.push([key, child])
    else {
      copy ??= entries.slice(0, i)
      if (next !== null) copy.push([key, next])
    }
  }
  return copy === null ? value : Object.fromEntries(copy)
}

function tooDeep(value: unknown, depth: number): boolean {
  if (typeof value !== "object" || value === null) return false
  if (depth >= DEPTH_MAX) return true
  for (const key in value) if (tooDeep((value as Fields)[key], depth + 1)) return true
  return false
}
