/** Refusals of the server as kubectl prints them (kubectl pkg/cmd/util/helpers.go, api/errors/errors.go). */
import { kindIn, kindsNamed, resourceOf } from "./kinds.ts"
import type { KubeObject, Ref } from "./object.ts"
import { type Problem, problemText } from "./problem.ts"

type StatusReason = "AlreadyExists" | "NotFound" | "Conflict"

export interface Refusal {
  readonly reason: StatusReason
  readonly ref: Ref
}

/** `Error from server (NotFound): deployments.apps "web" not found`. */
export function refusalText({ reason, ref }: Refusal): string {
  const what = `${resourceName(ref.kind)} ${JSON.stringify(ref.name)}`
  return `Error from server (${reason}): ${sentence(reason, what)}`
}

function sentence(reason: StatusReason, what: string): string {
  switch (reason) {
    case "AlreadyExists": return `${what} already exists`
    case "NotFound": return `${what} not found`
    case "Conflict": return `Operation cannot be fulfilled on ${what}: the object has been modified; ` +
      "please apply your changes to the latest version and try again"
  }
}

/** `pods`, `deployments.apps`; of a custom resource its guessed plural, as kubectl guesses. */
export function resourceName(storeKind: string): string {
  const dot = storeKind.indexOf(".")
  if (dot < 0) {
    const kind = kindsNamed(storeKind)[0]
    return kind === undefined ? plural(storeKind.toLowerCase()) : resourceOf(kind)
  }
  const group = storeKind.slice(dot + 1)
  const kind = kindIn(group, storeKind.slice(0, dot))
  return kind === null ? `${plural(storeKind.slice(0, dot).toLowerCase())}.${group}` : resourceOf(kind)
}

/** meta.UnsafeGuessKindToResource. */
function plural(word: string): string {
  if (word.endsWith("s")) return `${word}es`
  return word.endsWith("y") ? `${word.slice(0, -1)}ies` : `${word}s`
}

/** `The Deployment "web" is invalid: …`, several problems as a list; each said once. */
export function invalidText(
  object: Pick<KubeObject, "kind" | "metadata">, problems: ReadonlyArray<Problem>
): string {
  const { name, generateName = "" } = object.metadata
  const head = `The ${object.kind} ${JSON.stringify(name ?? generateName)} is invalid: `
  const lines = [...new Set(problems.map(problemText))]
  return lines.length === 1 ? head + lines[0]! : [head, ...lines.map((line) => `* ${line}`)].join("\n")
}
