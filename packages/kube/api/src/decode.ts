/**
 * One document (plain values, as a YAML reader gives them) into an object of a known kind, or everything
 * that is wrong with its shape at once: unknown fields, wrong types, what is missing, a kind or version
 * that Kubernetes does not have. Strict as `kubectl apply` is since 1.27 (field validation on the server).
 *
 * null is taken as the server takes it: a field that is null is absent, a null in a map of strings is "".
 * Kinds without a schema here, custom resources among them, keep everything and are checked in `metadata`
 * only. A status that lacks what it should have is left out: the server ignores it on create.
 * Not supported: null as an element of a list (Go makes it a zero value; here it is refused), field names
 * in another case (Go's strict decoder refuses them too, and so do we).
 */
import * as Schema from "effect/Schema"
import { kindProblem } from "./kind-problem.ts"
import { kindOfObject, splitApiVersion } from "./kinds.ts"
import { normalize } from "./normalize.ts"
import type { KubeObject } from "./object.ts"
import { found, type Path, type Problem } from "./problem.ts"
import { missingOf, problemsOf } from "./schema-problem.ts"
import { ObjectMeta } from "./schema/meta.ts"
import { isTyped, SCHEMAS } from "./typed.ts"

export type Decoded =
  | { readonly object: KubeObject; readonly problems?: undefined }
  | { readonly problems: ReadonlyArray<Problem>; readonly object?: undefined }

const OPTIONS = { errors: "all", onExcessProperty: "error" } as const
const LENIENT = { errors: "all", onExcessProperty: "ignore" } as const

type Decoder = ReturnType<typeof Schema.decodeUnknownResult>

/** Compiled when first asked for, then kept: compiling costs more than decoding. */
const decoders = new Map<string, Decoder>()

function decoderOf(kind: string): Decoder {
  let decoder = decoders.get(kind)
  if (decoder === undefined) {
    const schema = isTyped(kind) ? SCHEMAS[kind] as Schema.Codec<unknown, unknown> : Opaque
    decoder = Schema.decodeUnknownResult(schema, OPTIONS) as Decoder
    decoders.set(kind, decoder)
  }
  return decoder
}

/** Where no schema is known: what every object has, and whatever else it brings. */
const Opaque = Schema.Struct({ metadata: ObjectMeta }) as unknown as Schema.Codec<unknown, unknown>

export function decode(value: unknown): Decoded {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    const what = `Invalid value: ${found(value)}: expected a Kubernetes object: a mapping with apiVersion, ` +
      "kind and metadata"
    return { problems: [{ path: [], atKey: false, message: what }] }
  }
  const wrong = kindProblem(value as Readonly<Record<string, unknown>>)
  if (wrong.length > 0) return { problems: wrong }
  const given = value as { readonly apiVersion: string; readonly kind: string }
  const { version } = splitApiVersion(given.apiVersion)
  const builtin = kindOfObject(given)
  return builtin !== null && builtin.version === version && isTyped(builtin.kind)
    ? decodeTyped(builtin.kind, given)
    : decodeOpaque(given)
}

function decodeTyped(kind: string, given: object): Decoded {
  const normal = normalize(kind, given)
  if (normal === null) return { problems: [{ path: [], atKey: false, message: TOO_DEEP }] }
  const result = decoderOf(kind)(normal)
  if (result._tag === "Success") return { object: result.success as KubeObject }
  const problems = problemsOf(result.failure.issue, kind, normal)
  if (problems.every(isIgnored)) {
    const { status: _, ...rest } = normal as { readonly status?: unknown }
    return decodeTyped(kind, rest)
  }
  return { problems: problems.filter((problem) => !isIgnored(problem)) }
}

/**
 * The object as it would be without its unknown fields and with its missing ones empty; null when anything
 * else is wrong with it, or it is not of a kind with a schema.
 */
export function decodeLeniently(value: unknown, problems: ReadonlyArray<Problem>): KubeObject | null {
  if (problems.some(({ atKey, message }) => !atKey && message !== "Required value")) return null
  const given = value as { readonly apiVersion: string; readonly kind: string }
  const builtin = kindOfObject(given)
  if (builtin === null || !isTyped(builtin.kind)) return null
  let normal: unknown = normalize(builtin.kind, given)
  // A struct that was missing may itself lack fields, so more than one round.
  for (let round = 0; round < ROUNDS_MAX; round++) {
    const result = decoderOf(builtin.kind)(normal, LENIENT)
    if (result._tag === "Success") return result.success as KubeObject
    const missing = missingOf(result.failure.issue)
    if (missing.length === 0) return null
    for (const { path, zero } of missing) normal = withValue(normal, path, zero)
  }
  return null
}

const ROUNDS_MAX = 4

function withValue(at: unknown, path: Path, value: unknown): unknown {
  if (path.length === 0) return value
  const [part, ...rest] = path as [string | number, ...Array<string | number>]
  if (Array.isArray(at)) {
    return at.map((item: unknown, i) => (i === part ? withValue(item, rest, value) : item))
  }
  const fields = at as Readonly<Record<string, unknown>>
  return { ...fields, [part]: withValue(fields[part], rest, value) }
}

function decodeOpaque(given: object): Decoded {
  const normal = normalize("", given)
  if (normal === null) return { problems: [{ path: [], atKey: false, message: TOO_DEEP }] }
  const { metadata, kind } = normal as { readonly metadata: unknown; readonly kind: string }
  const result = decoderOf("")({ metadata })
  if (result._tag === "Failure") return { problems: problemsOf(result.failure.issue, kind, { metadata }) }
  const object = { ...normal, ...result.success as object } as KubeObject
  if (object.metadata.name === undefined && object.metadata.generateName === undefined) {
    const path: Path = ["metadata", "name"]
    return { problems: [{ path, atKey: false, message: "Required value: name or generateName is required" }] }
  }
  return { object }
}

const TOO_DEEP = "nested more than 500 levels deep, which no Kubernetes object is"

/** Missing from a status, which nobody reads on create. */
function isIgnored({ path, message }: Problem): boolean {
  return path[0] === "status" && message.startsWith("Required value")
}

/** A `List` as `kubectl get -o yaml` prints one, taken apart; anything else alone, under the empty path. */
export function items(value: unknown): ReadonlyArray<{ readonly path: Path; readonly value: unknown }> {
  if (typeof value === "object" && value !== null) {
    const { apiVersion, kind, items } = value as Readonly<Record<string, unknown>>
    const isList = kind === "List" && apiVersion === "v1" || typeof kind === "string" && kind.endsWith("List")
    if (isList && Array.isArray(items)) {
      return items.map((item: unknown, i) => ({ path: ["items", i], value: item }))
    }
  }
  return [{ path: [], value }]
}
