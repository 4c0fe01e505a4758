/** The few calls that captures make on a file system: node:fs, or a stand-in that fills up on purpose. */
import { closeSync, ftruncateSync, openSync, writeSync } from "node:fs"

export interface Disk {
  /** "w" makes the file empty, "a" goes on at its end. */
  open(path: string, flags: "w" | "a"): number
  /** How many of bytes [from, to) were taken; like the system call, maybe not all. */
  write(file: number, bytes: Uint8Array, from: number, to: number): number
  truncate(file: number, bytes: number): void
  close(file: number): void
}

export const hostDisk: Disk = {
  open: (path, flags) => openSync(path, flags),
  write: (file, bytes, from, to) => writeSync(file, bytes, from, to - from),
  truncate: (file, bytes) => ftruncateSync(file, bytes),
  close: (file) => closeSync(file)
}
