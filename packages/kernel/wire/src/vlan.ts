/**
 * VLAN tags (IEEE 802.1Q, clause 9): a tag protocol identifier and 16 bits of control information between
 * the addresses and the EtherType; a service tag (802.1ad, 0x88a8) may stand in front of a customer tag.
 * `insert` and `strip` move the two addresses, never the payload: four bytes of headroom are enough.
 */
import { get16, set16 } from "./bytes.ts"
import * as eth from "./eth.ts"
import * as ethertype from "./ethertype.ts"

export const TAG_BYTES = 4
/** 0 means "priority only" and 4095 is reserved. */
export const VID_MAX = 4094
const ADDRESS_BYTES = 12
const VID_MASK = 0x0fff
const DEI = 0x1000

export const Fault = { None: 0, Truncated: 1 } as const
export type Fault = (typeof Fault)[keyof typeof Fault]

/** A tag as it stands in a frame: `etherType` is what it tags. */
export interface Fields {
  readonly tpid: number
  readonly priority: number
  readonly dropEligible: boolean
  readonly vid: number
  readonly etherType: number
}

/** An EtherType that is a tag. */
export function isTag(type: number): boolean {
  return type === ethertype.VLAN || type === ethertype.QINQ
}

/** Whether the frame whose Ethernet header is at `at` carries a tag with its EtherType behind it. */
export function isTagged(bytes: Uint8Array, at: number, end: number): boolean {
  return end - at >= eth.HEADER_BYTES + TAG_BYTES && isTag(eth.etherType(bytes, at))
}

/** From here on `at` is the tag's own place: that of its protocol identifier. */
export function check(_bytes: Uint8Array, at: number, end: number): Fault {
  return end - at < TAG_BYTES + 2 ? Fault.Truncated : Fault.None
}

export function tpid(bytes: Uint8Array, at: number): number {
  return get16(bytes, at)
}

/** Tag control information: priority (3 bits), drop eligible (1), VLAN identifier (12). */
export function tci(bytes: Uint8Array, at: number): number {
  return get16(bytes, at + 2)
}

export function vid(bytes: Uint8Array, at: number): number {
  return tci(bytes, at) & VID_MASK
}

export function priority(bytes: Uint8Array, at: number): number {
  return tci(bytes, at) >>> 13
}

export function dropEligible(bytes: Uint8Array, at: number): boolean {
  return (tci(bytes, at) & DEI) !== 0
}

/** What is tagged: another tag's identifier, or the payload's EtherType. */
export function etherType(bytes: Uint8Array, at: number): number {
  return get16(bytes, at + TAG_BYTES)
}

export function control(priorityBits: number, eligible: boolean, id: number): number {
  return ((priorityBits & 7) << 13) | (eligible ? DEI : 0) | (id & VID_MASK)
}

/** Tags the frame at `at` as the outermost; the new start of the frame is returned. */
export function insert(bytes: Uint8Array, at: number, protocol: number, controlInfo: number): number {
  bytes.copyWithin(at - TAG_BYTES, at, at + ADDRESS_BYTES)
  const tagAt = at - TAG_BYTES + ADDRESS_BYTES
  set16(bytes, tagAt, protocol)
  set16(bytes, tagAt + 2, controlInfo)
  return at - TAG_BYTES
}

/** Takes the outermost tag off the frame at `at`; the new start of the frame is returned. */
export function strip(bytes: Uint8Array, at: number): number {
  bytes.copyWithin(at + TAG_BYTES, at, at + ADDRESS_BYTES)
  return at + TAG_BYTES
}

export function read(bytes: Uint8Array, at: number): Fields {
  return {
    tpid: tpid(bytes, at),
    priority: priority(bytes, at),
    dropEligible: dropEligible(bytes, at),
    vid: vid(bytes, at),
    etherType: etherType(bytes, at)
  }
}

export function write(bytes: Uint8Array, at: number, fields: Fields): number {
  set16(bytes, at, fields.tpid)
  set16(bytes, at + 2, control(fields.priority, fields.dropEligible, fields.vid))
  set16(bytes, at + TAG_BYTES, fields.etherType)
  return TAG_BYTES + 2
}
