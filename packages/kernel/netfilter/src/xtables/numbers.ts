/**
 * Numbers as strtoul(3) with base 0 reads them (decimal, 0x hexadecimal, 0 octal) and as `iptables-save`
 * writes marks. Nothing above 2^53 is told apart from its neighbours; counters that large are not met.
 */

/** Null if it is no number, or outside min to max. */
export function parse(text: string, min: number, max: number): number | null {
  const value = /^(0[xX][0-9a-fA-F]+|[1-9]\d*|0)$/.test(text)
    ? Number(text)
    : /^0[0-7]+$/.test(text) ? parseInt(text, 8) : NaN
  return value >= min && value <= max ? value : null
}

export const U32_MAX = 0xffff_ffff

export function hex(word: number): string {
  return `0x${(word >>> 0).toString(16)}`
}

/** A value with an optional mask, `VALUE[/MASK]`; both below 2^32. */
export interface Masked {
  readonly value: number
  readonly mask: number
}

export function parseMasked(text: string): Masked | null {
  const slash = text.indexOf("/")
  const value = parse(slash < 0 ? text : text.slice(0, slash), 0, U32_MAX)
  const mask = slash < 0 ? U32_MAX : parse(text.slice(slash + 1), 0, U32_MAX)
  return value === null || mask === null ? null : { value, mask }
}
