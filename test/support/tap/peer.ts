/**
 * What a case asks of a side, whichever it is: the emulated pod (`emulated-peer.ts`) or the kernel
 * (`kernel-peer.ts`). So every case is written once and played with the parts given both ways. Calls that
 * wait end after `TIMEOUT_SECONDS`.
 */
import { createHash } from "node:crypto"

export type Family = 4 | 6

/** As setsockopt(2) names them, in lower case. */
export interface Options {
  readonly reuseaddr?: 0 | 1
  readonly keepalive?: 0 | 1
  readonly keepidle?: number
  readonly keepintvl?: number
  readonly keepcnt?: number
  readonly nodelay?: 0 | 1
  readonly maxseg?: number
  readonly rcvbuf?: number
}

/** What came, and how it ended: a count that was asked for, the end of the stream, or an errno's name. */
export interface Received {
  readonly octets: number
  readonly sha256: string
  readonly end: string
}

/** A socket and its port. */
export interface Bound {
  readonly sock: number
  readonly port: number
}

export interface Peer {
  readonly name: string
  readonly ips: Readonly<Record<Family, string>>
  listen(family: Family, backlog?: number, options?: Options, port?: number): Promise<Bound>
  /** Family 6, every address of both. */
  listenToAll(): Promise<Bound>
  accept(sock: number): Promise<Bound>
  /** Throws `Refused`. `port` is this side's. */
  connect(family: Family, ip: string, to: number, options?: Options, port?: number): Promise<Bound>
  send(sock: number, seed: string, octets: number): Promise<void>
  receive(sock: number, octets?: number): Promise<Received>
  /** Until the other side has said all; how many octets that was. */
  echo(sock: number): Promise<number>
  shutdown(sock: number, how: "read" | "write" | "both"): Promise<void>
  close(sock: number): Promise<void>
  option(sock: number, name: keyof Options, value: number): Promise<void>
  linger(sock: number, seconds: number): Promise<void>
  /** SO_ERROR by name, "OK" when there is none. */
  error(sock: number): Promise<string>
  /** What is still open is closed with SO_LINGER 0. */
  resetAll(): Promise<void>
}

export const TIMEOUT_SECONDS = 12

/** What a call refused: the errno's name. */
export class Refused extends Error {
  readonly errno: string

  constructor(call: string, errno: string) {
    super(`${call}: ${errno}`)
    this.errno = errno
  }
}

const patterns = new Map<string, Buffer>()
const hashes = new Map<string, string>()

/** What both sides make of a seed, so that everybody knows what must arrive; less of it is its beginning. */
export function pattern(seed: string, octets: number): Buffer {
  let made = patterns.get(seed)
  if (made === undefined || made.length < octets) {
    made = createHash("shake256", { outputLength: octets }).update(seed).digest()
    patterns.set(seed, made)
  }
  return made.subarray(0, octets)
}

/** Much of it takes time that a peer does not have to wait for: ask before, too. */
export function whole(seed: string, octets: number, end = "eof"): Received {
  const key = `${seed} ${octets}`
  let sha256 = hashes.get(key)
  if (sha256 === undefined) {
    sha256 = createHash("sha256").update(pattern(seed, octets)).digest("hex")
    hashes.set(key, sha256)
  }
  return { octets, sha256, end }
}
