/**
 * `lo`: what leaves it arrives on it, in the same namespace, with its mark kept and its checksums
 * left partial (drivers/net/loopback.c). Its MAC is zero and it needs no neighbours.
 */
import type { Engine } from "@podwire/engine"
import { NetDevice } from "./device.ts"
import type { Frame } from "./frame.ts"
import type { FramePool } from "./pool.ts"

export const LOOPBACK_MTU = 65_536

export class Loopback extends NetDevice {
  override readonly kind = "loopback"

  constructor(engine: Engine, pool: FramePool) {
    super(engine, pool, "lo", 0)
    this.mtu = LOOPBACK_MTU
  }

  override get loopback(): boolean {
    return true
  }

  protected override startXmit(frame: Frame): void {
    this.engine.soon(this, frame)
  }
}
