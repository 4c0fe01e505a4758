/**
 * Cutting an IPv4 packet for a smaller MTU (ip_do_fragment): pieces of a multiple of 8 bytes, the
 * first with all options, later ones with the options whose copied flag is set and NOPs for the rest.
 */
import { completeChecksum, DropReason, Errno, type Frame, type FramePool } from "@podwire/netdev"
import * as eth from "@podwire/wire/eth"
import * as ethertype from "@podwire/wire/ethertype"
import * as ipv4 from "@podwire/wire/ipv4"
import type { Dst } from "./dst.ts"
import type { Ip4 } from "./ip4.ts"

const COPIED = 0x80

/** Consumes the packet; each piece leaves by `way`. */
export function fragment4(
  pool: FramePool, frame: Frame, mtu: number, ip4: Ip4, way: Dst
): Errno {
  const { bytes, l3 } = frame
  const header = ipv4.headerBytes(bytes, l3)
  const stepBytes = (mtu - header) & ~7
  if (stepBytes < 8) {
    ip4.mib.FragFails++
    pool.drop(frame, DropReason.PKT_TOO_BIG)
    return Errno.EMSGSIZE
  }
  completeChecksum(frame)
  const base = ipv4.fragmentOffsetBytes(bytes, l3)
  const wasMore = ipv4.moreFragments(bytes, l3)
  const total = frame.tail - l3 - header
  for (let at = 0; at < total; at += stepBytes) {
    const count = Math.min(stepBytes, total - at)
    const piece = pool.alloc(eth.HEADER_BYTES + header + count)
    if (piece === null) break
    piece.l3 = piece.head + eth.HEADER_BYTES
    piece.l4 = piece.l3 + header
    piece.tail = piece.l4 + count
    piece.protocol = ethertype.IPV4
    piece.l4Protocol = frame.l4Protocol
    piece.mark = frame.mark
    piece.dev = frame.dev
    piece.bytes.set(bytes.subarray(l3, l3 + header), piece.l3)
    piece.bytes.set(bytes.subarray(l3 + header + at, l3 + header + at + count), piece.l4)
    if (at > 0) blankOptions(piece.bytes, piece.l3, header)
    const more = wasMore || at + count < total
    ipv4.setFlagsAndOffset(piece.bytes, piece.l3, (more ? ipv4.MF : 0) | ((base + at) >>> 3))
    ipv4.setTotalLength(piece.bytes, piece.l3, header + count)
    ipv4.updateChecksum(piece.bytes, piece.l3)
    ip4.mib.FragCreates++
    ip4.transmit(piece, way)
  }
  ip4.mib.FragOKs++
  pool.free(frame)
  return Errno.OK
}

function blankOptions(bytes: Uint8Array, l3: number, header: number): void {
  for (let i = l3 + ipv4.HEADER_BYTES_MIN; i < l3 + header;) {
    const kind = bytes[i]!
    if (kind === ipv4.Option.End) return
    const length = kind === ipv4.Option.NoOperation ? 1 : Math.max(2, bytes[i + 1]!)
    if ((kind & COPIED) === 0) bytes.fill(ipv4.Option.NoOperation, i, Math.min(i + length, l3 + header))
    i += length
  }
}
