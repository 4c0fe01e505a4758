/** Ethernet addresses: a 48-bit number in tables people read, a high and a low word where frames pass. */

export const BROADCAST = 0xffff_ffff_ffff

/** Six pairs of hexadecimal digits, separated by colons; null for anything else. */
export function parse(text: string): number | null {
  if (!/^[0-9a-fA-F]{2}(:[0-9a-fA-F]{2}){5}$/.test(text)) return null
  return parseInt(text.replaceAll(":", ""), 16)
}

export function format(mac: number): string {
  return mac.toString(16).padStart(12, "0").replace(/(..)(?=.)/g, "$1:")
}

/** The first two octets. */
export function hi(mac: number): number {
  return Math.floor(mac / 0x1_0000_0000)
}

/** The last four octets, as a signed word. */
export function lo(mac: number): number {
  return mac | 0
}

export function of(high: number, low: number): number {
  return (high & 0xffff) * 0x1_0000_0000 + (low >>> 0)
}

/** The group bit: multicast or broadcast. */
export function isMulticast(mac: number): boolean {
  return (hi(mac) & 0x0100) !== 0
}
