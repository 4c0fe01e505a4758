/**
 * Frames in memory, for whoever asks afterwards what passed where: a copy of each with time, interface and
 * direction, in the order they were seen. Bounded: the oldest go, and `forgotten` counts them.
 */
import type { Engine, Ns } from "@podwire/engine"
import {
  Direction, type DropObserver, type DropReason, dropReasonName, type Frame, type NetDevice, type Tap
} from "@podwire/netdev"
import { FRAME_LOG_BYTES_MAX } from "./limits.ts"

export interface LoggedFrame {
  readonly atNs: Ns
  /** As the captures name it: node1/cni0, default/web-0/eth0; node1/drop for what ended inside. */
  readonly at: string
  readonly direction: "in" | "out"
  /** The same number on every interface that the packet passes. */
  readonly id: number
  readonly bytes: Uint8Array
  /** Why it ended, on a drop interface; else "". */
  readonly drop: string
}

export class FrameLog implements Tap, DropObserver {
  readonly #engine: Engine
  readonly #wanted: ((name: string) => boolean) | null
  #frames: Array<LoggedFrame> = []
  #first = 0
  #bytes = 0
  forgotten = 0

  /** Everything, or only the interfaces that `wanted` accepts. */
  constructor(engine: Engine, wanted: ((name: string) => boolean) | null = null) {
    this.#engine = engine
    this.#wanted = wanted
  }

  see(dev: NetDevice, direction: Direction, frame: Frame): void {
    this.#keep(`${dev.ns}/${dev.name}`, direction, frame, "")
  }

  dropped(frame: Frame, reason: DropReason, dev: NetDevice | null): void {
    this.#keep(
      `${dev === null || dev.ns === "" ? "nowhere" : dev.ns}/drop`, Direction.In, frame,
      dropReasonName(reason)
    )
  }

  /** Oldest first. */
  frames(at: string | null = null): ReadonlyArray<LoggedFrame> {
    const kept = this.#frames.slice(this.#first)
    return at === null ? kept : kept.filter((frame) => frame.at === at)
  }

  #keep(at: string, direction: Direction, frame: Frame, drop: string): void {
    if (this.#wanted !== null && !this.#wanted(at)) return
    const bytes = frame.bytes.slice(frame.head, frame.tail)
    this.#frames.push({
      atNs: this.#engine.nowNs, at, direction: direction === Direction.In ? "in" : "out", id: frame.id, bytes,
      drop
    })
    this.#bytes += bytes.length
    while (this.#bytes > FRAME_LOG_BYTES_MAX) {
      this.#bytes -= this.#frames[this.#first++]!.bytes.length
      this.forgotten++
    }
    if (this.#first > 65_536 && this.#first * 2 > this.#frames.length) {
      this.#frames = this.#frames.slice(this.#first)
      this.#first = 0
    }
  }
}
