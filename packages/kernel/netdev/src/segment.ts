/**
 * The underlay: a learning switch without an address of its own, and a link for every ordered pair of
 * cards, so that the way from one node to one other can be impaired and nothing else. Links come into
 * being when they are first used. A group frame, or one for an address not yet seen, goes to all.
 */
import type { Engine } from "@podwire/engine"
import * as eth from "@podwire/wire/eth"
import { DropReason } from "./drop-reason.ts"
import { Fdb } from "./fdb.ts"
import type { Frame } from "./frame.ts"
import { Link, type LinkSpec } from "./link.ts"
import type { Nic, Wire } from "./nic.ts"
import type { FramePool } from "./pool.ts"

const AGEING_NS = 300_000_000_000

export class Segment implements Wire {
  readonly name: string
  readonly #engine: Engine
  readonly #pool: FramePool
  readonly #spec: Partial<LinkSpec>
  readonly #nics: Array<Nic | null> = []
  /** By position of sender, then of receiver. */
  readonly #links: Array<Array<Link | undefined>> = []
  readonly #fdb = new Fdb(AGEING_NS)
  /** Position by the device's serial number. */
  readonly #positions = new Map<Nic, number>()

  /** `spec` is what every link starts with. */
  constructor(engine: Engine, pool: FramePool, name: string, spec: Partial<LinkSpec> = {}) {
    this.name = name
    this.#engine = engine
    this.#pool = pool
    this.#spec = spec
  }

  attach(nic: Nic): void {
    this.#positions.set(nic, this.#nics.length)
    this.#nics.push(nic)
    this.#links.push([])
    nic.wire = this
  }

  detach(nic: Nic): void {
    const position = this.#positions.get(nic)
    if (position === undefined) return
    this.#positions.delete(nic)
    this.#nics[position] = null
    this.#fdb.removePort(position)
    nic.wire = null
    for (const link of this.#links[position]!) link?.destroy()
    for (const row of this.#links) row[position]?.destroy()
  }

  /** Both directions between two cards. */
  between(a: Nic, b: Nic): [Link, Link] {
    const from = this.#positions.get(a)!
    const to = this.#positions.get(b)!
    return [this.#link(from, to), this.#link(to, from)]
  }

  send(from: Nic, frame: Frame): void {
    const { bytes, head } = frame
    const position = this.#positions.get(from)
    if (position === undefined) return this.#pool.drop(frame, DropReason.LINK_DOWN, from)
    const nowNs = this.#engine.nowNs
    if ((bytes[head + 6]! & 1) === 0) {
      this.#fdb.learn(eth.srcHi(bytes, head), eth.srcLo(bytes, head), position, nowNs)
    }
    if (!eth.isGroup(bytes, head)) {
      const slot = this.#fdb.find(eth.dstHi(bytes, head), eth.dstLo(bytes, head), nowNs)
      if (slot >= 0) {
        const to = this.#fdb.port(slot)
        if (to === position) return this.#pool.drop(frame, DropReason.BRIDGE_SAME_PORT, from)
        return this.#link(position, to).send(frame)
      }
    }
    this.#flood(position, frame)
  }

  #flood(from: number, frame: Frame): void {
    let last = -1
    for (let i = 0; i < this.#nics.length; i++) {
      if (i === from || this.#nics[i] === null) continue
      if (last >= 0) {
        const copy = this.#pool.clone(frame)
        if (copy !== null) this.#link(from, last).send(copy)
      }
      last = i
    }
    if (last >= 0) this.#link(from, last).send(frame)
    else this.#pool.drop(frame, DropReason.BRIDGE_NO_EGRESS)
  }

  #link(from: number, to: number): Link {
    const row = this.#links[from]!
    let link = row[to]
    if (link === undefined) {
      const receiver = this.#nics[to]!
      const name = `${this.#nics[from]!.ns}-${receiver.ns}`
      link = new Link(this.#engine, this.#pool, name, receiver, this.#spec)
      row[to] = link
    }
    return link
  }
}
