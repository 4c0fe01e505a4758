/**
 * A VLAN device on another device: `ip link add link eth0 name eth0.10 type vlan id 10` (net/8021q). What it
 * sends leaves below with a tag; what arrives below with that tag comes up here without it, before a bridge
 * that the lower device may be a port of gets to see it (__netif_receive_skb_core).
 *
 * MAC and MTU are the lower device's until set otherwise; a smaller lower MTU lowers this one. It has carrier
 * while the lower device is up and has it.
 * Approximated: Linux also takes VLAN devices up and down with the lower device; here only the carrier
 * follows.
 * Not supported: priority maps (priority 0 is sent), GVRP, loose binding, reorder_hdr off. A priority tag
 * (VID 0) is taken off only where a device has VLAN devices at all.
 */
import { assert } from "@podwire/engine"
import * as ethertype from "@podwire/wire/ethertype"
import * as tag from "@podwire/wire/vlan"
import { NetDevice, type TagHandler, type Upper } from "./device.ts"
import { DropReason } from "./drop-reason.ts"
import { Errno } from "./errno.ts"
import type { Frame } from "./frame.ts"

export type VlanProtocol = typeof ethertype.VLAN | typeof ethertype.QINQ

export class Vlan extends NetDevice implements Upper {
  override readonly kind = "vlan"
  readonly lower: NetDevice
  readonly vid: number
  readonly protocol: VlanProtocol
  #lowerMac: number

  /** Why such a device cannot be: VID out of range, taken, or a device that carries no tags. */
  static check(lower: NetDevice, vid: number, protocol: VlanProtocol = ethertype.VLAN): Errno {
    if (!Number.isInteger(vid) || vid < 0 || vid > tag.VID_MAX) return Errno.ERANGE
    if (lower.loopback) return Errno.EOPNOTSUPP
    const group = lower.tags
    return group instanceof VlanGroup && group.find(protocol, vid) !== null ? Errno.EEXIST : Errno.OK
  }

  constructor(name: string, lower: NetDevice, vid: number, protocol: VlanProtocol = ethertype.VLAN) {
    super(lower.engine, lower.pool, name, lower.mac)
    assert(Vlan.check(lower, vid, protocol) === Errno.OK, "a VLAN device was checked before it was made")
    this.lower = lower
    this.vid = vid
    this.protocol = protocol
    this.#lowerMac = lower.mac
    this.takeMtu(lower.mtu)
    if (lower.tags === null) lower.tags = new VlanGroup()
    ;(lower.tags as VlanGroup).add(this)
    lower.addUpper(this)
    this.lowerChanged(lower)
  }

  /** Never above the lower device's: who asks for more gets ERANGE from `mtuFault`. */
  protected override wishedMtu(bytes: number): number {
    return Math.min(bytes, this.lower.mtu)
  }

  mtuFault(bytes: number): Errno {
    return bytes > this.lower.mtu ? Errno.ERANGE : Errno.OK
  }

  lowerChanged(lower: NetDevice): void {
    if (lower.mac !== this.#lowerMac) {
      // Somebody's own address stays (vlan_sync_address).
      if (this.mac === this.#lowerMac) this.setMac(lower.mac)
      this.#lowerMac = lower.mac
    }
    if (this.mtu > lower.mtu) this.takeMtu(lower.mtu)
    const carrier = lower.up && lower.carrier
    if (carrier === this.carrier) return
    this.carrier = carrier
    this.tellUppers()
  }

  lowerGone(): void {
    this.destroy()
  }

  protected override startXmit(frame: Frame): void {
    if (frame.head < tag.TAG_BYTES) return this.pool.drop(frame, DropReason.NOMEM, this)
    frame.head = tag.insert(frame.bytes, frame.head, this.protocol, this.vid)
    this.lower.xmit(frame)
  }

  override destroy(): void {
    const { tags } = this.lower
    if (tags instanceof VlanGroup && tags.remove(this) === 0) this.lower.tags = null
    this.lower.removeUpper(this)
    super.destroy()
  }
}

/** The VLAN devices on one device (struct vlan_group). */
class VlanGroup implements TagHandler {
  /** By VID: a few hundred at most, mostly a handful. */
  readonly #customer: Array<Vlan | undefined> = []
  readonly #service: Array<Vlan | undefined> = []
  #count = 0

  find(protocol: number, vid: number): Vlan | null {
    return (protocol === ethertype.QINQ ? this.#service : this.#customer)[vid] ?? null
  }

  add(vlan: Vlan): void {
    this.#row(vlan)[vlan.vid] = vlan
    this.#count++
  }

  /** How many are left. */
  remove(vlan: Vlan): number {
    if (this.#row(vlan)[vlan.vid] === vlan) {
      delete this.#row(vlan)[vlan.vid]
      this.#count--
    }
    return this.#count
  }

  receiveTagged(dev: NetDevice, frame: Frame): boolean {
    const tagAt = frame.head + TAG_OFFSET
    const vid = tag.vid(frame.bytes, tagAt)
    const vlan = this.find(tag.tpid(frame.bytes, tagAt), vid)
    if (vlan !== null) {
      frame.head = tag.strip(frame.bytes, frame.head)
      vlan.run(frame)
      return true
    }
    // A bridge passes tags on; for the namespace of this device an unknown VLAN is somebody else's.
    if (dev.master !== null) return false
    if (vid === 0) {
      frame.head = tag.strip(frame.bytes, frame.head)
      return false
    }
    dev.stats.rxDropped++
    dev.pool.drop(frame, DropReason.VLAN_UNKNOWN, dev)
    return true
  }

  #row(vlan: Vlan): Array<Vlan | undefined> {
    return vlan.protocol === ethertype.QINQ ? this.#service : this.#customer
  }
}

/** Where the first tag's identifier stands in a frame: in the place of the EtherType. */
const TAG_OFFSET = 12
