/**
 * What has a 4-tuple: connections, requests that are half open, and what is left of closed ones (struct
 * sock_common).
 */
import { get32 } from "@podwire/wire/bytes"
import type { Ip } from "@podwire/wire/ip"
import type { Connection } from "./connection.ts"
import type { Request } from "./request.ts"
import type { TimeWait } from "./time-wait.ts"

export interface Flow {
  readonly kind: "connection" | "request" | "time-wait"
  readonly local: Ip
  readonly remote: Ip
  readonly localPort: number
  readonly remotePort: number
  /** Of the 4-tuple, and the next flow in its bucket: the table's own. */
  hash: number
  hashNext: Flow | null
}

export type AnyFlow = Connection | Request | TimeWait

/** Flows by 4-tuple (tcp_hashinfo.ehash), chained through the flows themselves; it doubles as it fills. */
export class FlowTable {
  #buckets: Array<AnyFlow | null> = []
  size = 0

  find4(local: number, remote: number, localPort: number, remotePort: number): AnyFlow | null {
    if (this.size === 0) return null
    const hash = hash4(local, remote, localPort, remotePort)
    let flow = this.#buckets[hash & (this.#buckets.length - 1)] as AnyFlow | null
    for (; flow !== null; flow = flow.hashNext as AnyFlow | null) {
      if (flow.hash === hash && flow.remotePort === remotePort && flow.localPort === localPort &&
        flow.remote.length === 1 && flow.remote[0] === remote && flow.local[0] === local) return flow
    }
    return null
  }

  find6(local: Ip, remote: Ip, localPort: number, remotePort: number): AnyFlow | null {
    if (this.size === 0) return null
    const hash = hash6(local, remote, localPort, remotePort)
    let flow = this.#buckets[hash & (this.#buckets.length - 1)] as AnyFlow | null
    for (; flow !== null; flow = flow.hashNext as AnyFlow | null) {
      if (flow.hash === hash && flow.remotePort === remotePort && flow.localPort === localPort &&
        same6(flow.remote, remote) && same6(flow.local, local)) return flow
    }
    return null
  }

  /** As `find6`, the addresses read where they stand: nothing is made per segment. */
  find6At(bytes: Uint8Array, localAt: number, remoteAt: number, localPort: number, remotePort: number): AnyFlow | null {
    if (this.size === 0) return null
    const hash = hash4(foldAt(bytes, localAt), foldAt(bytes, remoteAt), localPort, remotePort)
    let flow = this.#buckets[hash & (this.#buckets.length - 1)] as AnyFlow | null
    for (; flow !== null; flow = flow.hashNext as AnyFlow | null) {
      if (flow.hash === hash && flow.remotePort === remotePort && flow.localPort === localPort &&
        isAt(flow.remote, bytes, remoteAt) && isAt(flow.local, bytes, localAt)) return flow
    }
    return null
  }

  add(flow: AnyFlow): void {
    if (this.size >= this.#buckets.length) this.#grow()
    const { local, remote, localPort, remotePort } = flow
    flow.hash = remote.length === 1
      ? hash4(local[0]!, remote[0]!, localPort, remotePort)
      : hash6(local, remote, localPort, remotePort)
    const slot = flow.hash & (this.#buckets.length - 1)
    flow.hashNext = this.#buckets[slot]!
    this.#buckets[slot] = flow
    this.size++
  }

  remove(flow: AnyFlow): void {
    const slot = flow.hash & (this.#buckets.length - 1)
    let at = this.#buckets[slot] as AnyFlow | null
    if (at === flow) this.#buckets[slot] = flow.hashNext as AnyFlow | null
    else {
      while (at !== null && at.hashNext !== flow) at = at.hashNext as AnyFlow | null
      if (at === null) return
      at.hashNext = flow.hashNext
    }
    flow.hashNext = null
    this.size--
  }

  /** In no order that means anything. */
  list(): Array<AnyFlow> {
    const all: Array<AnyFlow> = []
    for (let flow of this.#buckets) for (; flow !== null; flow = flow.hashNext as AnyFlow | null) all.push(flow)
    return all
  }

  #grow(): void {
    const all = this.list()
    this.#buckets = new Array<AnyFlow | null>(Math.max(8, 2 * this.#buckets.length)).fill(null)
    const mask = this.#buckets.length - 1
    for (const flow of all) {
      flow.hashNext = this.#buckets[flow.hash & mask]!
      this.#buckets[flow.hash & mask] = flow
    }
  }
}

function same6(a: Ip, b: Ip): boolean {
  return a.length === 4 && a[3] === b[3] && a[2] === b[2] && a[1] === b[1] && a[0] === b[0]
}

function hash4(local: number, remote: number, localPort: number, remotePort: number): number {
  let h = Math.imul(remote ^ Math.imul(local, 0x9e3779b1 | 0), 0x85ebca6b | 0) ^ (remotePort << 16 | localPort)
  h ^= h >>> 15
  h = Math.imul(h, 0x2c1b3c6d)
  return h ^ (h >>> 13)
}

function hash6(local: Ip, remote: Ip, localPort: number, remotePort: number): number {
  return hash4(
    fold(local[0]!, local[1]!, local[2]!, local[3]!), fold(remote[0]!, remote[1]!, remote[2]!, remote[3]!), localPort,
    remotePort
  )
}

function fold(w0: number, w1: number, w2: number, w3: number): number {
  return w0 ^ Math.imul(w1, 31) ^ Math.imul(w2, 961) ^ w3
}

function foldAt(bytes: Uint8Array, at: number): number {
  return fold(get32(bytes, at), get32(bytes, at + 4), get32(bytes, at + 8), get32(bytes, at + 12))
}

function isAt(ip: Ip, bytes: Uint8Array, at: number): boolean {
  return ip.length === 4 && ip[3] === get32(bytes, at + 12) && ip[2] === get32(bytes, at + 8) &&
    ip[1] === get32(bytes, at + 4) && ip[0] === get32(bytes, at)
}
