/**
 * A pair of Ethernet devices, each the other's wire (drivers/net/veth.c). What leaves one arrives at
 * the other at the same instant, scrubbed of what the sender's namespace knew of it; what is longer than the
 * receiving end's MTU allows does not arrive (____dev_forward_skb). There is a carrier while both are up.
 * Not supported: XDP, GRO, multiple queues.
 */
import type { Engine } from "@podwire/engine"
import { NetDevice, tooLongFor } from "./device.ts"
import { DropReason } from "./drop-reason.ts"
import type { Frame } from "./frame.ts"
import type { FramePool } from "./pool.ts"

export class Veth extends NetDevice {
  override readonly kind = "veth"
  peer: Veth | null = null

  static pair(
    engine: Engine, pool: FramePool, nameA: string, macA: number, nameB: string, macB: number
  ): [Veth, Veth] {
    const a = new Veth(engine, pool, nameA, macA)
    const b = new Veth(engine, pool, nameB, macB)
    a.peer = b
    b.peer = a
    a.carrier = false
    b.carrier = false
    return [a, b]
  }

  /** veth_open, veth_close: both ends lose it with either. */
  protected override upChanged(): void {
    const { peer } = this
    const carrier = this.up && peer !== null && peer.up
    if (carrier === this.carrier) return
    this.carrier = carrier
    if (peer === null || peer.carrier === carrier) return
    peer.carrier = carrier
    peer.tellUppers()
  }

  protected override startXmit(frame: Frame): void {
    const peer = this.peer
    if (peer === null || !peer.up) {
      this.pool.drop(frame, DropReason.DEV_READY, this)
      return
    }
    if (tooLongFor(peer, frame)) {
      peer.stats.rxDropped++
      this.pool.drop(frame, DropReason.PKT_TOO_BIG, peer)
      return
    }
    frame.scrub()
    this.engine.soon(peer, frame)
  }

  override reachesNow(frame: Frame): NetDevice | null {
    const peer = this.peer
    if (peer === null || !peer.up || !this.up || !this.carrier) return null
    return tooLongFor(peer, frame) || tooLongFor(this, frame) ? null : peer
  }

  /** Deleting one end deletes the pair. */
  override destroy(): void {
    const peer = this.peer
    this.peer = null
    super.destroy()
    if (peer !== null) {
      peer.peer = null
      peer.destroy()
    }
  }
}
