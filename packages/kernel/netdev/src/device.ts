/**
 * A network device (struct net_device). Down is `xmit`, up is `run`; both consume the frame. Whatever
 * stands on it hears of its changes at once, so a bridge's MAC and MTU are right whenever somebody looks.
 * Arrival always goes through the engine's backlog, so two devices never call each other and the stack
 * never recurses: `startXmit` of one asks `engine.soon(peer, frame)`.
 */
import { ARRIVED, type Engine, type EventSource, type Task } from "@podwire/engine"
import { HEADER_BYTES } from "@podwire/wire/eth"
import { hi, lo } from "@podwire/wire/mac"
import { isTagged, TAG_BYTES } from "@podwire/wire/vlan"
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

/**
 * What stands on a device and follows its state: a bridge on its ports, a VLAN device on its link
 * (netdevice notifier).
 */
export interface Upper {
  /** It went up or down, or its carrier, MAC or MTU changed. */
  lowerChanged(dev: NetDevice): void
  /** It is about to be no more. */
  lowerGone(dev: NetDevice): void
}

/** The namespace that a device is in, which acts on a carrier that comes and goes (NETDEV_CHANGE). */
export interface CarrierListener {
  carrierChanged(dev: NetDevice): void
}

/** Who takes frames that carry a tag, before anybody else; false when no VLAN device here wants them. */
export interface TagHandler {
  receiveTagged(dev: NetDevice, frame: Frame): boolean
}

export abstract class NetDevice implements Task<Frame>, EventSource {
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
  /** The bridge or VLAN device above it; the namespace's handler is not called then. */
  master: NetDevice | null = null
  /** Its number among the master's ports; 0 without a master. */
  masterPort = 0
  handler: RxHandler = DETACHED
  listener: CarrierListener | null = null
  /** VLAN devices on this one; null while there are none. */
  tags: TagHandler | null = null
  tap: Tap | null = null
  readonly stats: DeviceStats = {
    rxPackets: 0, rxBytes: 0, rxDropped: 0, txPackets: 0, txBytes: 0, txDropped: 0
  }
  #up = false
  #carrier = true
  #mtu = 1500
  #uppers: ReadonlyArray<Upper> = []

  constructor(engine: Engine, pool: FramePool, name: string, mac: number) {
    this.engine = engine
    this.pool = pool
    this.name = name
    this.mac = mac
    this.macHi = hi(mac)
    this.macLo = lo(mac)
    this.serial = engine.serial()
  }

  /** Administratively up (IFF_UP). */
  get up(): boolean {
    return this.#up
  }

  set up(value: boolean) {
    if (value === this.#up) return
    this.#up = value
    this.upChanged()
    this.tellUppers()
  }

  /** Before those above hear of it. */
  protected upChanged(): void {}

  /** There is somebody at the other end (IFF_LOWER_UP). Those above are told by whoever sets it. */
  get carrier(): boolean {
    return this.#carrier
  }

  set carrier(value: boolean) {
    if (value === this.#carrier) return
    this.#carrier = value
    this.listener?.carrierChanged(this)
  }

  get mtu(): number {
    return this.#mtu
  }

  /** ip link set DEV mtu BYTES */
  set mtu(bytes: number) {
    this.takeMtu(this.wishedMtu(bytes))
  }

  /**
   * What becomes of an MTU that somebody asks for: a bridge remembers it, a VLAN device keeps to its
   * link's.
   */
  protected wishedMtu(bytes: number): number {
    return bytes
  }

  protected takeMtu(bytes: number): void {
    if (bytes === this.#mtu) return
    this.#mtu = bytes
    this.tellUppers()
  }

  /** What the digest's reader calls it: `node1/eth0`, or the name alone while it is nobody's. */
  label(): string {
    return this.ns === "" ? this.name : `${this.ns}/${this.name}`
  }

  get loopback(): boolean {
    return false
  }

  /** Has a broadcast domain and needs neighbours; false for loopback. */
  get arp(): boolean {
    return !this.loopback
  }

  /** ip link set DEV address MAC */
  setMac(mac: number): void {
    if (mac === this.mac) return
    this.mac = mac
    this.macHi = hi(mac)
    this.macLo = lo(mac)
    this.tellUppers()
  }

  addUpper(upper: Upper): void {
    this.#uppers = [...this.#uppers, upper]
  }

  removeUpper(upper: Upper): void {
    this.#uppers = this.#uppers.filter((other) => other !== upper)
  }

  /** Call after a change of `carrier`; the setters of the rest do. */
  protected tellUppers(): void {
    for (const upper of this.#uppers) upper.lowerChanged(this)
  }

  /** Queue the frame for sending: counted and tapped here, moved by `startXmit` (dev_queue_xmit). */
  xmit(frame: Frame): void {
    frame.dev = this
    if (!this.#up || !this.carrier) {
      this.stats.txDropped++
      this.pool.drop(frame, this.#up ? DropReason.LINK_DOWN : DropReason.DEV_READY, this)
      return
    }
    this.sent(frame)
    this.startXmit(frame)
  }

  /** Count it and show it to whoever looks: it leaves. Does not consume. */
  sent(frame: Frame): void {
    frame.dev = this
    this.stats.txPackets++
    this.stats.txBytes += frame.tail - frame.head
    if (this.tap !== null) this.tap.see(this, Direction.Out, frame)
  }

  /**
   * The device that a frame sent now would arrive at, at this very instant and unchanged; null when it is not as
   * simple as that. With one a flood need not copy the frame before it arrives.
   */
  reachesNow(_frame: Frame): NetDevice | null {
    return null
  }

  /** Arrival, from the backlog (netif_receive_skb): tapped before anything may drop it. */
  run(frame: Frame): void {
    if (!this.#up) {
      this.stats.rxDropped++
      this.pool.drop(frame, DropReason.DEV_READY, this)
      return
    }
    frame.dev = this
    this.stats.rxPackets++
    this.stats.rxBytes += frame.tail - frame.head
    this.engine.note(this, frame.tail - frame.head, ARRIVED)
    if (this.tap !== null) this.tap.see(this, Direction.In, frame)
    if (this.tags !== null && isTagged(frame.bytes, frame.head, frame.tail)) {
      if (this.tags.receiveTagged(this, frame)) return
    }
    this.handler.receive(this, frame)
  }

  /** Forwards the frame or ends it, exactly once (ndo_start_xmit). */
  protected abstract startXmit(frame: Frame): void

  /** Detach from whatever is on the other side and end what is still queued. */
  destroy(): void {
    for (const upper of this.#uppers) upper.lowerGone(this)
    this.#uppers = []
    this.up = false
    this.handler = DETACHED
  }
}

/** Longer than its MTU, an Ethernet header and one tag: not forwarded to it (is_skb_forwardable). */
export function tooLongFor(dev: NetDevice, frame: Frame): boolean {
  return frame.tail - frame.head > dev.mtu + HEADER_BYTES + TAG_BYTES
}

/** Takes what arrives on a device that nobody attached. */
export const DETACHED: RxHandler = {
  receive(dev, frame) {
    dev.pool.drop(frame, DropReason.DEV_DETACHED, dev)
  }
}
