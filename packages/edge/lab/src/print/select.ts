/**
 * What `get` and `describe` name: `pods`, `po,svc`, `all`, `pod web-0 web-1`, `pod/web-0 svc/web`; custom
 * resources by the kind's or its definition's words. Events are made from the cluster's log.
 */
import {
  badSelector, byName, EPOCH_SECONDS, type Kind, kindIn, kindsIn, type KubeObject, lookup, matchesFields,
  matchesQuery, parseFieldQuery, parseLabelQuery, resourceOf, timeText, unknownWord
} from "@podwire/api"
import type { Cluster } from "@podwire/cluster"
import { TargetError } from "../target.ts"
import type { EventObject } from "./other.ts"

/** A kind as the user means it; `store` is its name in the store. */
export interface Resource {
  readonly store: string
  readonly kind: string
  readonly group: string
  /** `pods`, `deployments.apps`. */
  readonly plural: string
  readonly namespaced: boolean
}

export interface Selection {
  readonly resource: Resource
  readonly objects: ReadonlyArray<KubeObject>
  /** Asked for by name. */
  readonly single: boolean
}

export interface SelectOptions {
  readonly namespace: string
  readonly allNamespaces?: boolean
  readonly selector?: string
  readonly fieldSelector?: string
}

export function select(
  cluster: Cluster, words: ReadonlyArray<string>, options: SelectOptions
): ReadonlyArray<Selection> | TargetError {
  const queries = parseQueries(options)
  if (queries instanceof TargetError) return queries
  const named = asksByName(cluster, words)
  if (named instanceof TargetError) return named
  const selections: Array<Selection> = []
  for (const { resource, name } of named) {
    if (name === null) {
      const fields = parseFieldQuery(options.fieldSelector ?? "", resource.kind)
      if (typeof fields === "string") {
        return new TargetError({ what: `Error from server (BadRequest): Unable to find ${JSON.stringify(resource.plural)} that match label selector ${JSON.stringify(options.selector ?? "")}, field selector ${JSON.stringify(options.fieldSelector)}: ${fields}` })
      }
      const where = resource.namespaced && options.allNamespaces !== true ? options.namespace : undefined
      const objects = listOf(cluster, resource, where)
        .filter((object) => matchesQuery(queries, object.metadata.labels) && matchesFields(fields, object))
      selections.push({ resource, objects, single: false })
      continue
    }
    if (options.allNamespaces === true && resource.namespaced) {
      return new TargetError({ what: "error: a resource cannot be retrieved by name across all namespaces" })
    }
    if ((options.selector ?? "") !== "") {
      return new TargetError({ what: "error: name cannot be provided when a selector is specified" })
    }
    const object = listOf(cluster, resource, resource.namespaced ? options.namespace : undefined)
      .find((other) => other.metadata.name === name)
    if (object === undefined) {
      return new TargetError({
        what: `Error from server (NotFound): ${resource.plural} ${JSON.stringify(name)} not found`
      })
    }
    selections.push({ resource, objects: [object], single: true })
  }
  return selections
}

function parseQueries({ selector = "" }: SelectOptions) {
  const query = parseLabelQuery(selector)
  return typeof query === "string" ? new TargetError({ what: badSelector(selector, query) }) : query
}

function asksByName(
  cluster: Cluster, words: ReadonlyArray<string>
): ReadonlyArray<{ readonly resource: Resource; readonly name: string | null }> | TargetError {
  const [first, ...names] = words
  if (first === undefined) {
    return new TargetError({
      what: "error: You must specify the type of resource: pods, nodes, services, all, …"
    })
  }
  const slashed = words.filter((word) => word.includes("/"))
  if (slashed.length > 0 && slashed.length < words.length) {
    return new TargetError({ what: "error: there is no need to specify a resource type as a separate argument when passing arguments in resource/name form (e.g. 'kubectl get resource/<resource_name>' instead of 'kubectl get resource resource/<resource_name>'" })
  }
  const asked: Array<{ readonly resource: Resource; readonly name: string | null }> = []
  if (slashed.length > 0) {
    for (const word of words) {
      const [kind, name, more] = word.split("/") as [string, string, string | undefined]
      if (more !== undefined) {
        return new TargetError({
          what: "error: arguments in resource/name form may not have more than one slash"
        })
      }
      if (kind === "" || name === "") {
        return new TargetError({
          what: "error: arguments in resource/name form must have a single resource and name"
        })
      }
      const found = resourcesFor(cluster, kind)
      if (found instanceof TargetError) return found
      asked.push(...found.map((resource) => ({ resource, name })))
    }
    return asked
  }
  const kinds = first.split(",").filter((word) => word !== "")
  for (const word of kinds) {
    const found = resourcesFor(cluster, word)
    if (found instanceof TargetError) return found
    for (const resource of found) {
      asked.push(
        ...names.length === 0 ? [{ resource, name: null }] : names.map((name) => ({ resource, name }))
      )
    }
  }
  return asked
}

function resourcesFor(cluster: Cluster, word: string): ReadonlyArray<Resource> | TargetError {
  if (word === "all") return kindsIn("all").map(resourceFrom)
  const kind = lookup(word)
  if (kind !== null) return [resourceFrom(kind)]
  const custom = customResources(cluster).find(({ words }) => words.includes(word.toLowerCase()))
  return custom === undefined ? new TargetError({ what: unknownWord(word) }) : [custom.resource]
}

function resourceFrom(kind: Kind): Resource {
  const foreign = kind.group.includes(".") && !kind.group.endsWith(".k8s.io")
  return {
    store: foreign ? `${kind.kind}.${kind.group}` : kind.kind, kind: kind.kind, group: kind.group,
    plural: resourceOf(kind), namespaced: kind.namespaced
  }
}

interface Definition extends KubeObject {
  readonly spec: {
    readonly group: string
    readonly scope?: string
    readonly names: { readonly kind: string; readonly plural: string; readonly singular?: string; readonly shortNames?: ReadonlyArray<string> }
  }
}

/** From their definitions; without one, from the objects that are there. */
function customResources(
  cluster: Cluster
): ReadonlyArray<{ readonly words: ReadonlyArray<string>; readonly resource: Resource }> {
  const { store } = cluster
  const defined = (
    store.list("CustomResourceDefinition") as ReadonlyArray<Definition>
  ).map(({ spec: { group, scope, names } }) => ({
    words: [
      names.plural, names.singular ?? names.kind.toLowerCase(), `${names.plural}.${group}`,
      ...names.shortNames ?? []
    ],
    resource: {
      store: `${names.kind}.${group}`, kind: names.kind, group, plural: `${names.plural}.${group}`,
      namespaced: scope !== "Cluster"
    }
  }))
  const found = store.kinds().filter((name) => name.includes(".")).map((name) => {
    const [kind, group] = [
      name.slice(0, name.indexOf(".")), name.slice(name.indexOf(".") + 1)
    ] as [string, string]
    const plural = `${kind.toLowerCase()}${/(s|x|ch|sh)$/i.test(kind) ? "es" : "s"}`
    const namespaced = store.list(name)[0]?.metadata.namespace !== undefined
    return {
      words: [plural, kind.toLowerCase(), `${plural}.${group}`],
      resource: { store: name, kind, group, plural: `${plural}.${group}`, namespaced }
    }
  })
  return [...defined, ...found.filter(({ resource }) => kindIn(resource.group, resource.kind) === null)]
}

function listOf(
  cluster: Cluster, resource: Resource, namespace: string | undefined
): ReadonlyArray<KubeObject> {
  if (resource.kind !== "Event") return cluster.store.list(resource.store, namespace)
  const all = [...cluster.store.list("Event", namespace), ...eventObjects(cluster)]
  return all.filter((event) => namespace === undefined || event.metadata.namespace === namespace).sort(byName)
}

/**
 * Event objects as the recorder of client-go names them: the object's name and the time in hexadecimal
 * nanoseconds.
 */
export function eventObjects(cluster: Cluster): ReadonlyArray<EventObject> {
  return cluster.events.list().map(({ about, type, reason, message, firstNs, lastNs, count }) => {
    const stamp = (BigInt(EPOCH_SECONDS) * 1_000_000_000n + BigInt(Math.floor(firstNs))).toString(16)
    const namespace = about.namespace === "" ? "default" : about.namespace
    return {
      apiVersion: "v1", kind: "Event",
      metadata: { name: `${about.name}.${stamp}`, namespace, creationTimestamp: timeText(firstNs) },
      involvedObject: { kind: about.kind, ...about.namespace === "" ? {} : { namespace }, name: about.name },
      reason, message, type, count, source: {}, firstTimestamp: timeText(firstNs),
      lastTimestamp: timeText(lastNs)
    }
  })
}

