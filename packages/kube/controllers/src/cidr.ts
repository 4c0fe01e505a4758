/**
 * Arithmetic on ranges of addresses, as much as giving nodes their part of a cluster needs: the n-th part of
 * a range, and the parts that a range covers. IPv4 and IPv6 alike, as one integer of 32 or 128 bits.
 * Text is what RFC 4291 and RFC 5952 say.
 */
export interface Cidr {
  readonly address: bigint
  readonly length: number
  readonly bits: 32 | 128
}

/** Null for what is no range; host bits are cleared. */
export function parse(text: string): Cidr | null {
  const [address = "", length = ""] = text.split("/")
  const bits = address.includes(":") ? 128 : 32
  const value = bits === 128 ? parse6(address) : parse4(address)
  if (value === null || !/^\d{1,3}$/.test(length) || Number(length) > bits) return null
  const host = BigInt(bits - Number(length))
  return { address: value >> host << host, length: Number(length), bits }
}

export function format({ address, length, bits }: Cidr): string {
  return `${bits === 32 ? format4(address) : format6(address)}/${length}`
}

/** How many parts of `length` a range has. */
export function partCount(range: Cidr, length: number): number {
  return length < range.length ? 0 : 2 ** (length - range.length)
}

export function part(range: Cidr, length: number, index: number): Cidr {
  return { ...range, address: range.address + (BigInt(index) << BigInt(range.bits - length)), length }
}

/** The first and last part of `range` that `other` overlaps; null when it overlaps none. */
export function partsCovered(range: Cidr, length: number, other: Cidr): readonly [number, number] | null {
  if (range.bits !== other.bits) return null
  const shift = BigInt(range.bits - length)
  const last = (cidr: Cidr) => cidr.address + (1n << BigInt(cidr.bits - cidr.length)) - 1n
  const from = other.address > range.address ? other.address : range.address
  const to = last(other) < last(range) ? last(other) : last(range)
  return from > to ? null : [Number(from - range.address >> shift), Number(to - range.address >> shift)]
}

function parse4(text: string): bigint | null {
  const bytes = text.split(".")
  if (bytes.length !== 4 || !bytes.every((byte) => /^(0|[1-9]\d{0,2})$/.test(byte) && Number(byte) < 256)) {
    return null
  }
  return bytes.reduce((value, byte) => value << 8n | BigInt(byte), 0n)
}

function parse6(text: string): bigint | null {
  const halves = text.split("::")
  if (halves.length > 2) return null
  const [head, tail] = halves.map((half) =>
    (half === "" ? [] : half.split(":"))) as [Array<string>, Array<string>?]
  const missing = 8 - head.length - (tail?.length ?? 0)
  if (tail === undefined ? missing !== 0 : missing < 1) return null
  const words = [...head, ...Array<string>(tail === undefined ? 0 : missing).fill("0"), ...tail ?? []]
  if (!words.every((word) => /^[0-9a-fA-F]{1,4}$/.test(word))) return null
  return words.reduce((value, word) => value << 16n | BigInt(`0x${word}`), 0n)
}

function format4(address: bigint): string {
  return [24n, 16n, 8n, 0n].map((shift) => String(address >> shift & 255n)).join(".")
}

/** RFC 5952, section 4: the longest run of two or more zeros is left out, the first of equals. */
function format6(address: bigint): string {
  const words = Array.from({ length: 8 }, (_, i) => (address >> BigInt(112 - 16 * i) & 0xffffn).toString(16))
  let [start, longest] = [-1, 1]
  for (let i = 0; i < 8; i++) {
    let end = i
    while (words[end] === "0") end++
    if (end - i > longest) [start, longest] = [i, end - i]
  }
  if (start < 0) return words.join(":")
  return `${words.slice(0, start).join(":")}::${words.slice(start + longest).join(":")}`
}
