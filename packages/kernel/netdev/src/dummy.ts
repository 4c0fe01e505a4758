/** A device that loses what it is given, and is good for holding addresses (drivers/net/dummy.c). */
import { NetDevice } from "./device.ts"
import type { Frame } from "./frame.ts"

export class Dummy extends NetDevice {
  override readonly kind = "dummy"

  protected override startXmit(frame: Frame): void {
    this.pool.free(frame)
  }
}
