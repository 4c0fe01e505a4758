/**
 * What rules ask of a frame's connection (the conntrack, connmark, state and CT extensions). `tracked`
 * comes first: without an entry the answers mean nothing.
 * Not supported: zones.
 */
import type { Frame } from "@podwire/netdev"
import type { Conntrack } from "./conntrack.ts"
import { Ctinfo, type Direction, directionOf, Event } from "./status.ts"

export class FrameView {
  readonly #conntrack: Conntrack

  constructor(conntrack: Conntrack) {
    this.#conntrack = conntrack
  }

  /** False: no connection (INVALID, or UNTRACKED if `untracked`). */
  tracked(frame: Frame): boolean {
    return frame.ct >= 0
  }

  untracked(frame: Frame): boolean {
    return frame.ct < 0 && frame.ctinfo === Ctinfo.UNTRACKED
  }

  /** ESTABLISHED, RELATED or NEW, whatever the direction. */
  info(frame: Frame): number {
    return frame.ctinfo >= Ctinfo.IS_REPLY ? frame.ctinfo - Ctinfo.IS_REPLY : frame.ctinfo
  }

  dir(frame: Frame): Direction {
    return directionOf(frame.ctinfo)
  }

  /** IPS_* bits; those above 15 are the table's own. */
  status(frame: Frame): number {
    return this.#conntrack.table.status[frame.ct]! & 0xffff
  }

  protocol(frame: Frame): number {
    return this.#conntrack.table.protocol(frame.ct)
  }

  src(frame: Frame, direction: Direction, i: number): number {
    return this.#conntrack.table.address(frame.ct, direction, 0, i)
  }

  dst(frame: Frame, direction: Direction, i: number): number {
    return this.#conntrack.table.address(frame.ct, direction, 1, i)
  }

  srcPort(frame: Frame, direction: Direction): number {
    return this.#conntrack.table.key(frame.ct, direction) >>> 16
  }

  dstPort(frame: Frame, direction: Direction): number {
    return this.#conntrack.table.key(frame.ct, direction) & 0xffff
  }

  /** Whole seconds; of a draft, nothing yet. */
  expiresSec(frame: Frame): number {
    return this.#conntrack.secondsLeft(frame.ct)
  }

  mark(frame: Frame): number {
    return this.#conntrack.table.mark[frame.ct]!
  }

  setMark(frame: Frame, mark: number): void {
    const { table } = this.#conntrack
    if (table.mark[frame.ct] === (mark | 0)) return
    table.mark[frame.ct] = mark
    this.#conntrack.note(frame.ct, Event.MARK)
  }

  /** CT --notrack: before it is tracked. */
  untrack(frame: Frame): void {
    frame.ct = -1
    frame.ctinfo = Ctinfo.UNTRACKED
  }
}
