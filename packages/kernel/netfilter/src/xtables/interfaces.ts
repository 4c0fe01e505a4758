/**
 * Names of devices in rules: whole, or a beginning with `+` behind it. A packet without that device has the
 * empty name (nulldevname), which only `+` fits.
 *
 * A walk compares no strings: `InterfaceTable` answers for each device once, for all the patterns of a
 * ruleset, and again only when a device has got another name.
 */
import type { NetDevice } from "@podwire/netdev"
import { RuleError } from "./rule-error.ts"

const NAME_MAX = 15

export function checkName(name: string): void {
  if (name === "") throw new RuleError("Empty interface is likely to be undesired")
  if (name.length > NAME_MAX) {
    throw new RuleError(`interface name \`${name}' must be shorter than IFNAMSIZ (15)`)
  }
}

export function matchesName(pattern: string, name: string): boolean {
  return pattern.endsWith("+") ? name.startsWith(pattern.slice(0, -1)) : name === pattern
}

interface Row {
  name: string
  readonly fits: Array<boolean>
}

export class InterfaceTable {
  readonly #patterns: Array<string> = []
  readonly #rows: Array<Row | undefined> = []
  readonly #none: Row = { name: "", fits: [] }

  /** The number by which rules ask for this pattern. */
  add(pattern: string): number {
    const at = this.#patterns.indexOf(pattern)
    if (at >= 0) return at
    this.#patterns.push(pattern)
    this.#none.fits.push(matchesName(pattern, ""))
    this.#rows.length = 0
    return this.#patterns.length - 1
  }

  /** By pattern number. */
  row(dev: NetDevice | null): ReadonlyArray<boolean> {
    if (dev === null) return this.#none.fits
    const row = this.#rows[dev.serial]
    return row !== undefined && row.name === dev.name ? row.fits : this.#fill(dev)
  }

  #fill(dev: NetDevice): ReadonlyArray<boolean> {
    const fits = this.#patterns.map((pattern) => matchesName(pattern, dev.name))
    this.#rows[dev.serial] = { name: dev.name, fits }
    return fits
  }
}
