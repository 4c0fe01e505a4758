/** SYNs of one that does not exist, from addresses behind the other side, as many as wanted. */
import { hex } from "@podwire/wire/bytes"
import * as eth from "@podwire/wire/eth"
import * as ethertype from "@podwire/wire/ethertype"
import { next, parse as parseIp } from "@podwire/wire/ip"
import * as ipproto from "@podwire/wire/ipproto"
import * as ipv4 from "@podwire/wire/ipv4"
import * as ipv6 from "@podwire/wire/ipv6"
import { hi, lo, parse as parseMac } from "@podwire/wire/mac"
import * as tcp from "@podwire/wire/tcp"
import type { Family } from "./peer.ts"

const NOBODY: Readonly<Record<Family, string>> = { 4: "198.18.0.1", 6: "2001:db8::1" }
/** mss 1460, and nothing else. */
const OPTIONS = Uint8Array.of(2, 4, 5, 180)

/** As hex; `macs` are the source's and the destination's. */
export function synFlood(
  family: Family, macs: readonly [string, string], dst: string, port: number, count: number
): ReadonlyArray<string> {
  const to = parseIp(dst)!
  const l3 = eth.HEADER_BYTES
  const l4 = l3 + (family === 4 ? 20 : 40)
  const header = tcp.HEADER_BYTES_MIN + OPTIONS.length
  const bytes = new Uint8Array(l4 + header)
  const [src, mac] = [parseMac(macs[0])!, parseMac(macs[1])!]
  eth.setSrc(bytes, 0, hi(src), lo(src))
  eth.setDst(bytes, 0, hi(mac), lo(mac))
  eth.setEtherType(bytes, 0, family === 4 ? ethertype.IPV4 : ethertype.IPV6)
  return Array.from({ length: count }, (_, i) => {
    const from = next(parseIp(NOBODY[family])!, i)
    tcp.writeHeader(bytes, l4, 1024 + i, port, 7919 * i, 0, header, tcp.SYN, 64_240)
    bytes.set(OPTIONS, l4 + tcp.HEADER_BYTES_MIN)
    if (family === 4) {
      ipv4.writeHeader(bytes, l3, 0, 20 + header, i, 0x4000, 64, ipproto.TCP, from[0]!, to[0]!)
      tcp.finishChecksum4(bytes, l4, bytes.length, from[0]!, to[0]!)
    } else {
      ipv6.writeHeader(bytes, l3, 0, 0, header, ipproto.TCP, 64, from, to)
      tcp.finishChecksum6(bytes, l4, bytes.length, l3)
    }
    return hex(bytes)
  })
}
