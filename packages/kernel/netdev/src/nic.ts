/** A node's network card: an Ethernet device whose other end is a segment or a cable. */
import { NetDevice, tooLongFor } from "./device.ts"
import { DropReason } from "./drop-reason.ts"
import type { Frame } from "./frame.ts"

export interface Wire {
  send(from: Nic, frame: Frame): void
}

export class Nic extends NetDevice {
  override readonly kind = ""
  wire: Wire | null = null
  /** Its number on a segment; -1 on none. */
  position = -1

  /** The card itself refuses what is longer than its MTU, headers, one tag: no tap sees it. */
  override run(frame: Frame): void {
    if (!tooLongFor(this, frame)) return super.run(frame)
    this.stats.rxDropped++
    this.pool.drop(frame, DropReason.PKT_TOO_BIG, this)
  }

  protected override startXmit(frame: Frame): void {
    if (this.wire === null) this.pool.drop(frame, DropReason.LINK_DOWN, this)
    else {
      frame.scrub()
      frame.wired = true
      this.wire.send(this, frame)
    }
  }
}
