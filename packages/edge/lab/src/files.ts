/** Capture files: a sink for each device, written as the run goes, so that what is there is always whole. */
import { closeSync, mkdirSync, openSync, writeSync } from "node:fs"
import { join } from "node:path"
import type { ByteSink } from "pcap-writer"

export class CaptureFolder {
  readonly folder: string
  readonly #open: Array<number> = []

  constructor(folder: string) {
    this.folder = folder
    mkdirSync(folder, { recursive: true })
  }

  /** `node1/cni0` becomes the file `node1-cni0.pcapng`. */
  sink(name: string): ByteSink {
    const file = openSync(join(this.folder, `${name.replaceAll("/", "-")}.pcapng`), "w")
    this.#open.push(file)
    return { write: (chunk) => void writeSync(file, chunk) }
  }

  close(): void {
    for (const file of this.#open.splice(0)) closeSync(file)
  }
}
