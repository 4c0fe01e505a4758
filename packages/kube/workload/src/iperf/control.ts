/**
 * iperf3's control connection: a cookie, then states of one octet each way, and JSON behind four octets of
 * length where both expect it (src/iperf_client_api.c, iperf_server_api.c of 3.12).
 */
import { Errno } from "@podwire/netdev"
import type { TcpSocket } from "@podwire/tcp"
import { ascii, get32, set32, utf8Decode, utf8Encode } from "@podwire/wire/bytes"

export const Message = {
  TEST_START: 1, TEST_RUNNING: 2, TEST_END: 4, PARAM_EXCHANGE: 9, CREATE_STREAMS: 10, SERVER_TERMINATE: 11,
  CLIENT_TERMINATE: 12, EXCHANGE_RESULTS: 13, DISPLAY_RESULTS: 14, IPERF_START: 15, IPERF_DONE: 16,
  ACCESS_DENIED: 255, SERVER_ERROR: 254
} as const

/** With its NUL. */
export const COOKIE_BYTES = 37
const JSON_MOST = 65_536

export interface ControlEvents {
  cookie(text: string): void
  state(state: number): void
  json(value: unknown): void
  /** The peer has ended it, or it broke. */
  closed(errno: Errno): void
}

const SCRATCH = new Uint8Array(16_384)

export class Control {
  readonly socket: TcpSocket
  readonly #events: ControlEvents
  #out: Array<Uint8Array> = []
  #in = new Uint8Array(0)
  #wants: "cookie" | "state" | "json" = "state"
  #isClosed = false

  constructor(socket: TcpSocket, events: ControlEvents) {
    this.socket = socket
    this.#events = events
  }

  /** Reads from now on; what has come already is told within this call. */
  start(wants: "cookie" | "state"): void {
    this.#wants = wants
    this.socket.wake = () => this.#pump()
    this.#pump()
  }

  /** What comes next is not a state. */
  expectJson(): void {
    this.#wants = "json"
  }

  sendCookie(cookie: string): void {
    const bytes = new Uint8Array(COOKIE_BYTES)
    bytes.set(ascii(cookie).subarray(0, COOKIE_BYTES - 1))
    this.#send(bytes)
  }

  sendState(state: number): void {
    this.#send(Uint8Array.of(state))
  }

  sendJson(value: unknown): void {
    const text = utf8Encode(JSON.stringify(value))
    const length = new Uint8Array(4)
    set32(length, 0, text.length)
    this.#send(length)
    this.#send(text)
  }

  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.socket.wake = null
    this.socket.close()
  }

  #send(bytes: Uint8Array): void {
    if (this.#isClosed) return
    this.#out.push(bytes)
    this.#flush()
  }

  #flush(): void {
    while (this.#out.length > 0) {
      const first = this.#out[0]!
      const taken = this.socket.send(first)
      if (taken < 0) return
      if (taken === first.length) this.#out.shift()
      else this.#out[0] = first.subarray(taken)
    }
  }

  #pump(): void {
    this.#flush()
    while (!this.#isClosed) {
      const count = this.socket.recv(SCRATCH)
      if (count === -Errno.EAGAIN) return
      if (count <= 0) {
        this.close()
        return this.#events.closed(count === 0 ? Errno.OK : -count)
      }
      const all = new Uint8Array(this.#in.length + count)
      all.set(this.#in)
      all.set(SCRATCH.subarray(0, count), this.#in.length)
      this.#in = all
      while (!this.#isClosed && this.#next()) { /* one message after the other */ }
    }
  }

  /** False: no whole message is there. */
  #next(): boolean {
    const bytes = this.#in
    if (this.#wants === "state") {
      if (bytes.length < 1) return false
      this.#in = bytes.slice(1)
      this.#events.state(bytes[0]!)
      return true
    }
    if (this.#wants === "cookie") {
      if (bytes.length < COOKIE_BYTES) return false
      this.#in = bytes.slice(COOKIE_BYTES)
      this.#wants = "state"
      this.#events.cookie(utf8Decode(bytes, 0, COOKIE_BYTES - 1))
      return true
    }
    const length = bytes.length < 4 ? JSON_MOST : get32(bytes, 0) >>> 0
    if (bytes.length < 4 + length) return false
    this.#in = bytes.slice(4 + length)
    this.#wants = "state"
    this.#events.json(parse(utf8Decode(bytes, 4, 4 + length)))
    return true
  }
}

/** Null for what is no JSON. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}

/** A member of what the peer has sent, as a number; 0 when there is none. */
export function numberOf(value: unknown, name: string): number {
  const member = memberOf(value, name)
  return typeof member === "number" && Number.isFinite(member) ? member : 0
}

export function flagOf(value: unknown, name: string): boolean {
  const member = memberOf(value, name)
  return member === true || (typeof member === "number" && member !== 0)
}

export function memberOf(value: unknown, name: string): unknown {
  if (typeof value !== "object" || value === null) return undefined
  return (value as Readonly<Record<string, unknown>>)[name]
}
