/**
 * host-local's leases as files, where and as the real plugin keeps them (backend/disk/backend.go), so that
 * both work on one directory: `<dataDir>/<network>/<address>` holds container and interface with CR LF
 * between, `last_reserved_ip.<set>` the address given last; all of mode 0600.
 *
 * Invariant: a reservation is a file created exclusively, so no two processes ever hold one address.
 * Not supported: flock(2) on `lock`, which Node cannot take. The file is made, and two processes that draw at
 * one time may move the pointer past each other; folders inside the directory, which the real plugin walks.
 */
import {
  closeSync, constants, mkdirSync, openSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync
} from "node:fs"
import { dirname, join } from "node:path"
import type { Lease, LeaseStore } from "@podwire/cni/ipam/lease-store"
import { format, type Ip, parse } from "@podwire/wire/ip"
import { goError } from "./go-error.ts"

const DEFAULT_DATA_DIR = "/var/lib/cni/networks"
const LINE_BREAK = "\r\n"
const LAST_PREFIX = "last_reserved_ip."
const FILE_MODE = 0o600
const DIRECTORY_MODE = 0o755
/** What go-filemutex makes its file with, before the umask. */
const LOCK_MODE = 0o750

export class DiskStore implements LeaseStore {
  readonly #dir: string

  private constructor(dir: string) {
    this.#dir = dir
  }

  /** The directory and its lock are made; a text says why they cannot be. */
  static open(network: string, dataDir: string): DiskStore | string {
    const dir = join(dataDir === "" ? DEFAULT_DATA_DIR : dataDir, network)
    const failed = makeDirectories(dir)
    if (failed !== null) return failed
    try {
      closeSync(openSync(join(dir, "lock"), constants.O_CREAT | constants.O_RDONLY, LOCK_MODE))
    } catch (error) {
      return goError(error)
    }
    return new DiskStore(dir)
  }

  reserve(id: string, ifname: string, ip: Ip, set: number): boolean | string {
    const text = format(ip)
    const path = join(this.#dir, text)
    try {
      const file = openSync(path, "wx", FILE_MODE)
      try {
        writeFileSync(file, id.trim() + LINE_BREAK + ifname)
      } catch (error) {
        rmSync(path, { force: true })
        return goError(error, "write", path)
      } finally {
        closeSync(file)
      }
    } catch (error) {
      return (error as { code?: string }).code === "EEXIST" ? false : goError(error, "open", path)
    }
    const pointer = join(this.#dir, `${LAST_PREFIX}${set}`)
    try {
      writeFileSync(pointer, text, { mode: FILE_MODE })
    } catch (error) {
      return goError(error, "open", pointer)
    }
    return true
  }

  lastReserved(set: number): Ip | null {
    return parse(read(join(this.#dir, `${LAST_PREFIX}${set}`)) ?? "")
  }

  /** Files of the container and the interface; without any, the old ones that name the container alone. */
  release(id: string, ifname: string): void {
    const match = id.trim() + LINE_BREAK + ifname
    if (!this.#remove(match)) this.#remove(id.trim())
  }

  held(id: string, ifname: string): ReadonlyArray<Ip> {
    const mine = (lease: Lease) =>
      lease.id === id.trim() && (lease.ifname === ifname || lease.ifname === "")
    return this.leases().filter(mine).map(({ ip }) => ip)
  }

  /** By name of the file, as filepath.Walk goes. */
  leases(): ReadonlyArray<Lease> {
    return this.#files().flatMap(({ name, content }) => {
      const ip = parse(name)
      const [id, ifname = ""] = content.split(LINE_BREAK)
      return ip === null ? [] : [{ ip, id: id!, ifname }]
    })
  }

  /** Any file of that content goes, whatever its name: so does the real plugin. */
  #remove(content: string): boolean {
    let found = false
    for (const file of this.#files()) {
      if (file.content !== content) continue
      try {
        rmSync(join(this.#dir, file.name))
        found = true
      } catch { /* Somebody else was faster, or may not be helped. */ }
    }
    return found
  }

  #files(): ReadonlyArray<{ readonly name: string; readonly content: string }> {
    return list(this.#dir).flatMap((name) => {
      const content = read(join(this.#dir, name))
      return content === null ? [] : [{ name, content: content.trim() }]
    })
  }
}

function list(dir: string): ReadonlyArray<string> {
  try {
    return readdirSync(dir).sort()
  } catch {
    return []
  }
}

function read(path: string): string | null {
  try {
    return readFileSync(path, "utf8")
  } catch {
    return null
  }
}

/** os.MkdirAll: its error names the part that could not be made. */
function makeDirectories(path: string): string | null {
  try {
    return statSync(path).isDirectory() ? null : `mkdir ${path}: not a directory`
  } catch { /* It is to be made. */ }
  const parent = dirname(path)
  const failed = parent === path ? null : makeDirectories(parent)
  if (failed !== null) return failed
  try {
    mkdirSync(path, DIRECTORY_MODE)
  } catch (error) {
    if ((error as { code?: string }).code !== "EEXIST") return goError(error, "mkdir", path)
  }
  return null
}
