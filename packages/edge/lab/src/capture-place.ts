/**
 * Which interfaces `capture` looks at: `any`, `node1/cni0`, `default/web-0` and `node1` (their eth0),
 * `host/client`, `node1/drop` for what ended inside. A name may be of an interface that is yet to come, so
 * what it means is decided by the first frame that fits, and that there is none is only known at the end.
 */
import type { Cluster } from "@podwire/cluster"

const FIRST_DEVICE = "eth0"
const DROP_ENDING = "/drop"
const LISTED_MAX = 60

export class CapturePlace {
  /** As it was asked for. */
  readonly where: string
  readonly #meant: ReadonlyArray<string>
  #chosen: string | null = null

  constructor(where: string, namespace: string) {
    this.where = where
    const name = where.startsWith("node/") ? where.slice("node/".length) : where
    const names = [name, `${name}/${FIRST_DEVICE}`]
    this.#meant = [...names, ...names.map((other) => `${namespace}/${other}`)]
  }

  get any(): boolean {
    return this.where === "any"
  }

  /** It asks for frames that ended inside; `any` does not, as tcpdump sees none of them. */
  get drops(): boolean {
    return this.where.endsWith(DROP_ENDING)
  }

  readonly accepts = (name: string): boolean => {
    if (this.any) return !name.endsWith(DROP_ENDING)
    if (this.#chosen !== null) return name === this.#chosen
    if (!this.#meant.includes(name)) return false
    this.#chosen = name
    return true
  }

  /** Null when there is or was such an interface, else a sentence with those that there are. */
  missing(cluster: Cluster): string | null {
    if (this.any || this.#chosen !== null) return null
    const known = interfacesOf(cluster)
    const ended = this.#meant.some((name) =>
      name.endsWith(DROP_ENDING) &&
        known.some((other) => other.startsWith(name.slice(0, -DROP_ENDING.length + 1))))
    if (ended || this.#meant.some((name) => known.includes(name))) return null
    const more = known.length > LISTED_MAX ? ` and ${known.length - LISTED_MAX} more` : ""
    return `no interface is called "${this.where}"; there are any, ${known.slice(0, LISTED_MAX).join(", ")}${more}`
  }
}

function interfacesOf(cluster: Cluster): ReadonlyArray<string> {
  const spaces = new Set([
    ...cluster.nodes.map(({ netns }) => netns), ...cluster.pods.map(({ netns }) => netns),
    ...cluster.hosts.map(({ netns }) => netns)
  ])
  return [...spaces].flatMap((netns) => netns.links.list().map((dev) => `${netns.name}/${dev.name}`))
}
