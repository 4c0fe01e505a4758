/**
 * pcapng (draft-ietf-opsawg-pcapng): one section in either byte order, any number of named interfaces with
 * nanosecond time stamps, packets with direction, number, drop count, verdict and comments, names,
 * statistics, and secrets for decryption.
 *
 * `record` writes a packet without comments and keeps nothing; `packet` takes any options.
 * Invariant: the sink only ever gets whole blocks, the section header first.
 * Not supported: simple and custom blocks, epb_hash, epb_queue, other resolutions than 10^-9.
 */
import { BlockBuffer, type BufferOptions, type ByteSink, checkPacket, optionBytes } from "./block.ts"
import * as code from "./codes.ts"
import { utf8 } from "./text.ts"

export interface SectionOptions extends BufferOptions {
  /** What wrote the file (shb_userappl). */
  readonly application?: string
  readonly hardware?: string
  readonly os?: string
  readonly comment?: string
}

export interface InterfaceOptions {
  readonly name: string
  readonly description?: string
  readonly comment?: string
  /** 48 bits. */
  readonly mac?: number
  /** Bits a second. */
  readonly speed?: number
  /** Bytes kept of each packet, as information; 0, the default, is all. */
  readonly snapLength?: number
  readonly linkType?: number
  /** Seconds since 1970 at which time 0 stands (if_tsoffset). */
  readonly epochSeconds?: number
}

export interface Verdict {
  /** VERDICT_HARDWARE, VERDICT_TC or VERDICT_XDP. */
  readonly by: number
  readonly value: number
}

export interface PacketOptions {
  /** epb_flags: bits 0 and 1 are the direction, 1 in and 2 out. */
  readonly flags?: number
  /** Packets lost on this interface since the one before. */
  readonly dropCount?: number
  /** The same number for the same packet on every interface. */
  readonly packetId?: number
  readonly verdict?: Verdict
  readonly comment?: string | ReadonlyArray<string>
  /** What it was on the wire, if more than is given. */
  readonly originalLength?: number
}

export interface NamedAddress {
  /** Four or sixteen bytes. */
  readonly address: Uint8Array
  readonly names: ReadonlyArray<string>
}

export interface Statistics {
  readonly startNs?: number
  readonly endNs?: number
  readonly received?: number
  readonly dropped?: number
  readonly filterAccepted?: number
  readonly osDropped?: number
  readonly delivered?: number
  readonly comment?: string
}

/** Header, length at both ends: what every block has around its body. */
const FRAME_BYTES = 12
const END_OF_OPTIONS_BYTES = 4
const RECORD_OPTIONS_BYTES = 8 + 12 + END_OF_OPTIONS_BYTES

export class PcapngWriter {
  readonly #buffer: BlockBuffer
  #interfaces = 0

  constructor(sink: ByteSink, options: SectionOptions = {}) {
    this.#buffer = new BlockBuffer(sink, options)
    const texts = list([
      [code.OPT_COMMENT, options.comment], [code.SHB_HARDWARE, options.hardware], [code.SHB_OS, options.os],
      [code.SHB_USERAPPL, options.application]
    ])
    const total = FRAME_BYTES + 16 + bytesOf(texts) + END_OF_OPTIONS_BYTES
    const b = this.#begin(code.SECTION_HEADER, total)
    b.u32(code.BYTE_ORDER_MAGIC)
    b.u16(1)
    b.u16(0)
    // Section length unknown.
    b.u64(-1)
    for (const [option, value] of texts) b.option(option, value)
    b.u32(code.OPT_ENDOFOPT)
    this.#end(total)
  }

  /** An interface description block; the answer is the interface's number in this section. */
  interface(options: InterfaceOptions): number {
    const { mac, speed, epochSeconds } = options
    const texts = list([
      [code.OPT_COMMENT, options.comment], [code.IDB_NAME, options.name],
      [code.IDB_DESCRIPTION, options.description]
    ])
    const total = FRAME_BYTES + 8 + bytesOf(texts) + (mac === undefined ? 0 : optionBytes(6)) +
      (speed === undefined ? 0 : optionBytes(8)) + optionBytes(1) +
      (epochSeconds === undefined ? 0 : optionBytes(8)) + END_OF_OPTIONS_BYTES
    const b = this.#begin(code.INTERFACE_DESCRIPTION, total)
    b.u16(options.linkType ?? code.LINKTYPE_ETHERNET)
    b.u16(0)
    b.u32(options.snapLength ?? 0)
    for (const [option, value] of texts) b.option(option, value)
    if (mac !== undefined) b.option(code.IDB_MAC, macBytes(mac))
    if (speed !== undefined) {
      b.optionHead(code.IDB_SPEED, 8)
      b.u64(speed)
    }
    b.option(code.IDB_TSRESOL, NANOSECONDS)
    if (epochSeconds !== undefined) {
      b.optionHead(code.IDB_TSOFFSET, 8)
      b.u64(epochSeconds)
    }
    b.u32(code.OPT_ENDOFOPT)
    this.#end(total)
    return this.#interfaces++
  }

  /** The bytes [start, end), seen at `atNs`, with epb_flags and epb_packetid. */
  record(
    interfaceId: number, atNs: number, bytes: Uint8Array, start: number, end: number,
    flags: number, packetId: number
  ): void {
    const length = end - start
    const total = FRAME_BYTES + 20 + ((length + 3) & ~3) + RECORD_OPTIONS_BYTES
    const b = this.#packetHead(total, interfaceId, atNs, bytes, start, end, length)
    b.optionHead(code.EPB_FLAGS, 4)
    b.u32(flags)
    b.optionHead(code.EPB_PACKETID, 8)
    b.u64(unsigned(packetId))
    b.u32(code.OPT_ENDOFOPT)
    this.#end(total)
  }

  packet(
    interfaceId: number, atNs: number, bytes: Uint8Array, start: number, end: number,
    options: PacketOptions = {}
  ): void {
    const { comment, flags, dropCount, packetId, verdict } = options
    const comments = (comment === undefined ? [] : typeof comment === "string" ? [comment] : comment)
      .map((text) => utf8(text))
    const verdictBytes = verdict === undefined ? 0 : verdict.by === code.VERDICT_HARDWARE ? 2 : 9
    const optionsBytes = comments.reduce((sum, text) => sum + optionBytes(text.length), 0) +
      (flags === undefined ? 0 : optionBytes(4)) + (dropCount === undefined ? 0 : optionBytes(8)) +
      (packetId === undefined ? 0 : optionBytes(8)) + (verdict === undefined ? 0 : optionBytes(verdictBytes))
    const total = FRAME_BYTES + 20 + ((end - start + 3) & ~3) +
      (optionsBytes > 0 ? optionsBytes + END_OF_OPTIONS_BYTES : 0)
    const original = options.originalLength ?? end - start
    const b = this.#packetHead(total, interfaceId, atNs, bytes, start, end, original)
    for (const text of comments) b.option(code.OPT_COMMENT, text)
    if (flags !== undefined) {
      b.optionHead(code.EPB_FLAGS, 4)
      b.u32(flags)
    }
    if (dropCount !== undefined) {
      b.optionHead(code.EPB_DROPCOUNT, 8)
      b.u64(dropCount)
    }
    if (packetId !== undefined) {
      b.optionHead(code.EPB_PACKETID, 8)
      b.u64(unsigned(packetId))
    }
    if (verdict !== undefined) this.#verdict(b, verdict, verdictBytes)
    if (optionsBytes > 0) b.u32(code.OPT_ENDOFOPT)
    this.#end(total)
  }

  /** A name resolution block: what Wireshark shows in the place of these addresses. */
  names(entries: ReadonlyArray<NamedAddress>): void {
    const records = entries.map(({ address, names }) => {
      if (address.length !== 4 && address.length !== 16) {
        throw new RangeError(`an address of ${address.length} bytes, expected 4 or 16`)
      }
      const text = utf8(names.map((name) => `${name.replaceAll("\0", "")}\0`).join(""), 65_000)
      const value = new Uint8Array(address.length + text.length)
      value.set(address)
      value.set(text, address.length)
      return [address.length === 4 ? code.NRB_RECORD_IPV4 : code.NRB_RECORD_IPV6, value] as const
    })
    const total = FRAME_BYTES + bytesOf(records) + 4
    const b = this.#begin(code.NAME_RESOLUTION, total)
    for (const [type, value] of records) b.option(type, value)
    b.u32(0)
    this.#end(total)
  }

  /** An interface statistics block, usually at the end. */
  statistics(interfaceId: number, atNs: number, statistics: Statistics): void {
    this.#check(interfaceId)
    const comment = list([[code.OPT_COMMENT, statistics.comment]])
    const times = ([[code.ISB_STARTTIME, statistics.startNs], [code.ISB_ENDTIME, statistics.endNs]] as const)
      .filter((entry) => entry[1] !== undefined)
    const counts = ([
      [code.ISB_IFRECV, statistics.received], [code.ISB_IFDROP, statistics.dropped],
      [code.ISB_FILTERACCEPT, statistics.filterAccepted], [code.ISB_OSDROP, statistics.osDropped],
      [code.ISB_USRDELIV, statistics.delivered]
    ] as const).filter((entry) => entry[1] !== undefined)
    const total = FRAME_BYTES + 12 + bytesOf(comment) + (times.length + counts.length) * optionBytes(8) +
      END_OF_OPTIONS_BYTES
    const b = this.#begin(code.INTERFACE_STATISTICS, total)
    b.u32(interfaceId)
    b.time(atNs)
    for (const [option, value] of comment) b.option(option, value)
    for (const [option, value] of times) {
      b.optionHead(option, 8)
      b.time(value!)
    }
    for (const [option, value] of counts) {
      b.optionHead(option, 8)
      b.u64(value!)
    }
    b.u32(code.OPT_ENDOFOPT)
    this.#end(total)
  }

  /** A decryption secrets block; it must come before the packets that it opens. */
  secrets(type: number, bytes: Uint8Array): void {
    const total = FRAME_BYTES + 8 + ((bytes.length + 3) & ~3)
    const b = this.#begin(code.DECRYPTION_SECRETS, total)
    b.u32(type)
    b.u32(bytes.length)
    b.padded(bytes, 0, bytes.length)
    this.#end(total)
  }

  /** Hand everything to the sink: a file is whole up to here. */
  flush(): void {
    this.#buffer.flush()
  }

  #packetHead(
    total: number, interfaceId: number, atNs: number, bytes: Uint8Array, start: number, end: number,
    originalLength: number
  ): BlockBuffer {
    this.#check(interfaceId)
    checkPacket(atNs, bytes, start, end)
    const b = this.#begin(code.ENHANCED_PACKET, total)
    b.u32(interfaceId)
    b.time(atNs)
    b.u32(end - start)
    b.u32(originalLength)
    b.padded(bytes, start, end)
    return b
  }

  /** A hardware verdict is opaque bytes, one here; TC's and XDP's are numbers of 64 bits. */
  #verdict(b: BlockBuffer, verdict: Verdict, length: number): void {
    b.optionHead(code.EPB_VERDICT, length)
    b.bytes[b.at++] = verdict.by
    if (length === 2) b.bytes[b.at++] = verdict.value
    else b.u64(verdict.value)
    for (let rest = -length & 3; rest > 0; rest--) b.bytes[b.at++] = 0
  }

  #check(interfaceId: number): void {
    if (!(interfaceId >= 0 && interfaceId < this.#interfaces)) {
      throw new RangeError(`interface ${interfaceId}: ${this.#interfaces} are described so far`)
    }
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

/** A 32-bit number that was kept as signed stands for its unsigned value. */
function unsigned(value: number): number {
  return value < 0 ? value >>> 0 : value
}

/** The text options that were given, as bytes. */
function list(
  texts: ReadonlyArray<readonly [number, string | undefined]>
): ReadonlyArray<readonly [number, Uint8Array]> {
  return texts.filter((entry) => entry[1] !== undefined)
    .map(([option, text]) => [option, utf8(text!)] as const)
}

function bytesOf(options: ReadonlyArray<readonly [number, Uint8Array]>): number {
  return options.reduce((sum, [, value]) => sum + optionBytes(value.length), 0)
}

function macBytes(mac: number): Uint8Array {
  const bytes = new Uint8Array(6)
  let rest = mac
  for (let i = 5; i >= 0; i--) {
    bytes[i] = rest % 256
    rest = Math.floor(rest / 256)
  }
  return bytes
}
