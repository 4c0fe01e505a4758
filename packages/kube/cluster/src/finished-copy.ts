/**
 * A frame as a wire would carry it, for whoever shows frames: a copy whose transport checksum is finished
 * where Linux leaves it to hardware, and with an Ethernet header where a packet died before it got one. One
 * buffer: a copy is good until the next.
 */
import { Checksum, type Frame } from "@podwire/netdev"
import { get16, set16 } from "@podwire/wire/bytes"
import { finish, sum } from "@podwire/wire/checksum"
import * as eth from "@podwire/wire/eth"
import * as ethertype from "@podwire/wire/ethertype"
import * as ipproto from "@podwire/wire/ipproto"

const COPY_BYTES = 65_536 + 512

export class FinishedCopy {
  readonly #copy = new Uint8Array(COPY_BYTES)

  /** The frame's own bytes when nothing is open in them. Offsets are the frame's. */
  finished(frame: Frame): Uint8Array {
    return frame.csum === Checksum.Partial ? this.#complete(frame) : frame.bytes
  }

  /** A packet that died before its Ethernet header was written gets one without addresses. */
  framed(frame: Frame, bytes: Uint8Array): Uint8Array {
    const { head, l3, protocol } = frame
    if (protocol === 0 || l3 !== head + eth.HEADER_BYTES) return bytes
    if (get16(bytes, l3 - 2) === protocol) return bytes
    const copy = this.#copied(frame, bytes)
    copy.fill(0, head, l3)
    set16(copy, l3 - 2, protocol)
    return copy
  }

  #complete(frame: Frame): Uint8Array {
    const copy = this.#copied(frame, frame.bytes)
    const l3 = frame.head + eth.HEADER_BYTES
    const v6 = get16(copy, l3 - 2) === ethertype.IPV6
    const l4 = frame.l4 !== 0 ? frame.l4 : v6 ? l3 + 40 : l3 + (copy[l3]! & 15) * 4
    const protocol = frame.l4 !== 0 ? frame.l4Protocol : v6 ? copy[l3 + 6]! : copy[l3 + 9]!
    const at = l4 + checksumOffset(protocol)
    // The packet ends where IP says, not where Ethernet's padding does.
    const end = Math.min(frame.tail, v6 ? l3 + 40 + get16(copy, l3 + 4) : l3 + get16(copy, l3 + 2))
    if (at === l4 || at + 2 > end) return copy
    const checksum = finish(sum(copy, l4, end))
    set16(copy, at, checksum === 0 && protocol === ipproto.UDP ? 0xffff : checksum)
    return copy
  }

  #copied(frame: Frame, bytes: Uint8Array): Uint8Array {
    if (bytes !== this.#copy) this.#copy.set(bytes.subarray(frame.head, frame.tail), frame.head)
    return this.#copy
  }
}

/** Where the checksum stands in the header of this protocol; 0 for one that has none. */
function checksumOffset(protocol: number): number {
  if (protocol === ipproto.TCP) return 16
  if (protocol === ipproto.UDP) return 6
  return protocol === ipproto.ICMPV6 ? 2 : 0
}
