/**
 * Reads the classic format in both byte orders and both resolutions. Its one interface is made up from the
 * file header. Any bytes may come: the answer is items and at most one fault, the last.
 * Not supported: the modified format of 1999 (magic 0xa1b2cd34), frame check sequence length.
 */
import { fault, type Interface, type Item } from "./capture-file.ts"
import { PCAP_HEADER_BYTES, PCAP_NANOSECONDS, PCAP_RECORD_BYTES, SECOND_NS } from "./codes.ts"
import { u16, u32 } from "./field.ts"

/** A captured length above this, and above the file's own limit, is no packet (libpcap's MAXIMUM_SNAPLEN). */
const LENGTH_MAX = 262_144

/** The caller has seen that the magic number, in this order, is one of the two. */
export function* readPcap(bytes: Uint8Array, big: boolean): Generator<Item> {
  if (bytes.length < PCAP_HEADER_BYTES) {
    yield fault("Truncated", 0, `the file header has ${PCAP_HEADER_BYTES} bytes, here are ${bytes.length}`)
    return
  }
  const major = u16(bytes, 4, big)
  if (major !== 2) {
    yield fault("Version", 4, `version ${major}.${u16(bytes, 6, big)}, expected 2.4`)
    return
  }
  const nanosecond = u32(bytes, 0, big) === PCAP_NANOSECONDS
  const from: Interface = {
    kind: "interface", offset: 0, section: 0, id: 0, linkType: u32(bytes, 20, big) & 0xffff,
    snapLength: u32(bytes, 16, big), name: null, description: null, mac: null, speed: null,
    unitsPerSecond: nanosecond ? SECOND_NS : 1_000_000, epochSeconds: 0, comments: []
  }
  const lengthMax = Math.max(from.snapLength, LENGTH_MAX)
  yield from
  for (let at = PCAP_HEADER_BYTES; at < bytes.length;) {
    if (at + PCAP_RECORD_BYTES > bytes.length) {
      yield fault("Truncated", at, "the bytes end within a record header")
      return
    }
    const length = u32(bytes, at + 8, big)
    const start = at + PCAP_RECORD_BYTES
    if (length > lengthMax) {
      yield fault("PacketLength", at + 8, `a packet of ${length} bytes, the limit is ${lengthMax}`)
      return
    }
    if (start + length > bytes.length) {
      yield fault("Truncated", at, `a packet of ${length} bytes, of which ${bytes.length - start} are here`)
      return
    }
    const seconds = u32(bytes, at, big)
    const nanoseconds = u32(bytes, at + 4, big) * (nanosecond ? 1 : 1000)
    yield {
      kind: "packet", offset: at, interface: from, seconds, nanoseconds,
      atNs: seconds * SECOND_NS + nanoseconds, bytes: bytes.subarray(start, start + length),
      originalLength: u32(bytes, at + 12, big),
      flags: null, dropCount: null, packetId: null, verdict: null, comments: []
    }
    at = start + length
  }
}
