/**
 * One capture of chosen frames into one sink: `podwire capture -w`. pcapng with every interface by its name,
 * or the classic format, which has place for one interface only.
 */
import { EPOCH_SECONDS } from "@podwire/api"
import { Capture } from "@podwire/cluster"
import type { FrameFilter } from "@podwire/wire/filter"
import { type ByteSink, PcapWriter } from "pcap-writer"
import type { CapturePlace } from "./capture-place.ts"
import type { LabOptions } from "./lab.ts"

export interface CaptureFileOptions {
  readonly place: CapturePlace
  readonly filter: FrameFilter
  /** Nothing is written after so many. */
  readonly count: number
  readonly classic: boolean
  readonly sink: ByteSink
}

export class CaptureFile {
  readonly #options: CaptureFileOptions
  #capture: Capture | null = null
  #begun = false
  captured = 0

  constructor(options: CaptureFileOptions) {
    this.#options = options
  }

  readonly observers: NonNullable<LabOptions["observers"]> = (engine) => {
    const { place, filter, count, classic, sink } = this.#options
    const open = () => ({
      write: (chunk: Uint8Array) => {
        this.#begun = true
        sink.write(chunk)
      }
    })
    this.#capture = new Capture(engine, open, {
      all: !classic, devices: classic, classic, drops: place.drops, only: place.accepts,
      accept: (bytes, at, end) => {
        if (this.captured >= count || !filter(bytes, at, end)) return false
        this.captured++
        return true
      }
    })
    return [this.#capture]
  }

  /** What is buffered; a file without a frame is a whole file too. */
  close(): void {
    this.#capture?.close()
    if (this.#options.classic && !this.#begun) {
      new PcapWriter(this.#options.sink, { nanosecond: true, epochSeconds: EPOCH_SECONDS }).flush()
    }
  }
}
