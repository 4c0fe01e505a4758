/**
 * What goes wrong on purpose, and for how long: links between machines lose, delay or are cut. A link is as
 * it was before its first fault with the faults of now on top, in the order of their coming; so each may end
 * when it likes, and what is left is what the others ask for.
 */
import { type Engine, type Ns, Timer } from "@podwire/engine"
import type { Link, LinkSpec } from "@podwire/netdev"

/** One link with faults: how it was before the first, and those of now. */
interface Faulty {
  readonly before: LinkSpec
  readonly wasUp: boolean
  readonly faults: Set<LinkFault>
}

export class LinkFaults {
  readonly #engine: Engine
  readonly #faulty = new Map<Link, Faulty>()

  constructor(engine: Engine) {
    this.#engine = engine
  }

  /** The links get `spec` on top of what they have, or are cut; `forNs` null means until `clear`. */
  begin(links: ReadonlyArray<Link>, spec: Partial<LinkSpec>, down: boolean, forNs: Ns | null): void {
    const fault = new LinkFault(this, links, spec, down)
    for (const link of links) {
      const faulty = this.#faulty.get(link) ??
        { before: link.spec, wasUp: link.up, faults: new Set<LinkFault>() }
      this.#faulty.set(link, faulty)
      faulty.faults.add(fault)
      apply(link, faulty)
    }
    if (forNs !== null) this.#engine.arm(fault, forNs)
  }

  end(fault: LinkFault): void {
    for (const link of fault.links) {
      const faulty = this.#faulty.get(link)
      if (faulty === undefined || !faulty.faults.delete(fault)) continue
      if (faulty.faults.size === 0) this.#faulty.delete(link)
      apply(link, faulty)
    }
  }

  /** These links have no fault any more; one that others share goes on there. */
  clear(links: ReadonlyArray<Link>): void {
    for (const link of links) {
      const faulty = this.#faulty.get(link)
      if (faulty === undefined) continue
      faulty.faults.clear()
      this.#faulty.delete(link)
      apply(link, faulty)
    }
  }
}

class LinkFault extends Timer {
  readonly #all: LinkFaults
  readonly links: ReadonlyArray<Link>
  readonly spec: Partial<LinkSpec>
  readonly down: boolean

  constructor(all: LinkFaults, links: ReadonlyArray<Link>, spec: Partial<LinkSpec>, down: boolean) {
    super()
    this.#all = all
    this.links = links
    this.spec = spec
    this.down = down
  }

  override fire(): void {
    this.#all.end(this)
  }
}

function apply(link: Link, { before, wasUp, faults }: Faulty): void {
  let spec = before
  let up = wasUp
  for (const fault of faults) {
    spec = { ...spec, ...fault.spec }
    up &&= !fault.down
  }
  // The delay that it relied on may have ended with another fault: nobody is left to overtake.
  if (spec.delayNs === 0) spec = { ...spec, reorderPpm: 0 }
  link.set(spec)
  link.up = up
}
