/**
 * A folder of captures, written as the run goes.
 *
 * Invariant: every file is whole up to its last packet at every moment, also when the disk is full or the
 * process dies: sinks get whole blocks, and what a failing write left half done is cut off. The first failure
 * ends all writing and is kept in `failure`; nothing is thrown into the data plane.
 *
 * At most `openMax` files are open; the one not written for longest is closed and later opened to append.
 *
 * What an earlier run left: the file `.podwire-captures` lists what a run wrote, and the next run in the
 * folder removes what is listed. Other files stay, except one that has the name of a capture of this run:
 * that is overwritten, as by `tcpdump -w`.
 */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import type { ByteSink } from "pcap-writer"
import { type Disk, hostDisk } from "./disk.ts"
import { FileNames, isCaptureFileName } from "./file-name.ts"
import { writeProfile } from "./profile.ts"
import { wholeBytes } from "./whole.ts"

export interface FolderOptions {
  /** A shell's usual limit is 1024 on Linux and 256 on macOS. */
  readonly openMax?: number
  readonly disk?: Disk
}

interface CaptureFailure {
  readonly file: string
  readonly cause: unknown
}

interface CaptureFile {
  readonly path: string
  readonly format: "pcapng" | "pcap"
  /** The descriptor, or null while closed. */
  open: number | null
  /** What is in the file: always the end of a block. */
  bytes: number
  begun: boolean
}

const OPEN_MAX = 128
const LIST = ".podwire-captures"

export class CaptureFolder {
  readonly folder: string
  readonly #disk: Disk
  readonly #openMax: number
  readonly #names = new FileNames()
  readonly #list: CaptureFile
  /** In order of last use, the oldest first. */
  readonly #open = new Set<CaptureFile>()
  #failure: CaptureFailure | null = null

  /** Throws what the file system says when the folder cannot be made or cleared. */
  constructor(folder: string, options: FolderOptions = {}) {
    this.folder = folder
    this.#disk = options.disk ?? hostDisk
    this.#openMax = Math.max(options.openMax ?? OPEN_MAX, 2)
    mkdirSync(folder, { recursive: true })
    const list = join(folder, LIST)
    removeListed(folder, list)
    writeFileSync(list, "")
    writeProfile(folder)
    this.#list = { path: list, format: "pcapng", open: null, bytes: 0, begun: true }
  }

  /** The first write that failed; nothing is written after it. */
  get failure(): CaptureFailure | null {
    return this.#failure
  }

  /** `node1/cni0` becomes the file `node1-cni0.pcapng`. */
  sink(name: string, format: "pcapng" | "pcap" = "pcapng"): ByteSink {
    const made = this.#names.take(name, format)
    const file: CaptureFile = { path: join(this.folder, made), format, open: null, bytes: 0, begun: false }
    return {
      write: (chunk) => {
        // Listed before it exists: a run that dies leaves nothing that the next does not know.
        if (!file.begun) this.#write(this.#list, new Uint8Array(Buffer.from(`${made}\n`)))
        this.#write(file, chunk)
      }
    }
  }

  /** Also after a failure: what is open is closed. */
  close(): CaptureFailure | null {
    for (const file of [...this.#open]) this.#close(file)
    return this.#failure
  }

  #write(file: CaptureFile, chunk: Uint8Array): void {
    if (this.#failure !== null) return
    let done = 0
    try {
      const open = this.#opened(file)
      while (done < chunk.length) done += this.#disk.write(open, chunk, done, chunk.length)
      file.bytes += done
    } catch (cause) {
      this.#failure = { file: file.path, cause }
      this.#cut(file, chunk, done)
    }
  }

  #opened(file: CaptureFile): number {
    if (file.open !== null) {
      // Now the one used last.
      this.#open.delete(file)
      this.#open.add(file)
      return file.open
    }
    if (this.#open.size >= this.#openMax) this.#close(this.#open.values().next().value!)
    const flags = file.begun ? "a" : "w"
    try {
      file.open = this.#disk.open(file.path, flags)
    } catch (cause) {
      if (!isLimit(cause)) throw cause
      // Somebody else took the descriptors: go on with fewer.
      for (const other of [...this.#open]) this.#close(other)
      file.open = this.#disk.open(file.path, flags)
    }
    file.begun = true
    this.#open.add(file)
    return file.open
  }

  /** Keep the whole blocks of a chunk of which only `done` bytes were taken. */
  #cut(file: CaptureFile, chunk: Uint8Array, done: number): void {
    if (file.open === null) return
    file.bytes += wholeBytes(file.format, chunk, done, file.bytes === 0)
    try {
      this.#disk.truncate(file.open, file.bytes)
    } catch {
      // The failure before this one is the one to tell; a reader stops at the last whole block anyway.
    }
  }

  #close(file: CaptureFile): void {
    this.#open.delete(file)
    const { open } = file
    if (open === null) return
    file.open = null
    try {
      this.#disk.close(open)
    } catch (cause) {
      // A file system may say only now that it has no room (NFS, quotas).
      this.#failure ??= { file: file.path, cause }
    }
  }
}

function isLimit(cause: unknown): boolean {
  return cause instanceof Error && "code" in cause && (cause.code === "EMFILE" || cause.code === "ENFILE")
}

function removeListed(folder: string, list: string): void {
  let text: string
  try {
    text = readFileSync(list, "utf8")
  } catch {
    return
  }
  for (const file of text.split("\n")) {
    if (isCaptureFileName(file)) rmSync(join(folder, file), { force: true })
  }
}
