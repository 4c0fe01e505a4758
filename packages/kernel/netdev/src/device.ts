/**
 * A network device (struct net_device). Down is `xmit`, up is `run`; both consume the frame.
 * Arrival always goes through the engine's backlog, so two devices never call each other and the
 * stack never recurses: `startXmit` of one asks `engine.soon(peer, frame)`.
 */
import type { Engine, Task } from "@podwire/engine"
import { DropReason } from "./drop-reason.ts"
import type { Frame } from "./frame.ts"
import type { FramePool } from "./pool.ts"
import { Direction, type Tap } from "./tap.ts"

/** Who takes what a device received: a namespace, or the bridge above a port (rx_handler). */
export interface RxHandler {
  receive(dev: NetDevice, frame: Frame): void
}

/** IFF_* as `ip link` shows them; LOWER_UP is `carrier`. */
export interface DeviceStats {
  rxPackets: number
  rxBytes: number
  rxDropped: number
  txPackets: number
  txBytes: number
  txDropped: number
}

export abstract class NetDevice implements Task<Frame> {
  /** What `ip -d link` calls it: veth, bridge, loopback, … ("" for an ordinary NIC). */
  abstract readonly kind: string
  readonly engine: Engine
  readonly pool: FramePool
  name: string
  mac: number
  /** The two halves of `mac`, for comparisons on the hot path. */
  macHi = 0
  macLo = 0
  /** Number in its namespace, from 1; 0 while detached. */
  ifindex = 0
  /** Name of the namespace it is in; "" while detached. Captures and drops say `<ns>/<name>`. */
  ns = ""
  /** Unique in the run, in order of creation: the digest folds it. */
  readonly serial: number
  up = false
  /** There is somebody at the other end (IFF_LOWER_UP). */
  carrier = true
  mtu = 1500
  /** The bridge or VLAN device above it; the namespace's handler is not called then. */
  master: NetDevice | null = null
  /** Its number among the master's ports; 0 without a master. */
  masterPort = 0
  handler: RxHandler = DETACHED
  tap: Tap | null = null
  readonly stats: DeviceStats = {
    rxPackets: 0, rxBytes: 0, rxDropped: 0, txPackets: 0, txBytes: 0, txDropped: 0
  }

  constructor(engine: Engine, pool: FramePool, name: string, mac: number) {
    this.engine = engine
    this.pool = pool
    this.name = name
    this.mac = 0
    this.serial = engine.serial()
    this.setMac(mac)
  }

  get loopback(): boolean {
    return false
  }

  /** Has a broadcast domain and needs neighbours; false for loopback. */
  get arp(): boolean {
    return !this.loopback
  }

  setMac(mac: number): void {
    this.mac = mac
    this.macHi = Math.floor(mac / 0x1_0000_0000)
    this.macLo = mac | 0
  }

  /** Queue the frame for sending: counted and tapped here, moved by `startXmit` (dev_queue_xmit). */
  xmit(frame: Frame): void {
    frame.dev = this
    if (!this.up || !this.carrier) {
      this.stats.txDropped++
      this.pool.drop(frame, this.up ? DropReason.LINK_DOWN : DropReason.DEV_READY, this)
      return
    }
    this.stats.txPackets++
    this.stats.txBytes += frame.tail - frame.head
    if (this.tap !== null) this.tap.see(this, Direction.Out, frame)
    this.startXmit(frame)
  }

  /** Arrival, from the backlog (netif_receive_skb): tapped before anything may drop it. */
  run(frame: Frame): void {
    if (!this.up) {
      this.stats.rxDropped++
      this.pool.drop(frame, DropReason.DEV_READY, this)
      return
    }
    frame.dev = this
    this.stats.rxPackets++
    this.stats.rxBytes += frame.tail - frame.head
    const digest = this.engine.digest
    digest.fold(this.engine.nowNs | 0)
    digest.fold(this.serial)
    digest.fold(frame.tail - frame.head)
    if (this.tap !== null) this.tap.see(this, Direction.In, frame)
    this.handler.receive(this, frame)
  }

  /** Forwards the frame or ends it, exactly once (ndo_start_xmit). */
  protected abstract startXmit(frame: Frame): void

  /** Detach from whatever is on the other side and end what is still queued. */
  destroy(): void {
    this.up = false
    this.handler = DETACHED
  }
}

/** Takes what arrives on a device that nobody attached. */
export const DETACHED: RxHandler = {
  receive(dev, frame) {
    dev.pool.drop(frame, DropReason.DEV_DETACHED, dev)
  }
}
