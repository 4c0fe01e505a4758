/**
 * Transport checksums that a sender left to hardware (CHECKSUM_PARTIAL): only the pseudo header is summed in the
 * frame, and the field must be finished before bytes change or leave without the note that it is open
 * (skb_checksum_help). As in Linux, a frame keeps it over veth pairs, bridges and VLAN devices, on to the socket
 * that it is for, which then has nothing to verify.
 *
 * A card's hardware finishes it on the wire. To save the work here too, a frame keeps it even then, and `wired`
 * says that everybody behind the wire must see it finished: captures, and ICMP errors that quote it.
 */
import { get16, set16 } from "@podwire/wire/bytes"
import { finish, sum } from "@podwire/wire/checksum"
import * as eth from "@podwire/wire/eth"
import * as ipproto from "@podwire/wire/ipproto"
import * as ipv4 from "@podwire/wire/ipv4"
import * as ipv6 from "@podwire/wire/ipv6"
import * as ext from "@podwire/wire/ipv6-ext"
import * as tcp from "@podwire/wire/tcp"
import * as udp from "@podwire/wire/udp"
import * as vlan from "@podwire/wire/vlan"
import { Checksum, type Frame } from "./frame.ts"

/** Scratch for one walk over extension headers. */
const UPPER = new ext.Upper()

/** Finish it in the frame itself, if it is open (skb_checksum_help). */
export function completeChecksum(frame: Frame): void {
  if (frame.csum !== Checksum.Partial) return
  completeCopy(frame, frame.bytes, frame.words)
  frame.csum = Checksum.None
}

/** What an ICMP error may quote: over a wire nothing unfinished comes. */
export function completeWired(frame: Frame): void {
  if (frame.wired) completeChecksum(frame)
}

/** The same in a copy of the frame's bytes, whose offsets are the frame's. */
export function completeCopy(frame: Frame, bytes: Uint8Array, words: Int32Array): void {
  const open = PLACE
  if (!findOpen(frame, bytes, open)) return
  set16(bytes, open.at, whole(sum(bytes, open.l4, open.end, 0, words)))
}

/** Where an open checksum stands, and what it covers. */
export class OpenChecksum {
  at = 0
  /** It covers [l4, end); what the transport carries starts at `data`, which no hop changes. */
  l4 = 0
  data = 0
  end = 0
}

const PLACE = new OpenChecksum()

/** What goes into the field. As the kernel for every protocol (CSUM_MANGLED_0): 0 and 0xffff are one number. */
export function whole(total: number): number {
  const checksum = finish(total)
  return checksum === 0 ? 0xffff : checksum
}

/** False where there is none that this stack knows. `bytes` are the frame's own or have its offsets. */
export function findOpen(frame: Frame, bytes: Uint8Array, into: OpenChecksum): boolean {
  const { head, tail } = frame
  let l3 = frame.l3
  if (l3 === 0) {
    l3 = head + eth.HEADER_BYTES
    while (l3 <= tail && vlan.isTag(get16(bytes, l3 - 2))) l3 += vlan.TAG_BYTES
  }
  let l4 = l3
  let end = tail
  let protocol = -1
  // The packet ends where IP says, not where Ethernet's padding does.
  if (tail - l3 >= ipv4.HEADER_BYTES_MIN && bytes[l3]! >>> 4 === 4) {
    l4 += ipv4.headerBytes(bytes, l3)
    end = l3 + ipv4.totalLength(bytes, l3)
    protocol = ipv4.protocol(bytes, l3)
  } else if (tail - l3 >= ipv6.HEADER_BYTES && bytes[l3]! >>> 4 === 6) {
    end = l3 + ipv6.HEADER_BYTES + ipv6.payloadLength(bytes, l3)
    if (ext.walk(bytes, l3, tail, UPPER) === ext.Fault.None) protocol = UPPER.protocol
    l4 = UPPER.at
  }
  into.l4 = l4
  into.end = end > tail ? tail : end
  return transport(bytes, protocol, into)
}

function transport(bytes: Uint8Array, protocol: number, into: OpenChecksum): boolean {
  const { l4, end } = into
  into.data = end
  if (protocol === ipproto.TCP) {
    into.at = l4 + 16
    into.data = l4 + Math.max(tcp.HEADER_BYTES_MIN, tcp.dataOffsetBytes(bytes, l4))
  } else if (protocol === ipproto.UDP) {
    into.at = l4 + 6
    into.data = l4 + udp.HEADER_BYTES
  } else if (protocol === ipproto.ICMPV6) into.at = l4 + 2
  else return false
  if (into.data > end) into.data = end
  return into.at + 2 <= end
}
