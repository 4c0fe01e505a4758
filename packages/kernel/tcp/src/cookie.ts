/**
 * SYN cookies (net/ipv4/syncookies.c, net/ipv6/syncookies.c): a sequence number that holds a connection's
 * start, so that a listener whose queue is full need keep nothing. Of the client's options the MSS goes in
 * rounded down to one of four; the window scale, SACK and ECN go in the low six bits of the timestamp, if
 * there is one, and are lost if not. A cookie is good in the minute it was made and in the next. *Not
 * supported*: cookies of a BPF program.
 */
import type { Ns, Prng } from "@podwire/engine"
import type { Ip } from "@podwire/wire/ip"
import { KeyedHash } from "./keyed-hash.ts"

const MINUTE_NS: Ns = 60_000_000_000
const AGE_MINUTES_MAX = 2
/** A listener that did not overflow for this long takes no cookies (TCP_SYNCOOKIE_VALID). */
export const COOKIE_VALID_NS: Ns = AGE_MINUTES_MAX * MINUTE_NS
const COUNT_SHIFT = 24
const LOW_MASK = 0xff_ffff

const MSS4: ReadonlyArray<number> = [536, 1300, 1440, 1460]
/** MTUs of IPv6's least, of PPPoE, Ethernet and jumbo frames, less 60. */
const MSS6: ReadonlyArray<number> = [1220, 1420, 1440, 8940]

const WSCALE_MASK = 0xf
const SACK_BIT = 0x10
const ECN_BIT = 0x20
const OPTION_BITS = 6

/** Of `check`: not a cookie of ours. */
export const FORGED = 0

export class Cookies {
  readonly #outer: KeyedHash
  readonly #inner: KeyedHash

  /** Its stream is `cookie:` and the namespace's name. */
  constructor(prng: Prng) {
    this.#outer = KeyedHash.drawn(prng)
    this.#inner = KeyedHash.drawn(prng)
  }

  /**
   * The SYN-ACK's sequence number for a SYN with `seq` from `remote`; `mss` is what `cookieMss` made of the
   * SYN's.
   */
  make(
    remote: Ip, local: Ip, remotePort: number, localPort: number, seq: number, mss: number, nowNs: Ns
  ): number {
    const minute = Math.floor(nowNs / MINUTE_NS)
    const ports = (remotePort << 16) | localPort
    const inner = hash(this.#inner, remote, local, ports, minute) + mssIndex(table(remote), mss)
    const outer = hash(this.#outer, remote, local, ports, 0)
    return (outer + seq + (minute << COUNT_SHIFT) + (inner & LOW_MASK)) | 0
  }

  /** What an ACK with these numbers proves: the MSS, or FORGED. */
  check(
    remote: Ip, local: Ip, remotePort: number, localPort: number, seq: number, ack: number, nowNs: Ns
  ): number {
    const minute = Math.floor(nowNs / MINUTE_NS)
    const ports = (remotePort << 16) | localPort
    const rest = (ack - 1 - hash(this.#outer, remote, local, ports, 0) - (seq - 1)) | 0
    const age = (minute - (rest >>> COUNT_SHIFT)) & 0xff
    if (age >= AGE_MINUTES_MAX) return FORGED
    const index = (rest - hash(this.#inner, remote, local, ports, minute - age)) & LOW_MASK
    return table(remote)[index] ?? FORGED
  }
}

/** What a cookie keeps of a client's MSS: the next lower of four, or the least. */
export function cookieMss(family: 4 | 6, mss: number): number {
  const sizes = family === 4 ? MSS4 : MSS6
  return sizes[mssIndex(sizes, mss)]!
}

/**
 * cookie_init_timestamp: `nowMs` (before the pair's offset) with the options in its low bits, and never later
 * than now, as the next timestamp must not be earlier. `wscale` is -1 if the client sent none. A signed word.
 */
export function cookieTimestamp(nowMs: number, wscale: number, sack: boolean, ecn: boolean): number {
  const options = (wscale < 0 ? WSCALE_MASK : wscale) | (sack ? SACK_BIT : 0) | (ecn ? ECN_BIT : 0)
  const low = nowMs % (1 << OPTION_BITS)
  return (nowMs - low + options - (options > low ? 1 << OPTION_BITS : 0)) | 0
}

/** cookie_timestamp_decode of an echo, less the pair's offset: the client's window scale, or -1 for none. */
export function cookieWscale(echo: number): number {
  const wscale = echo & WSCALE_MASK
  return wscale === WSCALE_MASK ? -1 : wscale
}

export function cookieSack(echo: number): boolean {
  return (echo & SACK_BIT) !== 0
}

export function cookieEcn(echo: number): boolean {
  return (echo & ECN_BIT) !== 0
}

function hash(keyed: KeyedHash, remote: Ip, local: Ip, ports: number, minute: number): number {
  return keyed.begin().addAll(remote).addAll(local).add(ports).add(minute).end()
}

function table(ip: Ip): ReadonlyArray<number> {
  return ip.length === 1 ? MSS4 : MSS6
}

function mssIndex(sizes: ReadonlyArray<number>, mss: number): number {
  let index = sizes.length - 1
  while (index > 0 && mss < sizes[index]!) index--
  return index
}
