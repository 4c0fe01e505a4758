/**
 * Frames as they pass, told one by one to whoever prints them: with the interface's name as the captures have
 * it, what the kernel calls the packet, and the bytes as a wire would carry them. As in captures, what leaves
 * `lo` is seen once, when it comes back (libpcap passes over the outgoing copy).
 */
import {
  Direction, type DropObserver, type DropReason, dropReasonName, type Frame, type NetDevice, type Tap
} from "@podwire/netdev"
import * as eth from "@podwire/wire/eth"
import * as mac from "@podwire/wire/mac"
import { DROP } from "./capture.ts"
import { FinishedCopy } from "./finished-copy.ts"

/** sll_pkttype as tcpdump names it: to us, to all, to a group, to somebody else, from us. */
export type PacketType = "In" | "B" | "M" | "P" | "Out"

export interface WatchedFrame {
  /** node1/cni0, default/web-0/eth0; node1/drop for what ended inside. */
  readonly at: string
  readonly type: PacketType
  /** Why it ended, on a drop interface; else "". */
  readonly drop: string
  /** The frame is [head, tail) of these; good until the next frame. */
  readonly bytes: Uint8Array
  readonly head: number
  readonly tail: number
}

export class FrameWatch implements Tap, DropObserver {
  readonly #wanted: (name: string) => boolean
  readonly #onFrame: (frame: WatchedFrame) => void
  readonly #copy = new FinishedCopy()
  /** Interfaces that had a frame, wanted or not. */
  readonly seen = new Set<string>()

  constructor(wanted: (name: string) => boolean, onFrame: (frame: WatchedFrame) => void) {
    this.#wanted = wanted
    this.#onFrame = onFrame
  }

  see(dev: NetDevice, direction: Direction, frame: Frame): void {
    if (dev.loopback && direction === Direction.Out) return
    const at = `${dev.ns}/${dev.name}`
    this.seen.add(at)
    if (!this.#wanted(at)) return
    const { bytes, head, tail } = frame
    const type = direction === Direction.Out ? "Out" : packetType(eth.dst(bytes, head), dev.mac)
    this.#onFrame({ at, type, drop: "", bytes: this.#copy.finished(frame), head, tail })
  }

  dropped(frame: Frame, reason: DropReason, dev: NetDevice | null): void {
    const at = `${dev === null || dev.ns === "" ? "nowhere" : dev.ns}/${DROP}`
    this.seen.add(at)
    if (!this.#wanted(at)) return
    const { head, tail } = frame
    const bytes = this.#copy.framed(frame, this.#copy.finished(frame))
    this.#onFrame({ at, type: "In", drop: dropReasonName(reason), bytes, head, tail })
  }
}

/** eth_type_trans, which knows the device's own address only. */
function packetType(dst: number, own: number): PacketType {
  if (dst === own) return "In"
  if (dst === mac.BROADCAST) return "B"
  return mac.isMulticast(dst) ? "M" : "P"
}
