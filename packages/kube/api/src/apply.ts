/**
 * `kubectl apply`'s three-way merge: what the manifest says is set, what the last manifest said and this one
 * does not is taken away, and what others wrote (a server's defaults, a scheduler, a controller) stays. Lists
 * of things with a name merge by that name, as the `patchStrategy` tags of core/v1 have it
 * (apimachinery pkg/util/strategicpatch); all others are replaced whole, as in a custom resource.
 * Approximated: what only the live list has comes behind what the manifest lists.
 * Not supported: server-side apply, `$patch` directives, changed merge keys as a rename.
 */
import { kindOfObject } from "./kinds.ts"
import { canonical } from "./name.ts"
import type { KubeObject } from "./object.ts"

type Fields = Readonly<Record<string, unknown>>

/** Lists of objects, and the field that says which is which. */
const MERGE_KEYS: Readonly<Record<string, string>> = {
  containers: "name", initContainers: "name", ephemeralContainers: "name", env: "name", volumes: "name",
  volumeMounts: "mountPath", volumeDevices: "devicePath", imagePullSecrets: "name", secrets: "name",
  hostAliases: "ip", topologySpreadConstraints: "topologyKey", schedulingGates: "name",
  resourceClaims: "name", ownerReferences: "uid"
}
/** Lists of words that merge as sets. */
const SETS: ReadonlySet<string> = new Set(["finalizers", "podCIDRs"])
/** Unions: when one changes, the fields that the manifest does not name go (a strategy's parameters). */
const RETAIN_KEYS: ReadonlySet<string> = new Set(["strategy", "volumes", "resourceClaims"])

const CONTAINERS: ReadonlySet<string> = new Set(["containers", "initContainers", "ephemeralContainers"])

/**
 * The live object with the manifest laid over it, to be given to `admitUpdate`; `live` itself when that
 * changes nothing (kubectl sends nothing then, and says `unchanged`). `before` is the manifest that was
 * applied last (null: somebody else made the object). Both manifests as they were read, without defaults.
 */
export function threeWayMerge(live: KubeObject, before: unknown, manifest: unknown): unknown {
  const isStrategic = kindOfObject(live) !== null
  const { status: _given, ...given } = fields(manifest)
  const { status: _live, ...base } = live
  const place = { isStrategic, name: "", around: "" }
  const merged = mergeMaps(base, fields(before), withMeta(given, live), place)
  return same(merged, base) ? live : merged
}

const SERVER_SET = ["uid", "resourceVersion", "creationTimestamp", "generation"] as const

/** kubectl has an annotation of its own, so annotations never go as a whole; the server's fields stay. */
function withMeta(given: Fields, live: KubeObject): Fields {
  const metadata: Record<string, unknown> = { ...fields(given["metadata"]) }
  if (live.metadata.annotations !== undefined) metadata["annotations"] = fields(metadata["annotations"])
  for (const key of SERVER_SET) {
    delete metadata[key]
    if (live.metadata[key] !== undefined) metadata[key] = live.metadata[key]
  }
  return { ...given, metadata }
}

interface Place {
  readonly isStrategic: boolean
  /** Of the field, and of the one around it (lists are not counted). */
  readonly name: string
  readonly around: string
}

function fields(value: unknown): Fields {
  return isMap(value) ? value : {}
}

function isMap(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value)
}

const same = (a: unknown, b: unknown) => a === b || canonical(a) === canonical(b)

function mergeMaps(live: Fields, before: Fields, given: Fields, place: Place): Fields {
  const merged: Record<string, unknown> = {}
  for (const [key, value] of Object.entries(live)) {
    const isDropped = before[key] !== undefined && before[key] !== null && !Object.hasOwn(given, key)
    if (!isDropped) merged[key] = value
  }
  for (const [key, value] of Object.entries(given)) {
    if (value === null) delete merged[key]
    else {
      const at = { isStrategic: place.isStrategic, name: key, around: place.name }
      merged[key] = mergeValue(merged[key], before[key], value, at)
    }
  }
  if (!place.isStrategic || !RETAIN_KEYS.has(place.name) || same(merged, live)) return merged
  return Object.fromEntries(Object.entries(merged).filter(([key]) => Object.hasOwn(given, key)))
}

function mergeValue(live: unknown, before: unknown, given: unknown, place: Place): unknown {
  if (isMap(given)) return mergeMaps(fields(live), fields(before), given, place)
  if (!Array.isArray(given) || !Array.isArray(live) || !place.isStrategic) return given
  const last = Array.isArray(before) ? before as ReadonlyArray<unknown> : []
  if (SETS.has(place.name)) {
    const others = live.filter((item) => !given.includes(item) && !last.includes(item))
    return [...given as ReadonlyArray<unknown>, ...others as ReadonlyArray<unknown>]
  }
  const key = mergeKey(place)
  if (key === null) return given
  if (![...given, ...live].every((item) => isMap(item) && item[key] !== undefined)) return given
  return mergeLists(live as ReadonlyArray<Fields>, last, given as ReadonlyArray<Fields>, key, place)
}

function mergeKey({ name, around }: Place): string | null {
  if (name !== "ports") return MERGE_KEYS[name] ?? null
  return CONTAINERS.has(around) ? "containerPort" : around === "spec" ? "port" : null
}

function mergeLists(
  live: ReadonlyArray<Fields>, before: ReadonlyArray<unknown>, given: ReadonlyArray<Fields>, key: string,
  place: Place
): ReadonlyArray<unknown> {
  const find = (items: ReadonlyArray<unknown>, value: unknown) =>
    items.find((item): item is Fields => isMap(item) && item[key] === value)
  const merged = given.map((item) =>
    mergeMaps(find(live, item[key]) ?? {}, find(before, item[key]) ?? {}, item, place))
  const others = live.filter((item) =>
    find(given, item[key]) === undefined && find(before, item[key]) === undefined)
  return [...merged, ...others]
}
