/**
 * A learning bridge (net/bridge). It is a device of its namespace as well as the ports' common handler:
 * `xmit` is the local stack sending into it, `run` is what it passes up.
 *
 * Flooding goes to the newest port first and to the bridge device last, as Linux does it.
 * Not supported: STP (forwarding always), VLAN filtering, multicast snooping (groups are flooded),
 * MDB, br_netfilter (the hooks' place is `forward`).
 */
import type { Engine } from "@podwire/engine"
import * as eth from "@podwire/wire/eth"
import { NetDevice, type RxHandler } from "./device.ts"
import { DropReason } from "./drop-reason.ts"
import { Errno } from "./errno.ts"
import { Fdb, NO_PORT } from "./fdb.ts"
import type { Frame } from "./frame.ts"
import type { FramePool } from "./pool.ts"

/** BR_PORT_BITS is 10, and port numbers start at 1. */
export const PORTS_MAX = 1023
export const AGEING_NS = 300_000_000_000
const MTU_ALONE = 1500

export class BridgePort {
  readonly dev: NetDevice
  readonly number: number
  /** Frames may leave by the port that they came from. */
  hairpin = false
  learning = true
  /** Unknown unicast, multicast and broadcast leave by this port. */
  flood = true
  multicastFlood = true
  broadcastFlood = true
  /** Isolated ports reach only ports that are not. */
  isolated = false

  constructor(dev: NetDevice, number: number) {
    this.dev = dev
    this.number = number
  }
}

export class Bridge extends NetDevice implements RxHandler {
  override readonly kind = "bridge"
  readonly fdb = new Fdb(AGEING_NS)
  /** Newest first: the order of flooding. */
  readonly #ports: Array<BridgePort> = []
  /** By port number. */
  readonly #byNumber: Array<BridgePort | null> = [null]
  readonly #macIsSet: boolean

  /** Without a MAC of its own (0) it takes the lowest of its ports'. */
  constructor(engine: Engine, pool: FramePool, name: string, mac = 0) {
    super(engine, pool, name, mac)
    this.#macIsSet = mac !== 0
    this.carrier = false
    if (mac !== 0) this.fdb.addLocal(this.macHi, this.macLo, NO_PORT)
  }

  /** In order of joining. */
  ports(): ReadonlyArray<BridgePort> {
    return [...this.#ports].reverse()
  }

  port(dev: NetDevice): BridgePort | null {
    return this.#ports.find((port) => port.dev === dev) ?? null
  }

  /** The port with that number in an FDB entry; null for the bridge itself. */
  portByNumber(number: number): BridgePort | null {
    return this.#byNumber[number] ?? null
  }

  /** ip link set DEV master BRIDGE */
  addPort(dev: NetDevice): Errno {
    if (dev.loopback) return Errno.EINVAL
    if (dev instanceof Bridge) return Errno.ELOOP
    if (dev.master !== null) return Errno.EBUSY
    let number = 1
    while (this.#byNumber[number]) number++
    if (number > PORTS_MAX) return Errno.ENFILE
    const port = new BridgePort(dev, number)
    this.#byNumber[number] = port
    this.#ports.unshift(port)
    dev.master = this
    dev.masterPort = number
    dev.handler = this
    this.fdb.addLocal(dev.macHi, dev.macLo, number)
    this.#recompute()
    return Errno.OK
  }

  /** ip link set DEV nomaster; the device is nobody's until it is attached again. */
  removePort(dev: NetDevice, handler: RxHandler): Errno {
    const at = this.#ports.findIndex((port) => port.dev === dev)
    if (at < 0) return Errno.EINVAL
    const [port] = this.#ports.splice(at, 1)
    this.#byNumber[port!.number] = null
    this.fdb.removePort(port!.number)
    dev.master = null
    dev.masterPort = 0
    dev.handler = handler
    this.#recompute()
    return Errno.OK
  }

  /** A frame from a port (br_handle_frame). */
  receive(dev: NetDevice, frame: Frame): void {
    const { bytes, head } = frame
    const port = this.#byNumber[dev.masterPort] ?? null
    if (port === null || !this.up) return this.pool.drop(frame, DropReason.DEV_READY, dev)
    if ((bytes[head + 6]! & 1) !== 0) return this.pool.drop(frame, DropReason.MAC_INVALID_SOURCE, dev)
    if (isLinkLocal(bytes, head)) return this.pool.drop(frame, DropReason.BRIDGE_LINK_LOCAL, dev)
    const nowNs = this.engine.nowNs
    if (port.learning) this.fdb.learn(eth.srcHi(bytes, head), eth.srcLo(bytes, head), port.number, nowNs)
    if (eth.isGroup(bytes, head)) return this.#flood(frame, port, true)
    const slot = this.fdb.find(eth.dstHi(bytes, head), eth.dstLo(bytes, head), nowNs)
    if (slot < 0) return this.#flood(frame, port, false)
    if (this.fdb.isLocal(slot)) return this.run(frame)
    const to = this.#byNumber[this.fdb.port(slot)] ?? null
    if (to === null || !this.#mayForward(port, to)) {
      return this.pool.drop(frame, DropReason.BRIDGE_SAME_PORT, dev)
    }
    this.#forward(to, frame)
  }

  /** The local stack sends (br_dev_xmit). */
  protected override startXmit(frame: Frame): void {
    const { bytes, head } = frame
    if (eth.isGroup(bytes, head)) return this.#flood(frame, null, false)
    const slot = this.fdb.find(eth.dstHi(bytes, head), eth.dstLo(bytes, head), this.engine.nowNs)
    if (slot < 0 || this.fdb.isLocal(slot)) return this.#flood(frame, null, false)
    this.#forward(this.#byNumber[this.fdb.port(slot)]!, frame)
  }

  override destroy(): void {
    for (const port of this.ports()) {
      port.dev.master = null
      port.dev.masterPort = 0
    }
    super.destroy()
  }

  #mayForward(from: BridgePort | null, to: BridgePort): boolean {
    if (from === null) return true
    if (from === to) return to.hairpin
    return !(from.isolated && to.isolated)
  }

  /** To every port that wants it; `up` also to the bridge device, which is served last. */
  #flood(frame: Frame, from: BridgePort | null, up: boolean): void {
    const { bytes, head } = frame
    const group = eth.isGroup(bytes, head)
    const broadcast = group && eth.isBroadcast(bytes, head)
    let last: BridgePort | null = null
    for (let i = 0; i < this.#ports.length; i++) {
      const port = this.#ports[i]!
      const wants = broadcast ? port.broadcastFlood : group ? port.multicastFlood : port.flood
      if (!wants || !port.dev.up || !this.#mayForward(from, port)) continue
      if (last !== null) this.#forwardCopy(last, frame)
      last = port
    }
    if (up) {
      if (last !== null) this.#forwardCopy(last, frame)
      this.run(frame)
    } else if (last !== null) this.#forward(last, frame)
    else this.pool.drop(frame, DropReason.BRIDGE_NO_EGRESS, this)
  }

  #forwardCopy(to: BridgePort, frame: Frame): void {
    const copy = this.pool.clone(frame)
    if (copy !== null) this.#forward(to, copy)
    else to.dev.stats.txDropped++
  }

  /** Longer than the port's MTU allows: it vanishes (br_dev_queue_push_xmit). */
  #forward(to: BridgePort, frame: Frame): void {
    if (frame.tail - frame.head - eth.HEADER_BYTES > to.dev.mtu) {
      to.dev.stats.txDropped++
      this.pool.drop(frame, DropReason.PKT_TOO_BIG, to.dev)
      return
    }
    to.dev.xmit(frame)
  }

  /** The bridge's MAC and MTU follow its ports (br_stp_recalculate_bridge_id, br_mtu_auto_adjust). */
  #recompute(): void {
    this.carrier = this.#ports.length > 0
    this.mtu = this.#ports.reduce((least, port) => Math.min(least, port.dev.mtu), Infinity)
    if (this.mtu === Infinity) this.mtu = MTU_ALONE
    if (this.#macIsSet) return
    const macs = this.#ports.map((port) => port.dev.mac)
    const mac = macs.reduce((least, other) => Math.min(least, other), Infinity)
    this.fdb.removePort(NO_PORT)
    this.setMac(mac === Infinity ? 0 : mac)
    // Ports' own addresses are local too; the bridge's is one of them.
    if (mac !== Infinity) this.fdb.addLocal(this.macHi, this.macLo, this.#numberOf(mac))
  }

  #numberOf(mac: number): number {
    return this.#ports.find((port) => port.dev.mac === mac)?.number ?? NO_PORT
  }
}

/** 01:80:c2:00:00:01 to 0f stay on the link; 00 (STP) is flooded while STP is off. */
function isLinkLocal(bytes: Uint8Array, head: number): boolean {
  if (eth.dstHi(bytes, head) !== 0x0180) return false
  const low = eth.dstLo(bytes, head)
  return (low & 0xfffffff0) === (0xc2000000 | 0) && (low & 15) !== 0
}
