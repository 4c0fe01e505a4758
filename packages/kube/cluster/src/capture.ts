/**
 * Every device's frames as pcapng: one file with all of them in the order of virtual time, one file
 * for each device, and one interface a node for the frames that died inside it (`node1/drop`), with
 * the reason as comment. Device interfaces hold only what a tap on Linux would have seen.
 *
 * Checksums that Linux leaves to hardware (own addresses over `lo`) are completed in the copy, unless
 * `rawChecksums` asks for Linux's bytes.
 */
import type { Engine } from "@podwire/engine"
import {
  Checksum, Direction, type DropObserver, type DropReason, dropReasonName, type Frame,
  type NetDevice, type Tap
} from "@podwire/netdev"
import { finish, sum } from "@podwire/wire/checksum"
import { get16, set16 } from "@podwire/wire/bytes"
import * as ethertype from "@podwire/wire/ethertype"
import * as ipproto from "@podwire/wire/ipproto"
import { type ByteSink, PcapngWriter, PcapWriter } from "pcap-writer"

export interface CaptureOptions {
  readonly rawChecksums?: boolean
  /** The classic format instead of pcapng for the files of single devices. */
  readonly classic?: boolean
  /** Write `all` as well as the single devices. */
  readonly all?: boolean
  readonly devices?: boolean
  /** Only devices that this accepts, by `<namespace>/<device>`. */
  readonly only?: (name: string) => boolean
}

const APPLICATION = "Podwire"
const ETHERNET_BYTES = 14
const CORRUPTED = "a link fault changed this frame"

export class Capture implements Tap, DropObserver {
  readonly #engine: Engine
  readonly #open: (name: string) => ByteSink
  readonly #options: CaptureOptions
  readonly #all: PcapngWriter | null
  readonly #entries = new Map<NetDevice, Entry>()
  readonly #drops = new Map<string, Entry>()
  readonly #copy = new Uint8Array(65_536 + 512)
  frames = 0

  /** `open` makes the sink of the file with that name, without its ending: "all", "node1/cni0". */
  constructor(engine: Engine, open: (name: string) => ByteSink, options: CaptureOptions = {}) {
    this.#engine = engine
    this.#open = open
    this.#options = options
    this.#all = options.all === false
      ? null
      : new PcapngWriter(open("all"), { application: APPLICATION })
  }

  see(dev: NetDevice, direction: Direction, frame: Frame): void {
    const entry = this.#entries.get(dev) ?? this.#enter(dev)
    if (entry === IGNORED) return
    this.frames++
    const partial = frame.csum === Checksum.Partial && this.#options.rawChecksums !== true
    const bytes = partial ? this.#complete(frame) : frame.bytes
    const comment = frame.corrupted ? CORRUPTED : ""
    this.#write(entry, bytes, frame, direction, comment)
  }

  dropped(frame: Frame, reason: DropReason, dev: NetDevice | null): void {
    const ns = dev === null || dev.ns === "" ? "nowhere" : dev.ns
    let entry = this.#drops.get(ns)
    if (entry === undefined) {
      entry = this.#make(`${ns}/drop`, "frames that ended inside, and why", 0)
      this.#drops.set(ns, entry)
    }
    if (entry === IGNORED) return
    const where = dev === null ? "" : ` on ${dev.name}`
    this.#write(entry, frame.bytes, frame, Direction.In, `${dropReasonName(reason)}${where}`)
  }

  /** Hand over what is buffered: the files are whole up to here. */
  flush(): void {
    this.#all?.flush()
    for (const entry of this.#entries.values()) entry.flush()
    for (const entry of this.#drops.values()) entry.flush()
  }

  #write(entry: Entry, bytes: Uint8Array, frame: Frame, direction: Direction, comment: string): void {
    const atNs = this.#engine.nowNs
    const { head, tail, id } = frame
    if (this.#all !== null) {
      if (comment === "") this.#all.record(entry.allId, atNs, bytes, head, tail, direction, id)
      else this.#all.packet(entry.allId, atNs, bytes, head, tail, { direction, packetId: id, comment })
    }
    entry.write(atNs, bytes, head, tail, direction, id, comment)
  }

  #enter(dev: NetDevice): Entry {
    const entry = this.#make(`${dev.ns}/${dev.name}`, dev.kind, dev.mac)
    this.#entries.set(dev, entry)
    return entry
  }

  #make(name: string, description: string, mac: number): Entry {
    if (this.#options.only !== undefined && !this.#options.only(name)) return IGNORED
    const about = mac === 0 ? { name, description } : { name, description, mac }
    const allId = this.#all === null ? 0 : this.#all.interface(about)
    if (this.#options.devices === false) return new Entry(allId, null, null, 0)
    const sink = this.#open(name)
    if (this.#options.classic === true) {
      return new Entry(allId, null, new PcapWriter(sink, { nanosecond: true }), 0)
    }
    const own = new PcapngWriter(sink, { application: APPLICATION })
    return new Entry(allId, own, null, own.interface(about))
  }

  /** A copy whose transport checksum is finished, as hardware would have done on the way out. */
  #complete(frame: Frame): Uint8Array {
    const copy = this.#copy
    copy.set(frame.bytes.subarray(frame.head, frame.tail), frame.head)
    const l3 = frame.head + ETHERNET_BYTES
    const v6 = get16(copy, frame.head + 12) === ethertype.IPV6
    const l4 = v6 ? l3 + 40 : l3 + (copy[l3]! & 15) * 4
    const protocol = v6 ? copy[l3 + 6] : copy[l3 + 9]
    const field = protocol === ipproto.TCP ? l4 + 16 : protocol === ipproto.UDP ? l4 + 6
      : protocol === ipproto.ICMPV6 ? l4 + 2 : 0
    if (field === 0 || field + 2 > frame.tail) return copy
    const checksum = finish(sum(copy, l4, frame.tail))
    set16(copy, field, checksum === 0 && protocol === ipproto.UDP ? 0xffff : checksum)
    return copy
  }
}

/** Where one device's frames go: its number in the common file, and a file of its own. */
class Entry {
  readonly allId: number
  readonly #pcapng: PcapngWriter | null
  readonly #pcap: PcapWriter | null
  readonly #id: number

  constructor(allId: number, pcapng: PcapngWriter | null, pcap: PcapWriter | null, id: number) {
    this.allId = allId
    this.#pcapng = pcapng
    this.#pcap = pcap
    this.#id = id
  }

  write(
    atNs: number, bytes: Uint8Array, start: number, end: number, direction: Direction,
    packetId: number, comment: string
  ): void {
    if (this.#pcap !== null) this.#pcap.packet(atNs, bytes, start, end)
    if (this.#pcapng === null) return
    if (comment === "") this.#pcapng.record(this.#id, atNs, bytes, start, end, direction, packetId)
    else this.#pcapng.packet(this.#id, atNs, bytes, start, end, { direction, packetId, comment })
  }

  flush(): void {
    this.#pcapng?.flush()
    this.#pcap?.flush()
  }
}

const IGNORED = new Entry(0, null, null, 0)
