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
  if (end > tail) end = tail
  const at = checksumAt(protocol, l4)
  if (at < 0 || at + 2 > end) return
  const checksum = finish(sum(bytes, l4, end, 0, words))
  // As the kernel does for every protocol (CSUM_MANGLED_0): 0 and 0xffff are one number.
  set16(bytes, at, checksum === 0 ? 0xffff : checksum)
}

function checksumAt(protocol: number, l4: number): number {
  if (protocol === ipproto.TCP) return l4 + 16
  if (protocol === ipproto.UDP) return l4 + 6
  return protocol === ipproto.ICMPV6 ? l4 + 2 : -1
}
