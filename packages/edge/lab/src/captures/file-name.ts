/**
 * File names for interfaces: `default/web-0/eth0` becomes `default-web-0-eth0`. Letters, digits and `._-`
 * stay, everything else becomes `_`, so that a name is good on Linux, macOS and Windows.
 *
 * Two interfaces never share a file: `a-b/c` and `a/b-c` become `a-b-c` and `a-b-c~2`, in the order in which
 * they are asked for, which the seed decides. The interface's own name stands in the file.
 */

/** Leaves room for `~2`, the ending, and what a file system takes: 255 bytes. */
const LENGTH_MAX = 200
/** Devices of Windows, whatever the ending. */
const RESERVED = /^(con|prn|aux|nul|com[0-9]|lpt[0-9])(\.|$)/i
/** What this module can have made, with its ending: nothing else is ever removed. */
const MADE = /^[A-Za-z0-9_][A-Za-z0-9._-]*(~[0-9]+)?\.(pcapng|pcap)$/

export class FileNames {
  readonly #taken = new Set<string>()

  take(name: string, ending: string): string {
    let base = name.replaceAll("/", "-").replace(/[^A-Za-z0-9._-]/g, "_").slice(0, LENGTH_MAX)
    if (!/^[A-Za-z0-9_]/.test(base) || RESERVED.test(base)) base = `_${base}`
    for (let count = 1;; count++) {
      const file = `${base}${count === 1 ? "" : `~${count}`}.${ending}`
      // macOS and Windows do not tell A from a.
      const key = file.toLowerCase()
      if (this.#taken.has(key)) continue
      this.#taken.add(key)
      return file
    }
  }
}

export function isCaptureFileName(file: string): boolean {
  return MADE.test(file)
}
