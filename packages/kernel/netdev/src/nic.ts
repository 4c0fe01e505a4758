/** A node's network card: an Ethernet device whose other end is a segment or a cable. */
import { NetDevice } from "./device.ts"
import { DropReason } from "./drop-reason.ts"
import type { Frame } from "./frame.ts"

export interface Wire {
  send(from: Nic, frame: Frame): void
}

export class Nic extends NetDevice {
  override readonly kind = ""
  wire: Wire | null = null

  protected override startXmit(frame: Frame): void {
    if (this.wire === null) this.pool.drop(frame, DropReason.LINK_DOWN, this)
    else {
      frame.scrub()
      this.wire.send(this, frame)
    }
  }
}
