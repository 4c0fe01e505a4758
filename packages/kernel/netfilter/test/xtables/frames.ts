/** Packets for walks: built from a few numbers, so that generated ones meet generated rules. */
import { Frame } from "@podwire/netdev"
import { set16, set32 } from "@podwire/wire/bytes"

export interface Shape {
  readonly family: 4 | 6
  /** Last octets of the addresses, 10.0.0.x or fd00::x. */
  readonly src: number
  readonly dst: number
  readonly protocol: number
  readonly sport: number
  readonly dport: number
  /** Of the datagram, in units of 8 octets. */
  readonly fragment: number
  /** Octets cut off the end. */
  readonly cut: number
  readonly flags: number
}

const ETH = 14
const L4_BYTES = 24

export function frameOf(shape: Shape): Frame {
  const frame = new Frame(new ArrayBuffer(512), 0, 512, 0)
  const { bytes, head } = frame
  const l3 = head + ETH
  frame.l3 = l3
  const { family, src, dst, protocol, sport, dport, fragment, cut, flags } = shape
  let l4: number
  const room = L4_BYTES - cut
  if (family === 4) {
    l4 = l3 + 20
    bytes[l3] = 0x45
    set16(bytes, l3 + 2, 20 + room)
    set16(bytes, l3 + 6, fragment)
    bytes[l3 + 8] = 64
    bytes[l3 + 9] = protocol
    set32(bytes, l3 + 12, 0x0a000000 | src)
    set32(bytes, l3 + 16, 0x0a000000 | dst)
  } else {
    const extension = fragment > 0 ? 8 : 0
    l4 = l3 + 40 + extension
    bytes[l3] = 0x60
    set16(bytes, l3 + 4, room + extension)
    bytes[l3 + 6] = fragment > 0 ? 44 : protocol
    bytes[l3 + 7] = 64
    set32(bytes, l3 + 8, 0xfd000000 | 0)
    set32(bytes, l3 + 20, src)
    set32(bytes, l3 + 24, 0xfd000000 | 0)
    set32(bytes, l3 + 36, dst)
    if (fragment > 0) {
      bytes[l3 + 40] = protocol
      set16(bytes, l3 + 42, fragment << 3)
    }
  }
  set16(bytes, l4, sport)
  set16(bytes, l4 + 2, dport)
  bytes[l4 + 12] = 0x50
  bytes[l4 + 13] = flags
  frame.tail = l4 + room
  return frame
}

export const TCP_SYN: Shape = {
  family: 4, src: 1, dst: 2, protocol: 6, sport: 1000, dport: 80, fragment: 0, cut: 0, flags: 2
}
