/**
 * ARP for IPv4 over Ethernet (RFC 826).
 * Not supported: other hardware and protocol types, which `check` names.
 */
import { get16, get32, set16, set32 } from "./bytes.ts"
import * as mac from "./mac.ts"

export const BYTES = 28
export const REQUEST = 1
export const REPLY = 2
const HARDWARE = 0
const PROTOCOL = 2
const LENGTHS = 4
const OPERATION = 6
const SENDER_MAC = 8
const SENDER_IP = 14
const TARGET_MAC = 18
const TARGET_IP = 24
const ETHERNET_IPV4 = 0x0604

export const Fault = { None: 0, Truncated: 1, NotEthernet: 2, NotIpv4: 3 } as const
export type Fault = (typeof Fault)[keyof typeof Fault]

export interface Fields {
  readonly operation: number
  readonly senderMac: number
  readonly senderIp: number
  readonly targetMac: number
  readonly targetIp: number
}

export function check(bytes: Uint8Array, at: number, end: number): Fault {
  if (end - at < BYTES) return Fault.Truncated
  if (get16(bytes, at + HARDWARE) !== 1) return Fault.NotEthernet
  return get16(bytes, at + PROTOCOL) === 0x0800 && get16(bytes, at + LENGTHS) === ETHERNET_IPV4
    ? Fault.None
    : Fault.NotIpv4
}

export function operation(bytes: Uint8Array, at: number): number {
  return get16(bytes, at + OPERATION)
}

export function senderHi(bytes: Uint8Array, at: number): number {
  return get16(bytes, at + SENDER_MAC)
}

export function senderLo(bytes: Uint8Array, at: number): number {
  return get32(bytes, at + SENDER_MAC + 2)
}

export function senderIp(bytes: Uint8Array, at: number): number {
  return get32(bytes, at + SENDER_IP)
}

export function targetHi(bytes: Uint8Array, at: number): number {
  return get16(bytes, at + TARGET_MAC)
}

export function targetLo(bytes: Uint8Array, at: number): number {
  return get32(bytes, at + TARGET_MAC + 2)
}

export function targetIp(bytes: Uint8Array, at: number): number {
  return get32(bytes, at + TARGET_IP)
}

/** Hot face: every field as words. */
export function writeWords(
  bytes: Uint8Array, at: number, op: number, sHi: number, sLo: number, sIp: number, tHi: number,
  tLo: number, tIp: number
): number {
  set16(bytes, at + HARDWARE, 1)
  set16(bytes, at + PROTOCOL, 0x0800)
  set16(bytes, at + LENGTHS, ETHERNET_IPV4)
  set16(bytes, at + OPERATION, op)
  set16(bytes, at + SENDER_MAC, sHi)
  set32(bytes, at + SENDER_MAC + 2, sLo)
  set32(bytes, at + SENDER_IP, sIp)
  set16(bytes, at + TARGET_MAC, tHi)
  set32(bytes, at + TARGET_MAC + 2, tLo)
  set32(bytes, at + TARGET_IP, tIp)
  return BYTES
}

export function read(bytes: Uint8Array, at: number): Fields {
  return {
    operation: operation(bytes, at),
    senderMac: mac.of(senderHi(bytes, at), senderLo(bytes, at)),
    senderIp: senderIp(bytes, at),
    targetMac: mac.of(targetHi(bytes, at), targetLo(bytes, at)),
    targetIp: targetIp(bytes, at)
  }
}

export function write(bytes: Uint8Array, at: number, fields: Fields): number {
  return writeWords(
    bytes, at, fields.operation, mac.hi(fields.senderMac), mac.lo(fields.senderMac), fields.senderIp,
    mac.hi(fields.targetMac), mac.lo(fields.targetMac), fields.targetIp
  )
}
