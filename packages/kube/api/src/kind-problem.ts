/** What is wrong with an object's apiVersion and kind, and which ones were meant. */
import {
  apiVersionOf, groups, isBuiltinGroup, type Kind, kindIn, KINDS, kindsNamed, splitApiVersion
} from "./kinds.ts"
import { distance, found, nearest, type Problem } from "./problem.ts"
import { removedIn } from "./removed.ts"

/** Other versions that 1.36 serves; what they hold is kept without a look at its fields. */
const ALSO_SERVED: ReadonlySet<string> = new Set([
  "autoscaling/v1 HorizontalPodAutoscaler",
  ...["DeviceClass", "ResourceClaim", "ResourceClaimTemplate", "ResourceSlice"].flatMap((kind) =>
    [`resource.k8s.io/v1beta1 ${kind}`, `resource.k8s.io/v1beta2 ${kind}`])
])

/** Groups that Kubernetes once had. */
const FORMER_GROUPS: ReadonlySet<string> = new Set(["extensions"])

const GROUP = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/

export function kindProblem(value: Readonly<Record<string, unknown>>): ReadonlyArray<Problem> {
  const { apiVersion, kind } = value
  const problems: Array<Problem> = []
  const say = (field: "apiVersion" | "kind", message: string) =>
    problems.push({ path: [field], atKey: false, message })
  if (typeof apiVersion !== "string" || apiVersion === "") {
    const known = typeof kind === "string" ? kindsNamed(kind)[0] : undefined
    const example = known === undefined ? "apps/v1" : apiVersionOf(known)
    say("apiVersion", missing(apiVersion, `apiVersion: ${example}`))
  }
  if (typeof kind !== "string" || kind === "") say("kind", missing(kind, "kind: Deployment"))
  if (problems.length > 0) return problems
  const wrong = wrongKind(apiVersion as string, kind as string)
  if (wrong !== null) say(wrong.field, wrong.message)
  return problems
}

function missing(value: unknown, example: string): string {
  return value === undefined || value === null || value === ""
    ? `Required value: say it as in \`${example}\``
    : `Invalid value: ${found(value)}: expected a string, as in \`${example}\``
}

interface Wrong {
  readonly field: "apiVersion" | "kind"
  readonly message: string
}

function wrongKind(apiVersion: string, kind: string): Wrong | null {
  if (apiVersion.split("/").length > 2) {
    return { field: "apiVersion", message: `unexpected GroupVersion string: ${apiVersion}` }
  }
  const removed = removedIn(apiVersion, kind)
  if (removed !== null) {
    const now = kindsNamed(kind)[0]
    return {
      field: "apiVersion",
      message: `${noMatches(kind, apiVersion)}: removed in ${removed}` +
        (now === undefined ? ", with nothing in its place" : `; use ${apiVersionOf(now)}`)
    }
  }
  const { group, version } = splitApiVersion(apiVersion)
  const exact = kindIn(group, kind)
  if (exact !== null) return version === exact.version ? null : wrongVersion(apiVersion, exact)
  if (isBuiltinGroup(group) || FORMER_GROUPS.has(group)) return unknownKind(apiVersion, group, kind)
  return unknownGroup(apiVersion, group, version, kind)
}

function wrongVersion(apiVersion: string, kind: Kind): Wrong | null {
  if (ALSO_SERVED.has(`${apiVersion} ${kind.kind}`)) return null
  return {
    field: "apiVersion",
    message: `${noMatches(kind.kind, apiVersion)}; use ${apiVersionOf(kind)}`
  }
}

/** kubectl's words. */
function noMatches(kind: string, apiVersion: string): string {
  return `no matches for kind ${JSON.stringify(kind)} in version ${JSON.stringify(apiVersion)}`
}

function unknownKind(apiVersion: string, group: string, kind: string): Wrong {
  const elsewhere = kindsNamed(kind)[0]
  if (elsewhere !== undefined) {
    return {
      field: "apiVersion",
      message: `no kind ${JSON.stringify(kind)} in ${apiVersion}; ${kind} is in ${apiVersionOf(elsewhere)}`
    }
  }
  const here = nearest(kind, KINDS.filter((candidate) => candidate.group === group).map((k) => k.kind))
  const meant = here ?? nearest(kind, KINDS.map((candidate) => candidate.kind))
  const where = meant === null || here !== null ? "" : ` (${apiVersionOf(kindsNamed(meant)[0]!)})`
  return {
    field: "kind",
    message: `no kind ${JSON.stringify(kind)} in ${apiVersion}` +
      (meant === null ? "" : `; did you mean ${meant}${where}?`)
  }
}

/** A custom resource, unless its group is none (CRDs need a domain) or a slip in one of Kubernetes' own. */
function unknownGroup(apiVersion: string, group: string, version: string, kind: string): Wrong | null {
  const ours = kindsNamed(kind)[0]
  const slip = ours !== undefined && ours.group !== "" && distance(group, ours.group, 3) <= 3
  if (group.includes(".") && GROUP.test(group) && version !== "" && !slip) return null
  const near = nearest(group, groups())
  const meant = ours !== undefined ? apiVersionOf(ours)
    : near === null || near === "" ? null : `${near}/${version}`
  return {
    field: "apiVersion",
    message: `no API group ${JSON.stringify(group)} (apiVersion ${JSON.stringify(apiVersion)})` +
      (meant === null ? "; a custom resource's group is a domain, such as example.com/v1"
        : `; did you mean ${meant}?`)
  }
}
