/**
 * The classic format (draft-ietf-opsawg-pcap): one interface, micro- or nanoseconds, either byte order.
 * Not supported: frame check sequences. What needs names, directions or comments needs pcapng.
 */
import { BlockBuffer, type BufferOptions, type ByteSink, checkPacket } from "./block.ts"
import {
  LINKTYPE_ETHERNET, PCAP_HEADER_BYTES, PCAP_MICROSECONDS, PCAP_NANOSECONDS, PCAP_RECORD_BYTES, SECOND_NS
} from "./codes.ts"

/** "No limit" as tcpdump writes it; readers refuse more than MAXIMUM_SNAPLEN. */
const SNAP_LENGTH = 262_144

export interface PcapOptions extends BufferOptions {
  /** Nanoseconds by the magic 0xa1b23c4d; otherwise microseconds, rounded down. */
  readonly nanosecond?: boolean
  readonly linkType?: number
  /** Seconds since 1970 at which time 0 stands. */
  readonly epochSeconds?: number
}

export class PcapWriter {
  readonly #buffer: BlockBuffer
  readonly #nanosecond: boolean
  readonly #epochSeconds: number

  constructor(sink: ByteSink, options: PcapOptions = {}) {
    this.#nanosecond = options.nanosecond === true
    this.#epochSeconds = options.epochSeconds ?? 0
    const b = new BlockBuffer(sink, options)
    this.#buffer = b
    b.begin(PCAP_HEADER_BYTES)
    b.u32(this.#nanosecond ? PCAP_NANOSECONDS : PCAP_MICROSECONDS)
    b.u16(2)
    b.u16(4)
    b.u32(0)
    b.u32(0)
    b.u32(SNAP_LENGTH)
    b.u32(options.linkType ?? LINKTYPE_ETHERNET)
    b.end()
  }

  /** The bytes [start, end), seen at `atNs`, of a packet that had `originalLength` on the wire. */
  packet(
    atNs: number, bytes: Uint8Array, start: number, end: number, originalLength = end - start
  ): void {
    checkPacket(atNs, bytes, start, end)
    const b = this.#buffer
    b.begin(PCAP_RECORD_BYTES + end - start)
    b.u32(this.#epochSeconds + Math.floor(atNs / SECOND_NS))
    b.u32(this.#nanosecond ? atNs % SECOND_NS : Math.floor((atNs % SECOND_NS) / 1000))
    b.u32(end - start)
    b.u32(originalLength)
    b.raw(bytes, start, end)
    b.end()
  }

  flush(): void {
    this.#buffer.flush()
  }
}
