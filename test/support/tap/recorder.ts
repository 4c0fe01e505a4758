/** Frames of a device that go to a capture file if what happened meanwhile turns out to be worth keeping. */
import { FinishedCopy } from "@podwire/cluster/finished-copy"
import { type Direction, type Frame, type NetDevice, type Tap } from "@podwire/netdev"
import { type ByteSink, PcapngWriter } from "pcap-writer"

interface Kept {
  readonly ns: number
  readonly flags: number
  readonly bytes: Uint8Array
}

export class Recorder implements Tap {
  readonly #writer: PcapngWriter
  readonly #interface: number
  readonly #copy = new FinishedCopy()
  #kept: Array<Kept> | null = null

  constructor(sink: ByteSink, name: string) {
    this.#writer = new PcapngWriter(sink)
    this.#interface = this.#writer.interface({ name })
  }

  begin(): void {
    this.#kept = []
  }

  see(dev: NetDevice, direction: Direction, frame: Frame): void {
    if (this.#kept === null) return
    const { head, tail } = frame
    this.#kept.push({
      ns: dev.engine.nowNs, flags: direction, bytes: this.#copy.finished(frame).slice(head, tail)
    })
  }

  end(keep: boolean): void {
    for (const { ns, flags, bytes } of keep ? this.#kept ?? [] : []) {
      this.#writer.packet(this.#interface, ns, bytes, 0, bytes.length, { flags })
    }
    this.#kept = null
  }

  flush(): void {
    this.#writer.flush()
  }
}
