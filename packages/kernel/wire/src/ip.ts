/**
 * IP addresses as words, and the one door between them and text. An `Ip` has one signed 32-bit word
 * for IPv4 and four for IPv6; its length is its family. The parser is strict (no leading zeros, no
 * short forms, no zones), the printer canonical (RFC 5952).
 */
import { get32, set32 } from "./bytes.ts"

export type Ip = Int32Array

export function v4(address: number): Ip {
  return Int32Array.of(address)
}

export const ANY4: Ip = v4(0)
export const ANY6: Ip = new Int32Array(4)
export const LOOPBACK4: Ip = v4(0x7f000001)
export const LOOPBACK6: Ip = Int32Array.of(0, 0, 0, 1)
export const ALL_NODES6: Ip = Int32Array.of(0xff020000, 0, 0, 1)
export const ALL_ROUTERS6: Ip = Int32Array.of(0xff020000, 0, 0, 2)
/** All MLDv2-capable routers, ff02::16. */
export const ALL_MLDV2_ROUTERS6: Ip = Int32Array.of(0xff020000, 0, 0, 0x16)

export function family(ip: Ip): 4 | 6 {
  return ip.length === 1 ? 4 : 6
}

export function clone(ip: Ip): Ip {
  return ip.slice()
}

export function equal(a: Ip, b: Ip): boolean {
  if (a.length !== b.length) return false
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false
  return true
}

/** IPv4 before IPv6, then by value. */
export function compare(a: Ip, b: Ip): number {
  if (a.length !== b.length) return a.length - b.length
  for (let i = 0; i < a.length; i++) {
    if (a[i] !== b[i]) return (a[i]! >>> 0) - (b[i]! >>> 0)
  }
  return 0
}

/** The address `count` further on (or back), wrapping inside its family; |count| is below 2^52. */
export function next(ip: Ip, count = 1): Ip {
  const words = ip.slice()
  let carry = count
  for (let i = words.length - 1; i >= 0 && carry !== 0; i--) {
    const total = (words[i]! >>> 0) + carry
    words[i] = total % 0x1_0000_0000 | 0
    carry = Math.floor(total / 0x1_0000_0000)
  }
  return words
}

/** `::ffff:a.b.c.d` is an IPv4 address in IPv6's clothes (RFC 4291, section 2.5.5.2); anything else is itself. */
export function unmapped(ip: Ip): Ip {
  return ip.length === 4 && ip[0] === 0 && ip[1] === 0 && ip[2] === 0xffff ? v4(ip[3]!) : ip
}

export function isUnspecified(ip: Ip): boolean {
  return ip.every((word) => word === 0)
}

export function isLoopback(ip: Ip): boolean {
  return ip.length === 1 ? ip[0]! >>> 24 === 127 : equal(ip, LOOPBACK6)
}

export function isMulticast(ip: Ip): boolean {
  return ip.length === 1 ? ip[0]! >>> 28 === 14 : ip[0]! >>> 24 === 0xff
}

export function isLinkLocal(ip: Ip): boolean {
  return ip.length === 1 ? ip[0]! >>> 16 === 0xa9fe : ip[0]! >>> 22 === 0x3fa
}

export function read4(bytes: Uint8Array, at: number): Ip {
  return v4(get32(bytes, at))
}

export function read6(bytes: Uint8Array, at: number): Ip {
  return Int32Array.of(
    get32(bytes, at), get32(bytes, at + 4), get32(bytes, at + 8), get32(bytes, at + 12)
  )
}

export function write(bytes: Uint8Array, at: number, ip: Ip): void {
  for (let i = 0; i < ip.length; i++) set32(bytes, at + 4 * i, ip[i]!)
}

/** ff02::1:ffXX:XXXX (RFC 4291, section 2.7.1). */
export function solicitedNode(ip: Ip): Ip {
  return Int32Array.of(0xff020000, 0, 1, 0xff000000 | (ip[3]! & 0xffffff))
}

/** fe80:: with the modified EUI-64 of a MAC (RFC 4291, appendix A). */
export function linkLocalFromMac(mac: number): Ip {
  const high = Math.floor(mac / 0x1_0000_0000)
  const low = mac | 0
  return Int32Array.of(
    0xfe800000, 0,
    ((high ^ 0x0200) << 16) | ((low >>> 16) & 0xff00) | 0xff,
    0xfe000000 | (low & 0xffffff)
  )
}

export function parse(text: string): Ip | null {
  if (text.includes(":")) return parse6(text)
  const word = parse4(text)
  return word === null ? null : v4(word)
}

export function format(ip: Ip): string {
  return ip.length === 1 ? format4(ip[0]!) : format6(ip)
}

export function format4(word: number): string {
  return `${word >>> 24}.${(word >>> 16) & 255}.${(word >>> 8) & 255}.${word & 255}`
}

function parse4(text: string): number | null {
  const parts = text.split(".")
  if (parts.length !== 4) return null
  let word = 0
  for (const part of parts) {
    if (!/^(0|[1-9]\d{0,2})$/.test(part) || Number(part) > 255) return null
    word = (word << 8) | Number(part)
  }
  return word
}

function parse6(text: string): Ip | null {
  const sides = text.split("::")
  if (sides.length > 2) return null
  const head = groups(sides[0]!)
  const tail = sides.length === 2 ? groups(sides[1]!) : []
  if (head === null || tail === null) return null
  // An embedded IPv4 address is two groups and may only be last.
  if (sides.length === 2 && sides[0]!.includes(".")) return null
  const missing = 8 - head.length - tail.length
  if (sides.length === 1 ? missing !== 0 : missing < 1) return null
  const all = [...head, ...new Array<number>(missing).fill(0), ...tail]
  const ip = new Int32Array(4)
  for (let i = 0; i < 4; i++) ip[i] = (all[2 * i]! << 16) | all[2 * i + 1]!
  return ip
}

function groups(text: string): Array<number> | null {
  if (text === "") return []
  const out: Array<number> = []
  const parts = text.split(":")
  for (const [i, part] of parts.entries()) {
    if (part.includes(".") && i === parts.length - 1) {
      const word = parse4(part)
      if (word === null) return null
      out.push(word >>> 16, word & 0xffff)
    } else if (/^[0-9a-fA-F]{1,4}$/.test(part)) out.push(parseInt(part, 16))
    else return null
  }
  return out
}

/** RFC 5952: lower case, the longest run of zero groups (two or more, the first of equals) is `::`. */
function format6(ip: Ip): string {
  if (ip[0] === 0 && ip[1] === 0 && ip[2] === 0xffff) return `::ffff:${format4(ip[3]!)}`
  const all = [...ip].flatMap((word) => [word >>> 16, word & 0xffff])
  let best = -1
  let bestLength = 1
  for (let i = 0; i < 8; i++) {
    let end = i
    while (end < 8 && all[end] === 0) end++
    if (end - i > bestLength) {
      best = i
      bestLength = end - i
    }
    if (end > i) i = end
  }
  const text = (from: number, to: number) => all.slice(from, to).map((g) => g.toString(16)).join(":")
  return best < 0 ? text(0, 8) : `${text(0, best)}::${text(best + bestLength, 8)}`
}
