/**
 * Every device's frames as pcapng: one file with all of them in the order of virtual time, one file for
 * each device, and one interface a namespace for the frames that died inside it (`node1/drop`), with the
 * reason and the device as comment. Device interfaces hold only what a tap on Linux would have seen.
 *
 * A packet has the same number (epb_packetid) at every hop, and its direction; nothing is cut. Checksums
 * that Linux leaves to hardware (TCP's and UDP's of its own sockets) are completed in the copy, unless
 * `rawChecksums` asks for Linux's bytes: then epb_flags say that the checksum is not ready, until the packet
 * has come over a wire.
 *
 * What leaves `lo` is seen once, when it comes back, as tcpdump shows it (libpcap passes over the outgoing
 * copy). A device has an interface from its first frame on; a device that comes back under the same name and
 * address goes on in the same file. What is kept is one small record for each name, whatever the traffic.
 * Not supported: rotation of files, snap lengths.
 */
import { EPOCH_SECONDS } from "@podwire/api"
import type { Engine } from "@podwire/engine"
import {
  Checksum, Direction, type DropObserver, type DropReason, dropReasonName, type Frame,
  type NetDevice, type Tap
} from "@podwire/netdev"
import { type ByteSink, CHECKSUM_NOT_READY, PcapngWriter, PcapWriter } from "pcap-writer"
import { FinishedCopy } from "./finished-copy.ts"

export type CaptureFormat = "pcapng" | "pcap"

export interface CaptureOptions {
  readonly rawChecksums?: boolean
  /** The classic format instead of pcapng for the files of single devices. */
  readonly classic?: boolean
  /** Write `all` as well as the single devices. */
  readonly all?: boolean
  readonly devices?: boolean
  /** Only devices that this accepts, by `<namespace>/<device>`. */
  readonly only?: (name: string) => boolean
  /**
   * Only frames that this accepts, from their first byte to one past their last; a filter as tcpdump has it.
   */
  readonly accept?: (bytes: Uint8Array, at: number, end: number) => boolean
  /** Frames that ended inside, on interfaces of their own; default true. */
  readonly drops?: boolean
  /** What the stack did to this frame here, as comment; "" for none. Called for every frame. */
  readonly comment?: (dev: NetDevice, direction: Direction, frame: Frame) => string
}

/** What the comment of a frame says whose bytes a link fault changed. */
export const CORRUPTED = "corrupted: a link fault changed this frame"
/** The last part of the name of an interface that holds dead frames. */
export const DROP = "drop"

const APPLICATION = "Podwire"
/** A few packets each: thousands of devices have one. */
const DEVICE_BUFFER_BYTES = 8192

export class Capture implements Tap, DropObserver {
  readonly #engine: Engine
  readonly #open: (name: string, format: CaptureFormat) => ByteSink
  readonly #options: CaptureOptions
  readonly #all: PcapngWriter | null
  /** By the device's serial number: no device is kept alive, none is looked up by hash. */
  readonly #bySerial: Array<Entry | undefined> = []
  readonly #entries = new Map<string, Entry>()
  readonly #files = new Map<string, DeviceFile>()
  readonly #drops = new Map<string, Entry>()
  readonly #copy = new FinishedCopy()
  #closed = false
  frames = 0

  /** `open` makes the sink of the file with that name, without its ending: "all", "node1/cni0". */
  constructor(
    engine: Engine, open: (name: string, format: CaptureFormat) => ByteSink, options: CaptureOptions = {}
  ) {
    this.#engine = engine
    this.#open = open
    this.#options = options
    this.#all = options.all === false
      ? null
      : new PcapngWriter(open("all", "pcapng"), { application: APPLICATION })
  }

  see(dev: NetDevice, direction: Direction, frame: Frame): void {
    let entry = this.#bySerial[dev.serial]
    if (entry === undefined || entry.dev !== dev.name || entry.ns !== dev.ns || entry.mac !== dev.mac) {
      entry = this.#enter(dev)
    }
    if (entry.ignored || (entry.loopback && direction === Direction.Out)) return
    const { accept } = this.#options
    if (accept !== undefined && !accept(frame.bytes, frame.head, frame.tail)) return
    let comment = this.#options.comment === undefined ? "" : this.#options.comment(dev, direction, frame)
    if (frame.corrupted) comment = comment === "" ? CORRUPTED : `${CORRUPTED}; ${comment}`
    if (frame.csum !== Checksum.Partial) this.#write(entry, frame.bytes, frame, direction, comment)
    else if (this.#options.rawChecksums === true && !frame.wired) {
      this.#write(entry, frame.bytes, frame, direction | CHECKSUM_NOT_READY, comment)
    } else {
      this.#write(entry, this.#copy.enter(frame), frame, direction, comment)
      this.#copy.leave(frame)
    }
  }

  dropped(frame: Frame, reason: DropReason, dev: NetDevice | null): void {
    if (this.#options.drops === false) return
    const ns = dev === null || dev.ns === "" ? "nowhere" : dev.ns
    let entry = this.#drops.get(ns)
    if (entry === undefined) {
      entry = this.#make(ns, DROP, "frames that ended inside, and why", 0)
      this.#drops.set(ns, entry)
    }
    if (entry.ignored) return
    const where = dev === null ? "" : ` on ${dev.name}`
    const comment = `${dropReasonName(reason)}${where}${frame.corrupted ? `; ${CORRUPTED}` : ""}`
    const bytes = this.#copy.framed(
      frame, this.#options.rawChecksums === true ? this.#copy.raw(frame) : this.#copy.finished(frame)
    )
    const { accept } = this.#options
    if (accept !== undefined && !accept(bytes, frame.head, frame.tail)) return
    // No tap saw it, so it has no direction.
    this.#write(entry, bytes, frame, 0, comment)
  }

  /** Hand over what is buffered: the files are whole up to here. */
  flush(): void {
    this.#all?.flush()
    for (const file of this.#files.values()) file.flush()
  }

  /** The statistics of every interface, then all that is buffered; what comes later is not written. */
  close(): void {
    if (this.#closed) return
    this.#closed = true
    const atNs = this.#engine.nowNs
    for (const { ignored, allId, ownId, file, fromNs, received } of this.#entries.values()) {
      if (ignored) continue
      const statistics = { startNs: fromNs, endNs: atNs, received, dropped: 0 }
      this.#all?.statistics(allId, atNs, statistics)
      file?.pcapng?.statistics(ownId, atNs, statistics)
    }
    this.flush()
  }

  #write(entry: Entry, bytes: Uint8Array, frame: Frame, flags: number, comment: string): void {
    if (this.#closed) return
    const atNs = this.#engine.nowNs
    const { head, tail, id } = frame
    this.frames++
    entry.received++
    const { file } = entry
    // One test for the usual packet, which has nothing to say.
    if (comment === "") {
      if (this.#all !== null) this.#all.record(entry.allId, atNs, bytes, head, tail, flags, id)
      if (file === null) return
      if (file.pcapng !== null) file.pcapng.record(entry.ownId, atNs, bytes, head, tail, flags, id)
      else file.pcap!.packet(atNs, bytes, head, tail)
      return
    }
    const options = { flags, packetId: id, comment }
    if (this.#all !== null) this.#all.packet(entry.allId, atNs, bytes, head, tail, options)
    if (file === null) return
    if (file.pcapng !== null) file.pcapng.packet(entry.ownId, atNs, bytes, head, tail, options)
    else file.pcap!.packet(atNs, bytes, head, tail)
  }

  /** A device's first frame, or its first since it was renamed, moved or given another address. */
  #enter(dev: NetDevice): Entry {
    const entry = this.#make(dev.ns, dev.name, dev.kind, dev.mac)
    entry.loopback = dev.loopback
    this.#bySerial[dev.serial] = entry
    return entry
  }

  #make(ns: string, dev: string, description: string, mac: number): Entry {
    const name = `${ns}/${dev}`
    // A description without a device's address is the drop interface: a device may be called "drop" too.
    const key = `${name} ${mac} ${description}`
    const known = this.#entries.get(key)
    if (known !== undefined) return known
    const entry = new Entry(ns, dev, mac, this.#engine.nowNs)
    this.#entries.set(key, entry)
    entry.ignored = this.#options.only !== undefined && !this.#options.only(name)
    if (entry.ignored) return entry
    const about = {
      name, epochSeconds: EPOCH_SECONDS, ...(description === "" ? {} : { description }),
      ...(mac === 0 ? {} : { mac })
    }
    if (this.#all !== null) entry.allId = this.#all.interface(about)
    if (this.#options.devices === false) return entry
    entry.file = this.#file(name, dev === DROP)
    if (entry.file.pcapng !== null) entry.ownId = entry.file.pcapng.interface(about)
    return entry
  }

  /** Dead frames are pcapng in any case: the classic format has no place for the reason. */
  #file(name: string, drop: boolean): DeviceFile {
    let file = this.#files.get(name)
    if (file === undefined) {
      const classic = this.#options.classic === true && !drop
      file = new DeviceFile(this.#open(name, classic ? "pcap" : "pcapng"), classic)
      this.#files.set(name, file)
    }
    return file
  }
}

/** One interface: its number in the common file and in the device's own. */
class Entry {
  readonly ns: string
  readonly dev: string
  readonly mac: number
  readonly fromNs: number
  received = 0
  /** `only` does not want it. */
  ignored = false
  loopback = false
  allId = 0
  ownId = 0
  file: DeviceFile | null = null

  constructor(ns: string, dev: string, mac: number, fromNs: number) {
    this.ns = ns
    this.dev = dev
    this.mac = mac
    this.fromNs = fromNs
  }
}

class DeviceFile {
  readonly pcapng: PcapngWriter | null
  readonly pcap: PcapWriter | null

  constructor(sink: ByteSink, classic: boolean) {
    const bufferBytes = DEVICE_BUFFER_BYTES
    this.pcapng = classic ? null : new PcapngWriter(sink, { application: APPLICATION, bufferBytes })
    this.pcap = classic
      ? new PcapWriter(sink, { nanosecond: true, bufferBytes, epochSeconds: EPOCH_SECONDS })
      : null
  }

  flush(): void {
    this.pcapng?.flush()
    this.pcap?.flush()
  }
}
