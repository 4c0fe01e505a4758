/**
 * Sequence numbers are signed 32-bit words and compare by difference (RFC 9293, section 3.4;
 * include/net/tcp.h).
 */

export function before(a: number, b: number): boolean {
  return ((a - b) | 0) < 0
}

export function after(a: number, b: number): boolean {
  return ((b - a) | 0) < 0
}

/** low <= seq <= high. */
export function between(seq: number, low: number, high: number): boolean {
  return (high - low) >>> 0 >= (seq - low) >>> 0
}

/** How many octets from `low` to `high`, which is not before it. */
export function distance(low: number, high: number): number {
  return (high - low) >>> 0
}
