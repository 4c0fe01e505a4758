/**
 * pcapng (draft-ietf-opsawg-pcapng): one little-endian section, any number of named interfaces with
 * nanosecond time stamps, packets with direction, number and comments.
 *
 * `record` writes a packet without comments and allocates nothing; `packet` takes any options.
 * Invariant: the sink only ever gets whole blocks.
 */
import { BlockBuffer, type ByteSink, optionBytes, utf8 } from "./block.ts"

const SECTION_HEADER = 0x0a0d0d0a
const MAGIC = 0x1a2b3c4d
const INTERFACE_DESCRIPTION = 1
const ENHANCED_PACKET = 6
const DECRYPTION_SECRETS = 0xa
const OPT_COMMENT = 1
const SHB_USERAPPL = 4
const IDB_NAME = 2
const IDB_DESCRIPTION = 3
const IDB_MAC = 6
const IDB_TSRESOL = 9
const EPB_FLAGS = 2
const EPB_PACKETID = 5
/** TLS key log, as `secrets` takes it. */
export const TLS_KEY_LOG = 0x544c534b
export const LINKTYPE_ETHERNET = 1
const TWO_32 = 0x1_0000_0000

export interface SectionOptions {
  /** What wrote the file (shb_userappl). */
  readonly application: string
  readonly comment?: string
}

export interface InterfaceOptions {
  readonly name: string
  readonly description?: string
  /** 48 bits. */
  readonly mac?: number
  /** Bytes kept of each packet; 0, the default, is all. */
  readonly snapLength?: number
  readonly linkType?: number
}

export interface PacketOptions {
  /** 1 in, 2 out (epb_flags). */
  readonly direction?: number
  /** The same number for the same packet on every interface (epb_packetid). */
  readonly packetId?: number
  readonly comment?: string | ReadonlyArray<string>
  /** What it was on the wire, if more than is given. */
  readonly originalLength?: number
}

export class PcapngWriter {
  readonly #buffer: BlockBuffer
  #interfaces = 0

  constructor(sink: ByteSink, options: SectionOptions) {
    this.#buffer = new BlockBuffer(sink)
    const application = utf8(options.application)
    const comment = options.comment === undefined ? null : utf8(options.comment)
    const bytes = 28 + optionBytes(application) + (comment === null ? 0 : optionBytes(comment)) + 4
    const b = this.#begin(SECTION_HEADER, bytes)
    b.u32(MAGIC)
    b.u16(1)
    b.u16(0)
    // Section length unknown: -1 in 64 bits.
    b.u32(-1)
    b.u32(-1)
    if (comment !== null) b.option(OPT_COMMENT, comment)
    b.option(SHB_USERAPPL, application)
    b.u32(0)
    this.#end(bytes)
  }

  /** An interface description block; the answer is the interface's number in this section. */
  interface(options: InterfaceOptions): number {
    const name = utf8(options.name)
    const description = options.description ? utf8(options.description) : null
    const mac = options.mac === undefined ? null : macBytes(options.mac)
    const bytes = 20 + optionBytes(name) + (description === null ? 0 : optionBytes(description)) +
      (mac === null ? 0 : optionBytes(mac)) + 8 + 4
    const b = this.#begin(INTERFACE_DESCRIPTION, bytes)
    b.u16(options.linkType ?? LINKTYPE_ETHERNET)
    b.u16(0)
    b.u32(options.snapLength ?? 0)
    b.option(IDB_NAME, name)
    if (description !== null) b.option(IDB_DESCRIPTION, description)
    if (mac !== null) b.option(IDB_MAC, mac)
    b.option(IDB_TSRESOL, NANOSECONDS)
    b.u32(0)
    this.#end(bytes)
    return this.#interfaces++
  }

  /** The bytes [start, end), seen at `atNs`; no allocation. */
  record(
    interfaceId: number, atNs: number, bytes: Uint8Array, start: number, end: number,
    direction: number, packetId: number
  ): void {
    const length = end - start
    const total = 32 + ((length + 3) & ~3) + 24
    const b = this.#packetHead(total, interfaceId, atNs, bytes, start, end, length)
    b.u16(EPB_FLAGS)
    b.u16(4)
    b.u32(direction)
    b.u16(EPB_PACKETID)
    b.u16(8)
    b.u32(packetId)
    b.u32(0)
    b.u32(0)
    this.#end(total)
  }

  packet(
    interfaceId: number, atNs: number, bytes: Uint8Array, start: number, end: number,
    options: PacketOptions = {}
  ): void {
    const { comment, direction, packetId } = options
    const comments = (comment === undefined ? [] : typeof comment === "string" ? [comment] : comment).map(utf8)
    const optionsBytes = comments.reduce((sum, text) => sum + optionBytes(text), 0) +
      (direction === undefined ? 0 : 8) + (packetId === undefined ? 0 : 12)
    const total = 32 + ((end - start + 3) & ~3) + (optionsBytes > 0 ? optionsBytes + 4 : 0)
    const b = this.#packetHead(total, interfaceId, atNs, bytes, start, end, options.originalLength ?? end - start)
    for (const text of comments) b.option(OPT_COMMENT, text)
    if (direction !== undefined) {
      b.u16(EPB_FLAGS)
      b.u16(4)
      b.u32(direction)
    }
    if (packetId !== undefined) {
      b.u16(EPB_PACKETID)
      b.u16(8)
      b.u32(packetId)
      b.u32(Math.floor(packetId / TWO_32))
    }
    if (optionsBytes > 0) b.u32(0)
    this.#end(total)
  }

  /** A decryption secrets block; it must come before the packets that it opens. */
  secrets(type: number, bytes: Uint8Array): void {
    const total = 20 + ((bytes.length + 3) & ~3)
    const b = this.#begin(DECRYPTION_SECRETS, total)
    b.u32(type)
    b.u32(bytes.length)
    b.padded(bytes, 0, bytes.length)
    this.#end(total)
  }

  flush(): void {
    this.#buffer.flush()
  }

  #packetHead(
    total: number, interfaceId: number, atNs: number, bytes: Uint8Array, start: number, end: number,
    originalLength: number
  ): BlockBuffer {
    const b = this.#begin(ENHANCED_PACKET, total)
    b.u32(interfaceId)
    b.u32(Math.floor(atNs / TWO_32))
    b.u32(atNs % TWO_32)
    b.u32(end - start)
    b.u32(originalLength)
    b.padded(bytes, start, end)
    return b
  }

  #begin(type: number, total: number): BlockBuffer {
    const b = this.#buffer
    b.begin(total)
    b.u32(type)
    b.u32(total)
    return b
  }

  #end(total: number): void {
    this.#buffer.u32(total)
    this.#buffer.end()
  }
}

const NANOSECONDS = Uint8Array.of(9)

function macBytes(mac: number): Uint8Array {
  const bytes = new Uint8Array(6)
  let rest = mac
  for (let i = 5; i >= 0; i--) {
    bytes[i] = rest % 256
    rest = Math.floor(rest / 256)
  }
  return bytes
}
