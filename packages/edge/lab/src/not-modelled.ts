/**
 * What the input asks of the network that this emulator does not do yet: whole kinds, and fields of the kinds
 * that are carried out. One sentence for each, with how often; nothing that changes traffic is passed over in
 * silence.
 */
import { type Container, type KubeObject, notModelled, type PodSpec } from "@podwire/api"
import type { SourcedObject } from "./load.ts"

const BANDWIDTH = ["kubernetes.io/ingress-bandwidth", "kubernetes.io/egress-bandwidth"]

export function warningsOf(objects: ReadonlyArray<SourcedObject>): ReadonlyArray<string> {
  const counts = new Map<string, number>()
  const say = (sentence: string) => counts.set(sentence, (counts.get(sentence) ?? 0) + 1)
  for (const { object } of objects) {
    const sentence = notModelled(object)
    if (sentence !== null) say(sentence)
    const template = templateOf(object)
    if (template !== null) fieldsNotModelled(template).forEach(say)
  }
  return [...counts].map(([sentence, count]) => `${count} ${sentence}`)
}

interface Template {
  readonly metadata?: { readonly annotations?: Readonly<Record<string, string>> }
  readonly spec?: PodSpec
}

/** The pod that the object is or makes; null for all that makes none here. */
function templateOf(object: KubeObject): Template | null {
  if (object.kind === "Pod") return object as Template
  const { template } = (object.spec ?? {}) as { readonly template?: Template }
  return notModelled(object) === null ? template ?? null : null
}

function fieldsNotModelled({ metadata, spec }: Template): ReadonlyArray<string> {
  const containers: ReadonlyArray<Container> = [...spec?.initContainers ?? [], ...spec?.containers ?? []]
  const some = (holds: (container: Container) => boolean) => containers.some(holds)
  const annotated = BANDWIDTH.some((name) => metadata?.annotations?.[name] !== undefined)
  return [
    ...some((c) => (c.readinessProbe ?? c.livenessProbe ?? c.startupProbe) !== undefined)
      ? ["pod template with probes: not modelled yet, a container that runs is ready"]
      : [],
    ...some((c) => c.lifecycle !== undefined) ? ["pod template with lifecycle hooks: not modelled"] : [],
    ...spec?.hostNetwork !== true &&
      some((c) => c.ports?.some((port) => port.hostPort !== undefined && port.hostPort !== 0) === true)
      ? ["pod template with hostPort: not modelled yet, nothing forwards the node's port"]
      : [],
    ...some((c) => c.ports?.some((port) => port.protocol === "SCTP") === true)
      ? ["pod template with SCTP ports: not modelled, nobody listens there"]
      : [],
    ...annotated ? ["pod template with bandwidth annotations: not modelled yet"] : []
  ]
}
