/**
 * One segment that arrived, read once: what the state machine works on. A single scratch object serves all.
 */
import type { Frame } from "@podwire/netdev"
import { get16, get32 } from "@podwire/wire/bytes"
import * as tcp from "@podwire/wire/tcp"
import { Options, read as readOptions } from "@podwire/wire/tcp-options"

/** NOP NOP, kind 8, length 10: how Linux lays out a lone timestamp. */
const ALIGNED_TIMESTAMP = 0x0101080a

export class Segment {
  seq = 0
  /** Behind the last octet; SYN and FIN count one each. */
  end = 0
  ack = 0
  flags = 0
  /** As it stands in the header, unscaled. */
  window = 0
  urgentPointer = 0
  headerBytes = 0
  /** The payload is [dataAt, dataEnd) of the frame. */
  dataAt = 0
  dataEnd = 0
  frame: Frame | null = null
  readonly options = new Options()

  read(frame: Frame): this {
    const { bytes, l4, tail } = frame
    const flags = tcp.flags(bytes, l4)
    const headerBytes = tcp.dataOffsetBytes(bytes, l4)
    this.frame = frame
    this.flags = flags
    this.headerBytes = headerBytes
    this.seq = get32(bytes, l4 + 4)
    this.ack = get32(bytes, l4 + 8)
    this.window = get16(bytes, l4 + 14)
    this.urgentPointer = (flags & tcp.URG) !== 0 ? get16(bytes, l4 + 18) : 0
    this.dataAt = l4 + headerBytes
    this.dataEnd = tail
    this.end = (this.seq + tail - this.dataAt + (flags & tcp.FIN) + ((flags & tcp.SYN) >> 1)) | 0
    return this
  }

  get dataBytes(): number {
    return this.dataEnd - this.dataAt
  }

  has(flag: number): boolean {
    return (this.flags & flag) !== 0
  }

  /** tcp_fast_parse_options: nothing, or a lone aligned timestamp, is what nearly every segment has. */
  readOptions(): void {
    const { bytes, l4 } = this.frame!
    const at = l4 + tcp.HEADER_BYTES_MIN
    const { options } = this
    if (this.headerBytes === tcp.HEADER_BYTES_MIN + 12 && get32(bytes, at) === ALIGNED_TIMESTAMP) {
      options.clear()
      options.hasTimestamps = true
      options.tsValue = get32(bytes, at + 4)
      options.tsEcho = get32(bytes, at + 8)
    } else readOptions(bytes, at, this.dataAt, options)
  }
}
