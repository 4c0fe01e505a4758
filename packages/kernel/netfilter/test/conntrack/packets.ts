/** IP packets of either family from the smallest parts; whatever a test turns may be wrong. */
import { set16, set32 } from "@podwire/wire/bytes"
import { finish, pseudo4, pseudo6, sum } from "@podwire/wire/checksum"
import { parse, write } from "@podwire/wire/ip"

export interface IpFields {
  readonly src: string
  readonly dst: string
  readonly protocol: number
  readonly ttl?: number
  readonly tos?: number
  /** IPv4's identification, IPv6's flow label: names the packet. */
  readonly id?: number
}

export interface Wrong {
  /** Added to the transport checksum. */
  readonly checksum?: number
  /** Added to UDP's length field. */
  readonly length?: number
}

export const isSix = (address: string): boolean => address.includes(":")

export function ip(fields: IpFields, payload: Uint8Array): Uint8Array {
  const { src, dst, protocol, ttl = 64, tos = 0, id = 0 } = fields
  if (isSix(src)) {
    const bytes = new Uint8Array(40 + payload.length)
    set32(bytes, 0, 0x60000000 | (tos << 20) | (id & 0xfffff))
    set16(bytes, 4, payload.length)
    bytes[6] = protocol
    bytes[7] = ttl
    write(bytes, 8, parse(src)!)
    write(bytes, 24, parse(dst)!)
    bytes.set(payload, 40)
    return bytes
  }
  const bytes = new Uint8Array(20 + payload.length)
  bytes[0] = 0x45
  bytes[1] = tos
  set16(bytes, 2, bytes.length)
  set16(bytes, 4, id)
  bytes[8] = ttl
  bytes[9] = protocol
  write(bytes, 12, parse(src)!)
  write(bytes, 16, parse(dst)!)
  set16(bytes, 10, finish(sum(bytes, 0, 20)))
  bytes.set(payload, 20)
  return bytes
}

/**
 * Sums the transport header's checksum field at `offset` behind the IP header, and adds what is wrong with
 * it.
 */
function summed(packet: Uint8Array, offset: number, pseudo: boolean, wrong = 0, as = 0): Uint8Array {
  const six = packet[0]! >>> 4 === 6
  const l4 = six ? 40 : 20
  const protocol = as !== 0 ? as : six ? packet[6]! : packet[9]!
  const length = packet.length - l4
  if (l4 + offset + 2 > packet.length) return packet
  const words = (at: number): number => new DataView(packet.buffer).getInt32(at)
  const start = !pseudo ? 0 : six ? pseudo6(packet, 8, 24, protocol, length) : pseudo4(words(12), words(16), protocol, length)
  set16(packet, l4 + offset, 0)
  set16(packet, l4 + offset, (finish(sum(packet, l4, packet.length, start)) + wrong) & 0xffff)
  return packet
}

export interface TcpFields {
  readonly sport: number
  readonly dport: number
  readonly flags: number
  readonly seq: number
  readonly ack?: number
  readonly window?: number
  readonly options?: ReadonlyArray<number>
  readonly length?: number
}

export function tcp(fields: Omit<IpFields, "protocol">, segment: TcpFields, wrong: Wrong = {}): Uint8Array {
  const options = [...segment.options ?? []]
  while (options.length % 4 !== 0) options.push(1)
  const header = 20 + options.length
  const bytes = new Uint8Array(header + (segment.length ?? 0))
  set16(bytes, 0, segment.sport)
  set16(bytes, 2, segment.dport)
  set32(bytes, 4, segment.seq)
  set32(bytes, 8, segment.ack ?? 0)
  bytes[12] = (header >> 2) << 4
  bytes[13] = segment.flags
  set16(bytes, 14, segment.window ?? 1000)
  bytes.set(options, 20)
  return summed(ip({ ...fields, protocol: 6 }, bytes), 16, true, wrong.checksum)
}

export function udp(
  fields: Omit<IpFields, "protocol">, sport: number, dport: number, length: number, wrong: Wrong = {},
  protocol = 17, summedAs = protocol
): Uint8Array {
  const bytes = new Uint8Array(8 + length)
  set16(bytes, 0, sport)
  set16(bytes, 2, dport)
  set16(bytes, 4, bytes.length + (wrong.length ?? 0))
  return summed(ip({ ...fields, protocol }, bytes), 6, true, wrong.checksum, summedAs)
}

/** ICMP or ICMPv6, by the addresses. `rest` is the second word. */
export function icmp(
  fields: Omit<IpFields, "protocol">, type: number, code: number, rest: number, data: Uint8Array, wrong: Wrong = {}
): Uint8Array {
  const six = isSix(fields.src)
  const bytes = new Uint8Array(8 + data.length)
  bytes[0] = type
  bytes[1] = code
  set32(bytes, 4, rest)
  bytes.set(data, 8)
  return summed(ip({ ...fields, protocol: six ? 58 : 1 }, bytes), 2, six, wrong.checksum)
}

export const F = { FIN: 1, SYN: 2, RST: 4, PSH: 8, ACK: 16, URG: 32 } as const
