/**
 * The way of a document into the store: decode, default, validate, prepare; all problems at once.
 * The server stops after decoding and says the rest at the second try. Where a document is wrong only in
 * fields that do not exist or are missing, the rest of it is looked at too: unknown fields are left out,
 * missing ones stand as Go's zero value, and what that alone would cause is not said.
 */
import { decode, type Decoded, decodeLeniently } from "./decode.ts"
import { withDefaults } from "./defaults.ts"
import type { KubeObject } from "./object.ts"
import { fieldPath, type Path, type Problem } from "./problem.ts"
import { prepareForCreate, withAdmission } from "./prepare.ts"
import { is } from "./typed.ts"
import { validate, validateUpdate } from "./validate.ts"

/** A new object, ready for `ApiStore.create`. */
export function admit(value: unknown): Decoded {
  const decoded = decode(value)
  if (decoded.object === undefined) {
    return { problems: [...decoded.problems, ...further(value, decoded.problems)] }
  }
  const object = withDefaults(decoded.object)
  const problems = validate(object)
  return problems.length > 0 ? { problems } : { object: prepareForCreate(object) }
}

/** What shall stand in place of an object that is there, ready for `ApiStore.update`. */
export function admitUpdate(before: KubeObject, value: unknown): Decoded {
  const decoded = decode(value)
  if (decoded.object === undefined) {
    return { problems: [...decoded.problems, ...further(value, decoded.problems)] }
  }
  const full = withDefaults(decoded.object)
  const object = is("Pod", full) ? { ...full, spec: withAdmission(full.spec) } : full
  const problems = validateUpdate(before, object)
  return problems.length > 0 ? { problems } : { object }
}

function further(value: unknown, known: ReadonlyArray<Problem>): ReadonlyArray<Problem> {
  const lenient = decodeLeniently(value, known)
  if (lenient === null) return []
  const places = known.filter(({ atKey }) => !atKey).map(({ path }) => path)
  const said = new Set(places.map(fieldPath))
  return validate(withDefaults(lenient)).filter(({ path, message }) =>
    !said.has(fieldPath(path)) && !isEcho(path, message, places))
}

/** A mismatch with a selector or a list that is not there. */
function isEcho(path: Path, message: string, places: ReadonlyArray<Path>): boolean {
  if (message.includes("`selector` does not match") || message.includes("empty selector")) {
    return places.some((place) => place.at(-1) === "selector")
  }
  return places.some((place) => place.length < path.length && place.every((part, i) => part === path[i]))
}
