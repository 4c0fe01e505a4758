/**
 * What goes wrong on purpose, and for how long: links between machines lose, delay or are cut. When the time
 * is over, the former state comes back.
 */
import { type Engine, type Ns, Timer } from "@podwire/engine"
import type { Link, LinkSpec } from "@podwire/netdev"

/** Both directions of a link get `spec` on top of what they have; `forNs` null means for good. */
export class LinkFault extends Timer {
  readonly #engine: Engine
  readonly #links: ReadonlyArray<Link>
  readonly #before: ReadonlyArray<LinkSpec>
  readonly #wasUp: ReadonlyArray<boolean>

  constructor(
    engine: Engine, links: ReadonlyArray<Link>, spec: Partial<LinkSpec>, down: boolean,
    forNs: Ns | null
  ) {
    super()
    this.#engine = engine
    this.#links = links
    this.#before = links.map((link) => ({ ...link.spec }))
    this.#wasUp = links.map((link) => link.up)
    for (const link of links) {
      link.set({ ...link.spec, ...spec })
      if (down) link.up = false
    }
    if (forNs !== null) engine.arm(this, forNs)
  }

  /** Also called by hand to end a fault early. */
  override fire(): void {
    this.#engine.disarm(this)
    this.#links.forEach((link, i) => {
      link.set(this.#before[i]!)
      link.up = this.#wasUp[i]!
    })
  }
}
