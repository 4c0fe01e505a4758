/** The classic format (draft-ietf-opsawg-pcap): one interface, micro- or nanoseconds, little-endian. */
import { BlockBuffer, type ByteSink } from "./block.ts"

const MAGIC_MICROSECONDS = 0xa1b2c3d4
const MAGIC_NANOSECONDS = 0xa1b23c4d
const SNAP_LENGTH = 262_144
const SECOND_NS = 1_000_000_000

export class PcapWriter {
  readonly #buffer: BlockBuffer
  readonly #nanosecond: boolean

  constructor(sink: ByteSink, options: { readonly nanosecond: boolean; readonly linkType?: number }) {
    this.#nanosecond = options.nanosecond
    const b = new BlockBuffer(sink)
    this.#buffer = b
    b.u32(options.nanosecond ? MAGIC_NANOSECONDS : MAGIC_MICROSECONDS)
    b.u16(2)
    b.u16(4)
    b.u32(0)
    b.u32(0)
    b.u32(SNAP_LENGTH)
    b.u32(options.linkType ?? 1)
    b.end()
  }

  packet(atNs: number, bytes: Uint8Array, start: number, end: number): void {
    const b = this.#buffer
    const length = end - start
    b.begin(16 + length)
    b.u32(Math.floor(atNs / SECOND_NS))
    b.u32(this.#nanosecond ? atNs % SECOND_NS : Math.floor((atNs % SECOND_NS) / 1000))
    b.u32(length)
    b.u32(length)
    b.bytes.set(bytes.subarray(start, end), b.at)
    b.at += length
    b.end()
  }

  flush(): void {
    this.#buffer.flush()
  }
}
