/** Frames for tests, from the smallest parts; every field that matters to a probe can be set. */
import * as arpWire from "@podwire/wire/arp"
import { set16, set32 } from "@podwire/wire/bytes"
import * as eth from "@podwire/wire/eth"
import * as icmp from "@podwire/wire/icmp"
import * as icmp6 from "@podwire/wire/icmp6"
import { parse, write } from "@podwire/wire/ip"
import * as ipv4 from "@podwire/wire/ipv4"
import * as ipv6 from "@podwire/wire/ipv6"
import * as mac from "@podwire/wire/mac"
import * as tcp from "@podwire/wire/tcp"
import * as udp from "@podwire/wire/udp"

export const concat = (...parts: ReadonlyArray<Uint8Array | ReadonlyArray<number>>): Uint8Array =>
  Uint8Array.from(parts.flatMap((part) => [...part]))

/** Bytes that count up, so that misplaced ones show. */
export const count = (length: number, from = 0): Uint8Array =>
  Uint8Array.from({ length }, (_, i) => (from + i) & 255)

export function ether(dst: string, src: string, etherType: number, payload: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(14)
  eth.write(bytes, 0, { dst: mac.parse(dst)!, src: mac.parse(src)!, etherType })
  return concat(bytes, payload)
}

export interface Ip4Options {
  readonly tos?: number
  readonly id?: number
  readonly flags?: number
  /** Fragment offset in bytes. */
  readonly offset?: number
  readonly ttl?: number
  readonly options?: ReadonlyArray<number>
  /** Added to what is right. */
  readonly checksumError?: number
  readonly lengthError?: number
  readonly version?: number
  readonly headerWords?: number
}

export function ip4(src: string, dst: string, protocol: number, payload: Uint8Array, o: Ip4Options = {}): Uint8Array {
  const extra = o.options ?? []
  const bytes = new Uint8Array(20 + extra.length)
  const total = bytes.length + payload.length + (o.lengthError ?? 0)
  ipv4.writeHeader(
    bytes, 0, o.tos ?? 0, total, o.id ?? 7, (o.flags ?? 0) | ((o.offset ?? 0) >>> 3), o.ttl ?? 64, protocol,
    parse(src)![0]!, parse(dst)![0]!
  )
  bytes.set(extra, 20)
  bytes[0] = ((o.version ?? 4) << 4) | (o.headerWords ?? bytes.length >>> 2)
  set16(bytes, 10, 0)
  let sum = 0
  for (let i = 0; i < bytes.length; i += 2) sum += (bytes[i]! << 8) | bytes[i + 1]!
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16)
  set16(bytes, 10, (~sum + (o.checksumError ?? 0)) & 0xffff)
  return concat(bytes, payload)
}

export interface Ip6Options {
  readonly trafficClass?: number
  readonly hopLimit?: number
  readonly lengthError?: number
  readonly version?: number
}

export function ip6(src: string, dst: string, next: number, payload: Uint8Array, o: Ip6Options = {}): Uint8Array {
  const bytes = new Uint8Array(40)
  ipv6.writeHeader(
    bytes, 0, o.trafficClass ?? 0, 0, payload.length + (o.lengthError ?? 0), next, o.hopLimit ?? 64, parse(src)!, parse(dst)!
  )
  if (o.version !== undefined) bytes[0] = (o.version << 4) | (bytes[0]! & 15)
  return concat(bytes, payload)
}

export function echo(type: number, code: number, id: number, seq: number, data: Uint8Array): Uint8Array {
  const bytes = concat(new Uint8Array(8), data)
  icmp.writeHeader(bytes, 0, type, code, (id << 16) | seq)
  icmp.finishChecksum(bytes, 0, bytes.length)
  return bytes
}

/** Any ICMP message; `rest` is its second word. */
export function icmp4(type: number, code: number, rest: number, data: Uint8Array): Uint8Array {
  return echo(type, code, rest >>> 16, rest & 0xffff, data)
}

/** An ICMPv6 message whose checksum fits these addresses. */
export function icmpv6(
  src: string, dst: string, type: number, code: number, rest: number, data: Uint8Array
): Uint8Array {
  const message = concat(new Uint8Array(8), data)
  icmp6.writeHeader(message, 0, type, code, rest)
  const packet = ip6(src, dst, 58, message)
  icmp6.finishChecksum(packet, 40, packet.length, 0)
  return packet.slice(40)
}

export function udp4(src: string, dst: string, from: number, to: number, data: Uint8Array): Uint8Array {
  const bytes = concat(new Uint8Array(8), data)
  udp.writeHeader(bytes, 0, from, to, bytes.length)
  udp.finishChecksum4(bytes, 0, bytes.length, parse(src)![0]!, parse(dst)![0]!)
  return bytes
}

export function udp6(src: string, dst: string, from: number, to: number, data: Uint8Array): Uint8Array {
  const packet = ip6(src, dst, 17, concat(new Uint8Array(8), data))
  udp.writeHeader(packet, 40, from, to, packet.length - 40)
  udp.finishChecksum6(packet, 40, packet.length, 0)
  return packet.slice(40)
}

/** A segment without options; the checksum is right for either family. */
export function tcpSegment(
  src: string, dst: string, flags: number, seq: number, ack: number, data: Uint8Array = new Uint8Array(0), to = 81
): Uint8Array {
  const six = src.includes(":")
  const header = six ? 40 : 20
  const segment = concat(new Uint8Array(20), data)
  const packet = six ? ip6(src, dst, 6, segment) : ip4(src, dst, 6, segment)
  tcp.writeHeader(packet, header, 5000, to, seq, ack, 20, flags, 1000)
  if (six) tcp.finishChecksum6(packet, header, packet.length, 0)
  else tcp.finishChecksum4(packet, header, packet.length, parse(src)![0]!, parse(dst)![0]!)
  return packet.slice(header)
}

export function arp(operation: number, senderMac: string, senderIp: string, targetMac: string, targetIp: string): Uint8Array {
  const bytes = new Uint8Array(28)
  arpWire.write(bytes, 0, {
    operation, senderMac: mac.parse(senderMac)!, senderIp: parse(senderIp)![0]!, targetMac: mac.parse(targetMac)!,
    targetIp: parse(targetIp)![0]!
  })
  return bytes
}

/** A neighbour discovery message: target, and options as bytes. */
export function nd(
  src: string, dst: string, type: number, flags: number, target: string, options: ReadonlyArray<number> = [], code = 0
): Uint8Array {
  const body = new Uint8Array(16)
  write(body, 0, parse(target)!)
  return icmpv6(src, dst, type, code, flags, concat(body, options))
}

export const macOption = (type: number, address: string): ReadonlyArray<number> =>
  [type, 1, ...address.split(":").map((octet) => parseInt(octet, 16))]

/** A fragment extension header. */
export function fragment6(next: number, offset: number, more: boolean, id: number): Uint8Array {
  const bytes = new Uint8Array(8)
  bytes[0] = next
  set16(bytes, 2, offset | (more ? 1 : 0))
  set32(bytes, 4, id)
  return bytes
}
