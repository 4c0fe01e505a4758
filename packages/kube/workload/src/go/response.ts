/**
 * What Go's `response` and `chunkWriter` make of a handler's writes (net/http/server.go): up to 2048 octets
 * are counted, more are chunked (HTTP/1.0: until close); fields of the handler in the order of their names,
 * then Date, Content-Length, Content-Type, Connection, Transfer-Encoding; a connection's writes in pieces of
 * 4096. What is left of the request's body is read first, 256 KiB at most; more closes the connection.
 */
import type { Ns } from "@podwire/engine"
import { ascii } from "@podwire/wire/bytes"
import { DATE_FIELD, httpDate } from "../clock.ts"
import type { Exchange } from "../http/connection.ts"
import { type Field, Fields, lower } from "../http/fields.ts"
import { reasonOf } from "../http/message.ts"
import { contentType } from "./sniff.ts"

/** bufferBeforeChunkingSize, the connection's bufio.Writer, maxPostHandlerReadBytes. */
const BEFORE_CHUNKING = 2048
const WRITE_OCTETS = 4096
const DISCARD_MOST = 256 << 10

export class GoResponse {
  readonly header = new Fields()
  held = false
  readonly #exchange: Exchange
  readonly #nowNs: () => Ns
  #status = 0
  #informational = ""
  readonly #writes: Array<string> = []
  #finished = false
  #wire = ""
  #chunking = false
  #closes = false

  constructor(exchange: Exchange, nowNs: () => Ns) {
    this.#exchange = exchange
    this.#nowNs = nowNs
  }

  /** What was said, or will be. */
  get code(): number {
    return this.#status === 0 ? 200 : this.#status
  }

  /**
   * `WriteHeader`: the first one counts. False: such a code makes Go's handler panic, the connection closes.
   */
  status(code: number): boolean {
    if (code < 100 || code > 999) {
      this.#finished = true
      this.#exchange.abort()
      return false
    }
    if (this.#status !== 0) return true
    if (code < 200 && code !== 101) {
      this.#informational += `${statusLine(1, code)}${lines(this.header.list)}\r\n`
    } else this.#status = code
    return true
  }

  /** Octets. */
  write(octets: string): void {
    if (this.#status === 0) this.#status = 200
    if (octets !== "" && allowsBody(this.#status)) this.#writes.push(octets)
  }

  /** `http.Error`. */
  error(text: string, code: number): void {
    this.header.set("Content-Type", "text/plain; charset=utf-8")
    this.header.set("X-Content-Type-Options", "nosniff")
    this.status(code)
    this.write(`${text}\n`)
  }

  /** The handler answers later, and calls `finish` itself. */
  hold(): void {
    this.held = true
  }

  finish(): void {
    if (this.#finished) return
    this.#finished = true
    const exchange = this.#exchange
    if (exchange.ended) return
    if (this.#status === 0) this.#status = 200
    if (exchange.bodyEnded || this.#closesAnyway()) return this.#send(false)
    // Without 100 Continue the client's body may come or not.
    if (!exchange.bodyBegun) {
      this.#closes = true
      return this.#send(false)
    }
    let octets = 0
    let sent = false
    const send = (tooLarge: boolean) => {
      if (sent) return
      sent = true
      exchange.pauseBody()
      this.#send(tooLarge)
    }
    exchange.readBody((_, at, end) => {
      octets += end - at
      if (octets > DISCARD_MOST) send(true)
    }, (whole) => {
      if (!whole) this.#closes = true
      send(false)
    })
  }

  #closesAnyway(): boolean {
    const { request } = this.#exchange
    return (request.minor > 0 && request.fields.tokens("Connection").includes("close")) ||
      lower(this.header.get("Connection") ?? "") === "close"
  }

  #send(tooLarge: boolean): void {
    const exchange = this.#exchange
    this.#wire = this.#informational
    const pieces = buffered(this.#writes, BEFORE_CHUNKING)
    const isHead = exchange.request.method === "HEAD"
    // The buffer never overflowed: the handler was done before anything left, so its length is known.
    const whole = pieces.length <= 1 && (pieces[0] ?? "").length <= BEFORE_CHUNKING
    this.#head(pieces[0] ?? "", whole, tooLarge)
    if (!isHead) {
      for (const piece of pieces) {
        this.#wire += this.#chunking ? `${piece.length.toString(16)}\r\n${piece}\r\n` : piece
      }
      if (this.#chunking) this.#wire += "0\r\n\r\n"
    }
    for (const piece of buffered([this.#wire], WRITE_OCTETS)) exchange.write(ascii(piece))
    this.#wire = ""
    exchange.end(!this.#closes)
  }

  #head(body: string, whole: boolean, tooLarge: boolean): void {
    const { request } = this.#exchange
    const { minor } = request
    const code = this.#status
    const header = this.header
    const isHead = request.method === "HEAD"
    const extra: Array<Field> = [{ name: DATE_FIELD, value: httpDate(this.#nowNs()) }]
    const add = (name: string, value: string) => extra.push({ name, value })
    const counted = whole && allowsBody(code) && !header.has("Content-Length") && (!isHead || body !== "")
    const hasLength = counted || header.has("Content-Length")
    let connection = ""
    const keep10 = minor === 0 && request.fields.tokens("Connection").includes("keep-alive")
    if (keep10 && (isHead || hasLength || !allowsBody(code))) {
      if (!header.has("Connection")) connection = "keep-alive"
    } else if (minor === 0 || request.fields.tokens("Connection").includes("close")) this.#closes = true
    if (lower(header.get("Connection") ?? "") === "close") this.#closes = true
    if (tooLarge) this.#closes = true
    if (counted) add("Content-Length", String(body.length))
    if (!allowsBody(code)) {
      header.remove("Content-Length")
      if (code === 304) header.remove("Content-Type")
    } else if (!header.has("Content-Type") && body !== "") add("Content-Type", contentType(body))
    if (!isHead && allowsBody(code) && !hasLength) {
      if (minor > 0) this.#chunking = true
      else this.#closes = true
    }
    if (this.#closes && !header.tokens("Connection").includes("close")) {
      header.remove("Connection")
      connection = minor > 0 ? "close" : ""
    }
    if (connection !== "") add("Connection", connection)
    if (this.#chunking) add("Transfer-Encoding", "chunked")
    const own = [...header.list].sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0))
    this.#wire += `${statusLine(minor, code)}${lines(own)}${lines(extra)}\r\n`
  }
}

function allowsBody(code: number): boolean {
  return code >= 200 && code !== 204 && code !== 304
}

/** Go knows no other reason for a code without text. */
function statusLine(minor: number, code: number): string {
  return `HTTP/1.${minor > 0 ? 1 : 0} ${code} ${reasonOf(code) || `status code ${code}`}\r\n`
}

function lines(fields: ReadonlyArray<Field>): string {
  return fields.map(({ name, value }) => `${name}: ${value}\r\n`).join("")
}

/**
 * What leaves a bufio.Writer of `size`, write by write: a full buffer, or what is larger than an empty one.
 */
function buffered(writes: ReadonlyArray<string>, size: number): Array<string> {
  const out: Array<string> = []
  let held = ""
  for (const write of writes) {
    let rest = write
    while (rest.length > size - held.length) {
      if (held === "") {
        out.push(rest)
        rest = ""
      } else {
        const room = size - held.length
        out.push(held + rest.slice(0, room))
        rest = rest.slice(room)
        held = ""
      }
    }
    held += rest
  }
  if (held !== "") out.push(held)
  return out
}
