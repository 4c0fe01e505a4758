/**
 * Frames as they pass, as tcpdump prints them: `podwire capture`. With `any` the interface and the kernel's
 * packet type stand before each, as with `tcpdump -i any`: In, B(roadcast), M(ulticast), P (somebody else's),
 * Out. TCP numbers are relative to each conversation's start.
 * Differs: `-e` shows the Ethernet header also with `any`, where Linux has a cooked one.
 */
import { FrameWatch, type WatchedFrame } from "@podwire/cluster"
import { compileFilter, type FrameFilter } from "@podwire/wire/filter"
import * as print from "@podwire/wire/print"
import type { CapturePlace } from "./capture-place.ts"
import type { LabOptions } from "./lab.ts"

export interface CaptureLinesOptions {
  readonly place: CapturePlace
  readonly filter: FrameFilter
  /** Nothing is printed after so many. */
  readonly count: number
  /** Addresses and EtherType first (`-e`). */
  readonly link: boolean
  readonly write: (text: string) => void
}

export class CaptureLines {
  readonly #options: CaptureLinesOptions
  readonly #conversations = new print.Conversations()
  captured = 0

  constructor(options: CaptureLinesOptions) {
    this.#options = options
  }

  readonly observers: NonNullable<LabOptions["observers"]> = (engine) => [
    new FrameWatch(this.#options.place.accepts, (frame) => this.#print(frame, engine.nowNs))
  ]

  #print({ at, type, drop, bytes, head, tail }: WatchedFrame, atNs: number): void {
    const { place, filter, count, link, write } = this.#options
    if (this.captured >= count || !filter(bytes, head, tail)) return
    this.captured++
    const seen = place.any ? `${at.padEnd(5)} ${type.padEnd(3)} ` : ""
    const line = print.line(bytes, head, tail, { link, conversations: this.#conversations })
    write(`${print.time(atNs)} ${seen}${line}${drop === "" ? "" : ` [${drop}]`}\n`)
  }
}

/** A filter, or what is wrong with it in lines, with a caret under the place. */
export function filterOf(text: string): FrameFilter | string {
  const filter = compileFilter(text)
  if (typeof filter !== "string") return filter
  const [, column, what] = /^at (\d+): (.*)$/s.exec(filter)!
  return `filter: ${what}\n  ${text.replace(/\s/g, " ")}\n  ${" ".repeat(Number(column) - 1)}^`
}
