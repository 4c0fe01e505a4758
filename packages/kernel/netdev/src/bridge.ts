/**
 * A learning bridge (net/bridge). It is a device of its namespace as well as the ports' common handler:
 * `xmit` is the local stack sending into it, `run` is what it passes up.
 *
 * Flooding goes to the newest port first and to the bridge device last. MAC and MTU are the lowest and the
 * smallest of the ports' until somebody sets them; carrier is that of any port; a port that goes down forgets
 * what was learnt on it. Tags pass untouched.
 * Approximated: a bridge without a MAC of its own has MAC zero until its first port; Linux draws a random
 * one.
 * Not supported: STP (a port that is up forwards), VLAN filtering, multicast snooping and MDB (groups are
 * flooded), proxy ARP and neighbour suppression, locked ports, br_netfilter (the hooks' place is `#forward`).
 */
import type { Engine } from "@podwire/engine"
import * as eth from "@podwire/wire/eth"
import { hi, lo } from "@podwire/wire/mac"
import { NetDevice, type RxHandler, tooLongFor, type Upper, DETACHED } from "./device.ts"
import { DropReason } from "./drop-reason.ts"
import { Errno } from "./errno.ts"
import { Fdb, FdbKind, NO_PORT } from "./fdb.ts"
import { type Flood, Floods } from "./flood.ts"
import type { Frame } from "./frame.ts"
import type { FramePool } from "./pool.ts"

/** BR_PORT_BITS is 10, and port numbers start at 1. */
export const PORTS_MAX = 1023
export const AGEING_NS = 300_000_000_000
const MTU_ALONE = 1500
/** STP, pause frames and LACP cannot be let through (BR_GROUPFWD_RESTRICTED). */
const GROUP_FORWARD_RESTRICTED = 0x0007
/** 802.3x pause frames: dropped whatever the masks say. */
const PAUSE = 1

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
  /** Bit n lets 01:80:c2:00:00:0n through, on top of the bridge's own mask. */
  groupForwardMask = 0
  /** As the bridge last saw them: what changed is told by comparing. */
  mac: number
  up: boolean

  constructor(dev: NetDevice, number: number) {
    this.dev = dev
    this.number = number
    this.mac = dev.mac
    this.up = dev.up
  }
}

export class Bridge extends NetDevice implements RxHandler, Upper {
  override readonly kind = "bridge"
  readonly fdb = new Fdb(AGEING_NS)
  #groupForwardMask = 0
  /** Newest first: the order of flooding. */
  readonly #ports: Array<BridgePort> = []
  /** By port number. */
  readonly #byNumber: Array<BridgePort | null> = [null]
  #macIsSet: boolean
  #mtuIsSet = false
  readonly #floods: Floods

  /** Without a MAC of its own (0) it takes the lowest of its ports'. */
  constructor(engine: Engine, pool: FramePool, name: string, mac = 0) {
    super(engine, pool, name, mac)
    this.#macIsSet = mac !== 0
    this.#floods = new Floods(pool)
    if (mac !== 0) this.fdb.addLocal(this.macHi, this.macLo, NO_PORT)
  }

  /** From now on the ports do not change it. */
  protected override wishedMtu(bytes: number): number {
    this.#mtuIsSet = true
    return bytes
  }

  /** ip link set BRIDGE address MAC: from now on the ports do not change it. */
  override setMac(mac: number): void {
    this.#macIsSet = true
    this.#changeMac(mac)
  }

  get groupForwardMask(): number {
    return this.#groupForwardMask
  }

  /** ip link set BRIDGE type bridge group_fwd_mask MASK */
  setGroupForwardMask(mask: number): Errno {
    if ((mask & GROUP_FORWARD_RESTRICTED) !== 0) return Errno.EINVAL
    this.#groupForwardMask = mask
    return Errno.OK
  }

  /** In order of joining. */
  ports(): ReadonlyArray<BridgePort> {
    return [...this.#ports].reverse()
  }

  port(dev: NetDevice): BridgePort | null {
    const port = dev.master === this ? this.#byNumber[dev.masterPort] : null
    return port?.dev === dev ? port : null
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
    if (number > PORTS_MAX) return Errno.EXFULL
    const port = new BridgePort(dev, number)
    this.#byNumber[number] = port
    this.#ports.unshift(port)
    dev.master = this
    dev.masterPort = number
    dev.handler = this
    dev.addUpper(this)
    this.fdb.addLocal(dev.macHi, dev.macLo, number)
    this.#recompute()
    return Errno.OK
  }

  /** ip link set DEV nomaster; the device is nobody's until it is attached again. */
  removePort(dev: NetDevice, handler: RxHandler): Errno {
    const port = this.port(dev)
    if (port === null) return Errno.EINVAL
    this.#ports.splice(this.#ports.indexOf(port), 1)
    this.#byNumber[port.number] = null
    dev.removeUpper(this)
    dev.master = null
    dev.masterPort = 0
    dev.handler = handler
    this.fdb.removePort(port.number)
    this.#restoreLocal(port.mac)
    this.#recompute()
    return Errno.OK
  }

  /** bridge fdb add MAC dev PORT master static|dynamic [sticky]; `null` is the bridge itself. */
  addFdb(mac: number, dev: NetDevice | null, kind: FdbKind = FdbKind.Static): Errno {
    const port = dev === null ? null : this.port(dev)
    if (dev !== null && port === null) return Errno.EINVAL
    if (this.fdb.find(hi(mac), lo(mac), this.engine) >= 0) return Errno.EEXIST
    this.fdb.set(hi(mac), lo(mac), port?.number ?? NO_PORT, kind, this.engine.nowNs)
    return Errno.OK
  }

  delFdb(mac: number): Errno {
    return this.fdb.remove(mac) ? Errno.OK : Errno.ENOENT
  }

  lowerChanged(dev: NetDevice): void {
    const port = this.port(dev)
    if (port === null) return
    if (port.mac !== dev.mac) {
      const former = port.mac
      this.fdb.removeLocal(former, port.number)
      port.mac = dev.mac
      this.#restoreLocal(former)
      this.#restoreLocal(dev.mac)
    }
    if (port.up && !dev.up) this.fdb.flushPort(port.number)
    port.up = dev.up
    this.#recompute()
  }

  lowerGone(dev: NetDevice): void {
    this.removePort(dev, DETACHED)
  }

  /** A frame from a port (br_handle_frame, br_handle_frame_finish). */
  receive(dev: NetDevice, frame: Frame): void {
    const { bytes, head } = frame
    const port = this.#byNumber[dev.masterPort] ?? null
    if (port === null || !this.up) return this.pool.drop(frame, DropReason.BRIDGE_INGRESS_STP_STATE, dev)
    if (frame.tail - head < eth.HEADER_BYTES) return this.pool.drop(frame, DropReason.PKT_TOO_SMALL, dev)
    const srcHi = eth.srcHi(bytes, head)
    const srcLo = eth.srcLo(bytes, head)
    if ((srcHi & 0x0100) !== 0 || (srcHi | srcLo) === 0) {
      return this.pool.drop(frame, DropReason.MAC_INVALID_SOURCE, dev)
    }
    const { engine } = this
    if (isReserved(bytes, head) && !this.#letsThrough(port, bytes[head + 5]! & 15)) {
      // Pause frames end before anything looks at them; of the rest the source is learnt.
      if (port.learning && bytes[head + 5] !== PAUSE) this.fdb.learn(srcHi, srcLo, port.number, engine)
      return this.pool.drop(frame, DropReason.BRIDGE_LINK_LOCAL, dev)
    }
    if (port.learning) this.fdb.learn(srcHi, srcLo, port.number, engine)
    if (eth.isGroup(bytes, head)) return this.#flood(frame, port, true)
    const slot = this.fdb.find(eth.dstHi(bytes, head), eth.dstLo(bytes, head), engine)
    if (slot < 0) return this.#flood(frame, port, false)
    if (this.fdb.isLocal(slot)) return this.run(frame)
    this.#unicast(frame, port, this.#byNumber[this.fdb.port(slot)] ?? null)
  }

  /** The local stack sends (br_dev_xmit). To a port's own address it leaves by that port. */
  protected override startXmit(frame: Frame): void {
    const { bytes, head } = frame
    if (eth.isGroup(bytes, head)) return this.#flood(frame, null, false)
    const slot = this.fdb.find(eth.dstHi(bytes, head), eth.dstLo(bytes, head), this.engine)
    if (slot < 0) return this.#flood(frame, null, false)
    this.#unicast(frame, null, this.#byNumber[this.fdb.port(slot)] ?? null)
  }

  override destroy(): void {
    for (const { dev } of this.ports()) this.removePort(dev, DETACHED)
    super.destroy()
  }

  /** 01:80:c2:00:00:00 goes as any group does while STP is off. */
  #letsThrough(port: BridgePort, last: number): boolean {
    if (last === PAUSE) return false
    return last === 0 || (((this.#groupForwardMask | port.groupForwardMask) >>> last) & 1) !== 0
  }

  #mayForward(from: BridgePort | null, to: BridgePort): boolean {
    if (!to.dev.up) return false
    if (from === null) return true
    if (from === to) return to.hairpin
    return !(from.isolated && to.isolated)
  }

  #unicast(frame: Frame, from: BridgePort | null, to: BridgePort | null): void {
    if (to !== null && this.#mayForward(from, to)) return this.#forward(to, frame)
    const reason = to === null || !to.dev.up ? DropReason.BRIDGE_NO_EGRESS
      : from === to ? DropReason.BRIDGE_SAME_PORT : DropReason.BRIDGE_ISOLATED
    this.pool.drop(frame, reason, from === null ? this : from.dev)
  }

  /** To every port that wants it; `up` also to the bridge device, which is served last (br_flood). */
  #flood(frame: Frame, from: BridgePort | null, up: boolean): void {
    const { bytes, head } = frame
    const group = eth.isGroup(bytes, head)
    const broadcast = group && eth.isBroadcast(bytes, head)
    let flood: Flood | null = null
    let last: BridgePort | null = null
    for (let i = 0; i < this.#ports.length; i++) {
      const port = this.#ports[i]!
      // What the local stack sends to a group leaves by every port, whatever its flags.
      const wants = !group ? port.flood
        : from === null || (broadcast ? port.broadcastFlood : port.multicastFlood)
      if (!wants || !this.#mayForward(from, port)) continue
      if (last !== null) this.#forwardCopy(last, frame)
      last = null
      const peer = port.dev.reachesNow(frame)
      if (peer !== null) {
        flood ??= this.#floods.take()
        port.dev.sent(frame)
        flood.add(peer)
        continue
      }
      if (flood !== null) this.#sendCopy(flood, frame)
      flood = null
      last = port
    }
    if (flood !== null) {
      if (!up) return this.engine.soon(flood, frame)
      this.#sendCopy(flood, frame)
    }
    if (up) {
      if (last !== null) this.#forwardCopy(last, frame)
      this.run(frame)
    } else if (last !== null) this.#forward(last, frame)
    else this.pool.drop(frame, DropReason.BRIDGE_NO_EGRESS, from === null ? this : from.dev)
  }

  #sendCopy(flood: Flood, frame: Frame): void {
    const copy = this.pool.clone(frame)
    if (copy !== null) this.engine.soon(flood, copy)
    else flood.lose()
  }

  #forwardCopy(to: BridgePort, frame: Frame): void {
    const copy = this.pool.clone(frame)
    if (copy !== null) this.#forward(to, copy)
    else to.dev.stats.txDropped++
  }

  /** Longer than the port's MTU allows: it vanishes (br_dev_queue_push_xmit). */
  #forward(to: BridgePort, frame: Frame): void {
    if (tooLongFor(to.dev, frame)) {
      to.dev.stats.txDropped++
      this.pool.drop(frame, DropReason.PKT_TOO_BIG, to.dev)
      return
    }
    to.dev.xmit(frame)
  }

  /**
   * MAC, MTU and carrier follow the ports (br_stp_recalculate_bridge_id, br_mtu_auto_adjust,
   * br_port_carrier_check).
   */
  #recompute(): void {
    const ports = this.#ports
    let carrier = false
    let mtu = Infinity
    let mac = Infinity
    for (let i = 0; i < ports.length; i++) {
      const { dev } = ports[i]!
      if (!carrier) carrier = dev.up && dev.carrier
      if (dev.mtu < mtu) mtu = dev.mtu
      if (dev.mac < mac) mac = dev.mac
    }
    if (!this.#mtuIsSet) this.takeMtu(mtu === Infinity ? MTU_ALONE : mtu)
    if (!this.#macIsSet) this.#changeMac(mac === Infinity ? 0 : mac)
    if (carrier === this.carrier) return
    this.carrier = carrier
    this.tellUppers()
  }

  #changeMac(mac: number): void {
    if (mac === this.mac) return
    const former = this.mac
    this.fdb.removeLocal(former, NO_PORT)
    super.setMac(mac)
    this.#restoreLocal(former)
    this.#restoreLocal(mac)
  }

  /**
   * An address that two things share stays local when one of them lets go of it; a port's entry comes
   * first.
   */
  #restoreLocal(mac: number): void {
    if (mac === 0 || this.#hasLocal(hi(mac), lo(mac))) return
    const ports = this.#ports
    for (let i = 0; i < ports.length; i++) {
      if (ports[i]!.mac === mac) return this.fdb.addLocal(hi(mac), lo(mac), ports[i]!.number)
    }
    if (this.mac === mac) this.fdb.addLocal(hi(mac), lo(mac), NO_PORT)
  }

  #hasLocal(high: number, low: number): boolean {
    const slot = this.fdb.find(high, low, this.engine)
    return slot >= 0 && this.fdb.isLocal(slot)
  }
}

/** 01:80:c2:00:00:00 to 0f stay on the link (IEEE 802.1D, table 7-10). */
function isReserved(bytes: Uint8Array, head: number): boolean {
  return eth.dstHi(bytes, head) === 0x0180 && (eth.dstLo(bytes, head) & 0xfffffff0) === (0xc2000000 | 0)
}
