/**
 * Reads pcapng: several sections, each in its own byte order and with its own interfaces; blocks of other
 * types are skipped and reported. Any bytes may come: the answer is items and at most one fault, the last.
 * Not supported: the obsolete packet block, custom blocks and options (skipped), epb_hash, epb_queue.
 */
import { fault, type Fault, type Interface, type Item, type Packet } from "./capture-file.ts"
import * as code from "./codes.ts"
import { i64, type Time, time, u16, u32, u64, unitsPerSecond } from "./field.ts"
import { fromUtf8 } from "./text.ts"

/** Type and both lengths. */
const BLOCK_BYTES_MIN = 12
/** The fixed part of each body, which a block of the type must have. */
const BODY_BYTES_MIN: ReadonlyMap<number, number> = new Map([
  [code.SECTION_HEADER, 16], [code.INTERFACE_DESCRIPTION, 8], [code.SIMPLE_PACKET, 4],
  [code.NAME_RESOLUTION, 0], [code.INTERFACE_STATISTICS, 12], [code.ENHANCED_PACKET, 20],
  [code.DECRYPTION_SECRETS, 8]
])

export function readPcapng(bytes: Uint8Array): Generator<Item> {
  return new PcapngReader(bytes).items()
}

class PcapngReader {
  readonly #bytes: Uint8Array
  #big = false
  #section = -1
  #interfaces: Array<Interface> = []

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  *items(): Generator<Item> {
    const bytes = this.#bytes
    for (let at = 0; at < bytes.length;) {
      const problem = this.#order(at)
      if (problem !== null) {
        yield problem
        return
      }
      const total = this.#length(at)
      if (typeof total !== "number") {
        yield total
        return
      }
      const item = this.#block(u32(bytes, at, this.#big), at, total)
      yield item
      if (item.kind === "fault") return
      at += total
    }
  }

  /** A section header says in which order everything after it stands, its own length included. */
  #order(at: number): Fault | null {
    const bytes = this.#bytes
    if (at + BLOCK_BYTES_MIN > bytes.length) {
      return fault("Truncated", at, "the bytes end within a block header")
    }
    if (u32(bytes, at, false) !== code.SECTION_HEADER) return null
    this.#big = u32(bytes, at + 8, true) === code.BYTE_ORDER_MAGIC
    if (!this.#big && u32(bytes, at + 8, false) !== code.BYTE_ORDER_MAGIC) {
      return fault("ByteOrder", at + 8, "the byte-order magic is neither 1a2b3c4d nor 4d3c2b1a")
    }
    this.#section++
    this.#interfaces = []
    return null
  }

  #length(at: number): number | Fault {
    const bytes = this.#bytes
    const total = u32(bytes, at + 4, this.#big)
    const least = BLOCK_BYTES_MIN + (BODY_BYTES_MIN.get(u32(bytes, at, this.#big)) ?? 0)
    if (total < least || total % 4 !== 0) {
      return fault("BlockLength", at + 4, `a block of ${total} bytes, expected a multiple of 4 from ${least}`)
    }
    if (at + total > bytes.length) {
      return fault("Truncated", at, `a block of ${total} bytes, of which ${bytes.length - at} are here`)
    }
    const again = u32(bytes, at + total - 4, this.#big)
    if (again === total) return total
    return fault("BlockLength", at + total - 4, `the block's lengths differ: ${total} before, ${again} after`)
  }

  #block(type: number, at: number, total: number): Item {
    const body = at + 8
    const end = at + total - 4
    switch (type) {
      case code.SECTION_HEADER: return this.#sectionHeader(at, body, end)
      case code.INTERFACE_DESCRIPTION: return this.#description(at, body, end)
      case code.ENHANCED_PACKET: return this.#enhanced(at, body, end)
      case code.SIMPLE_PACKET: return this.#simple(at, body, end)
      case code.NAME_RESOLUTION: return this.#names(at, body, end)
      case code.INTERFACE_STATISTICS: return this.#statistics(at, body, end)
      case code.DECRYPTION_SECRETS: return this.#secrets(at, body, end)
      default: return { kind: "skipped", offset: at, type, length: total }
    }
  }

  #sectionHeader(at: number, body: number, end: number): Item {
    const bytes = this.#bytes
    const major = u16(bytes, body + 4, this.#big)
    if (major !== 1) return fault("Version", body + 4, `version ${major}, expected 1`)
    const options = this.#options(body + 16, end)
    if (!(options instanceof Options)) return options
    return {
      kind: "section", offset: at, bigEndian: this.#big, hardware: options.text(code.SHB_HARDWARE),
      os: options.text(code.SHB_OS), application: options.text(code.SHB_USERAPPL),
      comments: options.comments()
    }
  }

  #description(at: number, body: number, end: number): Item {
    const bytes = this.#bytes
    const options = this.#options(body + 8, end)
    if (!(options instanceof Options)) return options
    const resolution = options.at(code.IDB_TSRESOL, 1)
    const units = resolution === -1 ? 1_000_000 : unitsPerSecond(bytes[resolution]!)
    if (units === 0) return fault("TimeResolution", resolution, `if_tsresol ${bytes[resolution]} is too fine`)
    const mac = options.at(code.IDB_MAC, 6)
    const offset = options.at(code.IDB_TSOFFSET, 8)
    const found: Interface = {
      kind: "interface", offset: at, section: this.#section, id: this.#interfaces.length,
      linkType: u16(bytes, body, this.#big), snapLength: u32(bytes, body + 4, this.#big),
      name: options.text(code.IDB_NAME), description: options.text(code.IDB_DESCRIPTION),
      mac: mac === -1 ? null : u16(bytes, mac, true) * code.TWO_32 + u32(bytes, mac + 2, true),
      speed: options.u64(code.IDB_SPEED), unitsPerSecond: units,
      epochSeconds: offset === -1 ? 0 : i64(bytes, offset, this.#big), comments: options.comments()
    }
    this.#interfaces.push(found)
    return found
  }

  #enhanced(at: number, body: number, end: number): Item {
    const bytes = this.#bytes
    const from = this.#interface(body)
    if (from.kind === "fault") return from
    const length = u32(bytes, body + 12, this.#big)
    const start = body + 20
    if (length > end - start) {
      const room = end - start
      return fault("PacketLength", body + 12, `a packet of ${length} bytes in a block with ${room} for it`)
    }
    const options = this.#options(start + ((length + 3) & ~3), end)
    if (!(options instanceof Options)) return options
    const flags = options.at(code.EPB_FLAGS, 4)
    return {
      ...this.#packet(at, from, this.#time(body + 4, from), start, length, u32(bytes, body + 16, this.#big)),
      flags: flags === -1 ? null : u32(bytes, flags, this.#big), dropCount: options.u64(code.EPB_DROPCOUNT),
      packetId: options.u64(code.EPB_PACKETID), verdict: options.verdict(), comments: options.comments()
    }
  }

  /** Always of interface 0, without a time, as long as its limit allows. */
  #simple(at: number, body: number, end: number): Item {
    const from = this.#interfaces[0]
    if (from === undefined) return fault("UnknownInterface", at, "a simple packet before any interface")
    const original = u32(this.#bytes, body, this.#big)
    const length = from.snapLength === 0 ? original : Math.min(original, from.snapLength)
    if (length > end - body - 4) {
      const room = end - body - 4
      return fault("PacketLength", body, `a packet of ${length} bytes in a block with ${room} for it`)
    }
    return this.#packet(at, from, { seconds: 0, nanoseconds: 0 }, body + 4, length, original)
  }

  #packet(
    at: number, from: Interface, when: Time, start: number, length: number, originalLength: number
  ): Packet {
    const { seconds, nanoseconds } = when
    return {
      kind: "packet", offset: at, interface: from, seconds, nanoseconds,
      atNs: seconds * code.SECOND_NS + nanoseconds, bytes: this.#bytes.subarray(start, start + length),
      originalLength, flags: null, dropCount: null, packetId: null, verdict: null, comments: []
    }
  }

  #names(at: number, body: number, end: number): Item {
    const bytes = this.#bytes
    const entries: Array<{ readonly address: Uint8Array; readonly names: ReadonlyArray<string> }> = []
    for (let record = body; record < end;) {
      if (record + 4 > end) return fault("OptionLength", record, "a name record ends outside its block")
      const type = u16(bytes, record, this.#big)
      const length = u16(bytes, record + 2, this.#big)
      if (type === 0) break
      const value = record + 4
      const address = type === code.NRB_RECORD_IPV4 ? 4 : type === code.NRB_RECORD_IPV6 ? 16 : 0
      if (value + length > end || length < address) {
        return fault("OptionLength", record + 2, `a name record of ${length} bytes`)
      }
      if (address > 0) {
        const text = fromUtf8(bytes, value + address, value + length)
        const names = text.split("\0").filter((name) => name !== "")
        entries.push({ address: bytes.subarray(value, value + address), names })
      }
      record = value + ((length + 3) & ~3)
    }
    return { kind: "names", offset: at, entries }
  }

  #statistics(at: number, body: number, end: number): Item {
    const from = this.#interface(body)
    if (from.kind === "fault") return from
    const options = this.#options(body + 12, end)
    if (!(options instanceof Options)) return options
    const when = (place: number) => {
      const { seconds, nanoseconds } = this.#time(place, from)
      return seconds * code.SECOND_NS + nanoseconds
    }
    const start = options.at(code.ISB_STARTTIME, 8)
    const last = options.at(code.ISB_ENDTIME, 8)
    return {
      kind: "statistics", offset: at, interface: from, atNs: when(body + 4),
      startNs: start === -1 ? null : when(start), endNs: last === -1 ? null : when(last),
      received: options.u64(code.ISB_IFRECV), dropped: options.u64(code.ISB_IFDROP),
      filterAccepted: options.u64(code.ISB_FILTERACCEPT), osDropped: options.u64(code.ISB_OSDROP),
      delivered: options.u64(code.ISB_USRDELIV), comments: options.comments()
    }
  }

  #secrets(at: number, body: number, end: number): Item {
    const length = u32(this.#bytes, body + 4, this.#big)
    if (length > end - body - 8) {
      const room = end - body - 8
      return fault("BlockLength", body + 4, `secrets of ${length} bytes in a block with ${room} for them`)
    }
    const bytes = this.#bytes.subarray(body + 8, body + 8 + length)
    return { kind: "secrets", offset: at, type: u32(this.#bytes, body, this.#big), bytes }
  }

  #interface(at: number): Interface | Fault {
    const id = u32(this.#bytes, at, this.#big)
    const described = this.#interfaces.length
    return this.#interfaces[id] ??
      fault("UnknownInterface", at, `interface ${id}; the section describes ${described} so far`)
  }

  /** Two halves, the high one first in either order. */
  #time(at: number, from: Interface): Time {
    const { seconds, nanoseconds } =
      time(u32(this.#bytes, at, this.#big), u32(this.#bytes, at + 4, this.#big), from.unitsPerSecond)
    return { seconds: seconds + from.epochSeconds, nanoseconds }
  }

  #options(start: number, end: number): Options | Fault {
    const bytes = this.#bytes
    const found: Array<Option> = []
    for (let at = start; at < end;) {
      if (at + 4 > end) return fault("OptionLength", at, "an option ends outside its block")
      const option = u16(bytes, at, this.#big)
      const length = u16(bytes, at + 2, this.#big)
      if (option === code.OPT_ENDOFOPT) break
      if (at + 4 + length > end) {
        return fault("OptionLength", at + 2, `option ${option} of ${length} bytes ends outside its block`)
      }
      found.push({ code: option, at: at + 4, length })
      at += 4 + ((length + 3) & ~3)
    }
    return new Options(bytes, this.#big, found)
  }
}

interface Option {
  readonly code: number
  readonly at: number
  readonly length: number
}

/** The options of one block. An option whose length is not what its code asks for counts as absent. */
class Options {
  readonly #bytes: Uint8Array
  readonly #big: boolean
  readonly #found: ReadonlyArray<Option>

  constructor(bytes: Uint8Array, big: boolean, found: ReadonlyArray<Option>) {
    this.#bytes = bytes
    this.#big = big
    this.#found = found
  }

  /** Where the value of the first option with this code and length stands; -1 without one. */
  at(option: number, length: number): number {
    return this.#found.find((one) => one.code === option && one.length === length)?.at ?? -1
  }

  text(option: number): string | null {
    const found = this.#found.find((one) => one.code === option)
    return found === undefined ? null : fromUtf8(this.#bytes, found.at, found.at + found.length)
  }

  comments(): ReadonlyArray<string> {
    return this.#found.filter((one) => one.code === code.OPT_COMMENT)
      .map(({ at, length }) => fromUtf8(this.#bytes, at, at + length))
  }

  u64(option: number): number | null {
    const at = this.at(option, 8)
    return at === -1 ? null : u64(this.#bytes, at, this.#big)
  }

  verdict(): { readonly by: number; readonly value: number } | null {
    const found = this.#found.find((one) => one.code === code.EPB_VERDICT && one.length >= 2)
    if (found === undefined) return null
    const by = this.#bytes[found.at]!
    const value = found.length === 9 ? u64(this.#bytes, found.at + 1, this.#big) : this.#bytes[found.at + 1]!
    return { by, value }
  }
}
