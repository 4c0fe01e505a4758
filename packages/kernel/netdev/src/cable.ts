/** A wire between two cards: one link each way. */
import type { Engine } from "@podwire/engine"
import type { Frame } from "./frame.ts"
import { Link, type LinkSpec } from "./link.ts"
import type { Nic, Wire } from "./nic.ts"
import type { FramePool } from "./pool.ts"

export class Cable implements Wire {
  readonly forth: Link
  readonly back: Link
  readonly #a: Nic

  constructor(engine: Engine, pool: FramePool, name: string, a: Nic, b: Nic, spec: Partial<LinkSpec> = {}) {
    this.#a = a
    this.forth = new Link(engine, pool, `${name}/forth`, b, spec)
    this.back = new Link(engine, pool, `${name}/back`, a, spec)
    a.wire = this
    b.wire = this
  }

  send(from: Nic, frame: Frame): void {
    if (from === this.#a) this.forth.send(frame)
    else this.back.send(frame)
  }
}
