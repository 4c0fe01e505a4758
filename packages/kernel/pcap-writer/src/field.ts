/** Reads in either byte order, and times of any resolution without 64-bit numbers. */
import { SECOND_NS, TWO_32 } from "./codes.ts"

export function u16(bytes: Uint8Array, at: number, big: boolean): number {
  return big ? (bytes[at]! << 8) | bytes[at + 1]! : bytes[at]! | (bytes[at + 1]! << 8)
}

export function u32(bytes: Uint8Array, at: number, big: boolean): number {
  return big
    ? ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0
    : (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >>> 0
}

/** Exact up to 2^53. */
export function u64(bytes: Uint8Array, at: number, big: boolean): number {
  return u32(bytes, big ? at : at + 4, big) * TWO_32 + u32(bytes, big ? at + 4 : at, big)
}

export function i64(bytes: Uint8Array, at: number, big: boolean): number {
  return (u32(bytes, big ? at : at + 4, big) | 0) * TWO_32 + u32(bytes, big ? at + 4 : at, big)
}

/** Units in a second of if_tsresol: a power of ten, or of two with the top bit set; 0 if not exact here. */
export function unitsPerSecond(resolution: number): number {
  const exponent = resolution & 127
  let units = 1
  for (let i = 0; i < exponent && units < TWO_32 * TWO_32; i++) units *= resolution > 127 ? 2 : 10
  // A remainder times sixteen must stay below 2^53.
  return units <= 100_000_000_000_000 ? units : 0
}

export interface Time {
  readonly seconds: number
  readonly nanoseconds: number
}

/** The time of 64 bits `high`, `low` in units: long division by four bits at a time, then decimal digits. */
export function time(high: number, low: number, units: number): Time {
  let seconds = 0
  let rest = 0
  if (high < 0x20_0000) {
    const all = high * TWO_32 + low
    seconds = Math.floor(all / units)
    rest = all % units
  } else {
    for (const half of [high, low]) {
      for (let shift = 28; shift >= 0; shift -= 4) {
        rest = rest * 16 + ((half >>> shift) & 15)
        seconds = seconds * 16 + Math.floor(rest / units)
        rest %= units
      }
    }
  }
  if (units === SECOND_NS) return { seconds, nanoseconds: rest }
  let nanoseconds = 0
  for (let digit = 0; digit < 9; digit++) {
    rest *= 10
    nanoseconds = nanoseconds * 10 + Math.floor(rest / units)
    rest %= units
  }
  return { seconds, nanoseconds }
}
