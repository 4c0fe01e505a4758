/**
 * A response as curl reads it (lib/http.c, lib/http_chunks.c of 8.14), which is more lenient than RFC 9112
 * and tells of every line: so it is not the parser of `../http/`. Lines end with LF; the status line is
 * anything that begins as `HTTP/1.` does; of several lengths the last one holds; a lone body ends with the
 * connection.
 * Not supported: folded lines (each is a line of its own), transfer codings other than chunked.
 */
import { latin1 } from "@podwire/wire/bytes"
import { Code } from "./words.ts"

/** What the reader tells while it is fed; -1 is an unknown size. */
export interface Listener {
  note(text: string): void
  /** A field, before it is told as a line. */
  field(name: string, value: string, response: Response): void
  /** One line of a head with its end, as it came; `isLast` is the empty one. */
  line(text: string, isLast: boolean): void
  /** The status line was understood: before it is told as a line. */
  status(response: Response): void
  /** Before the head's last line is told; a fault ends the transfer after it. */
  headEnds(response: Response): Fault | null
  /** `raw` octets stand behind the head or came now: before they are understood. */
  raw(count: number): void
  body(bytes: Uint8Array, at: number, end: number): Fault | null
}

export class Fault {
  readonly code: Code
  readonly text: string
  /** It stands in -v already. */
  readonly isTold: boolean

  constructor(code: Code, text: string, isTold = false) {
    this.code = code
    this.text = text
    this.isTold = isTold
  }
}

const NOT_ALLOWED = new Fault(Code.UNSUPPORTED_PROTOCOL, "Received HTTP/0.9 when not allowed")

export interface ReaderOptions {
  /** No body is read: HEAD, -I. */
  readonly noBody: boolean
  /** `-X HEAD` is no HEAD to curl; the method as it was sent decides nothing here. */
  readonly http09: boolean
  readonly ignoreLength: boolean
  readonly raw: boolean
  readonly sizeMost: number
}

type Chunk = "size" | "data" | "data-end" | "trailer"

const LF = 0x0a
const CR = 0x0d
const LINE_MOST = 102_400
const ILLEGAL_HEX = "Illegal or missing hexadecimal sequence in chunked-encoding"
const LONG_HEX = "Too long hexadecimal number in chunked-encoding"

export class Response {
  status = 0
  minor = 1
  /** Lines of the last head, names as they came. */
  readonly fields: Array<readonly [name: string, value: string]> = []
  size = -1
  chunked = false
  /** The connection ends with this response. */
  closes = false
  /** What is read is not told as body: before another request. */
  ignoresBody = false
  headBytes = 0
  bodyBytes = 0
  /** A head has ended that is no 1xx. */
  hasHead = false
  isDone = false

  readonly #options: ReaderOptions
  readonly #listener: Listener
  #line: Array<number> = []
  #isFirstLine = true
  #isHttp09 = false
  #chunk: Chunk = "size"
  #chunkLeft = 0
  #chunkLine = ""
  #trailerLength = 0

  constructor(options: ReaderOptions, listener: Listener) {
    this.#options = options
    this.#listener = listener
  }

  field(name: string): string | null {
    return this.fields.findLast(([other]) => other.toLowerCase() === name)?.[1] ?? null
  }

  /** Octets of one read. The fault, if there is one. */
  feed(bytes: Uint8Array, end: number): Fault | null {
    let at = 0
    while (at < end && !this.hasHead && !this.#isHttp09) {
      const octet = bytes[at++]!
      this.#line.push(octet)
      if (this.#isFirstLine && !looksLikeHttp(this.#line)) {
        if (!this.#options.http09) return NOT_ALLOWED
        return this.#http09(bytes, at, end)
      }
      if (octet !== LF) {
        if (this.#line.length > LINE_MOST) return new Fault(Code.RECV_ERROR, "Too large response headers")
        continue
      }
      const fault = this.#onLine()
      if (fault !== null) return fault
    }
    if (at === end) return null
    if (this.isDone) {
      // More than the response has: nothing that could come after it would be believed.
      if (!this.ignoresBody) this.#listener.raw(end - at)
      this.closes = true
      return null
    }
    if (!this.ignoresBody) this.#listener.raw(end - at)
    return this.#body(bytes, at, end)
  }

  /** The peer has ended the stream: a fault, or the response is complete. */
  finish(): Fault | null {
    if (this.isDone) return null
    if (this.headBytes === 0 && !this.#isHttp09) return new Fault(Code.GOT_NOTHING, "Empty reply from server")
    if (this.chunked && this.hasHead) {
      return new Fault(Code.PARTIAL_FILE, "transfer closed with outstanding read data remaining")
    }
    if (this.size >= 0 && this.bodyBytes < this.size) {
      return new Fault(Code.PARTIAL_FILE, `end of response with ${this.size - this.bodyBytes} bytes missing`)
    }
    this.isDone = true
    this.closes = true
    return null
  }

  #http09(bytes: Uint8Array, at: number, end: number): Fault | null {
    this.#isHttp09 = true
    this.closes = true
    const held = Uint8Array.from(this.#line)
    this.#listener.raw(held.length + end - at)
    this.bodyBytes += held.length
    return this.#listener.body(held, 0, held.length) ?? this.#body(bytes, at, end)
  }

  #onLine(): Fault | null {
    const text = latin1(Uint8Array.from(this.#line), 0, this.#line.length)
    this.headBytes += this.#line.length
    this.#line = []
    const bare = text.replace(/\r?\n$/, "")
    if (this.#isFirstLine) {
      this.#isFirstLine = false
      const fault = this.#statusLine(bare)
      if (fault !== null) return fault
      this.#listener.status(this)
    } else if (bare !== "") {
      const fault = this.#field(bare)
      if (fault !== null) return fault
    } else return this.#headEnds(text)
    this.#listener.line(text, false)
    return null
  }

  #statusLine(line: string): Fault | null {
    const [, minor, status] = /^HTTP\/1\.([01]) +(\d{3})/.exec(line) ?? []
    if (minor === undefined) {
      return /^HTTP\/\d/.test(line)
        ? new Fault(Code.UNSUPPORTED_PROTOCOL, "Unsupported HTTP version in response")
        : new Fault(Code.WEIRD_SERVER_REPLY, "Weird server reply")
    }
    this.minor = Number(minor)
    this.status = Number(status)
    this.fields.length = 0
    this.size = -1
    this.chunked = false
    this.closes = this.minor === 0
    if (this.minor === 0) this.#listener.note("HTTP 1.0, assume close after body")
    return null
  }

  #field(line: string): Fault | null {
    const colon = line.indexOf(":")
    if (colon < 0) return null
    const name = line.slice(0, colon)
    const value = line.slice(colon + 1).trim()
    this.fields.push([name, value])
    this.#listener.field(name, value, this)
    switch (name.toLowerCase()) {
      case "content-length":
        if (this.#bodyless || this.#options.ignoreLength) return null
        if (!/^\d+/.test(value)) return new Fault(Code.WEIRD_SERVER_REPLY, "Invalid Content-Length: value")
        this.size = parseInt(value, 10)
        return null
      case "transfer-encoding":
        if (!this.#bodyless && !this.#options.noBody && /\bchunked\s*$/i.test(value)) this.chunked = true
        return null
      case "connection":
        if (/\bclose\b/i.test(value)) this.closes = true
        else if (this.minor === 0 && /\bkeep-alive\b/i.test(value)) {
          this.closes = false
          this.#listener.note("HTTP/1.0 connection set to keep alive")
        }
    }
    return null
  }

  /** A status that has no body whatever its fields say. */
  get #bodyless(): boolean {
    return this.status < 200 || this.status === 204 || this.status === 304
  }

  #headEnds(text: string): Fault | null {
    if (this.status < 200) {
      this.#listener.line(text, true)
      this.#isFirstLine = true
      this.#listener.headEnds(this)
      return null
    }
    this.hasHead = true
    if (this.size < 0 && !this.chunked && !this.closes && !this.#bodyless && !this.#options.noBody) {
      this.#listener.note("no chunk, no close, no size. Assume close to signal end")
      this.closes = true
    }
    let fault = this.#listener.headEnds(this)
    if (this.chunked) this.size = -1
    else if (this.size >= 0 && fault === null) {
      if (this.#options.sizeMost > 0 && this.size > this.#options.sizeMost) {
        fault = this.#told(Code.FILESIZE_EXCEEDED, "Maximum file size exceeded")
      } else if (this.ignoresBody) this.#listener.note("setting size while ignoring")
    }
    if (this.#options.noBody || this.#bodyless || (this.size === 0 && !this.chunked)) this.isDone = true
    this.#listener.line(text, true)
    return fault
  }

  #body(bytes: Uint8Array, from: number, end: number): Fault | null {
    if (this.chunked) return this.#chunks(bytes, from, end)
    const left = this.size < 0 ? Infinity : this.size - this.bodyBytes
    const count = Math.min(left, end - from)
    const fault = this.#give(bytes, from, from + count)
    if (fault !== null) return fault
    if (count === left) this.isDone = true
    const excess = end - from - count
    if (excess > 0) {
      this.closes = true
      if (!this.ignoresBody) {
        const { size, bodyBytes } = this
        this.#listener.note("Excess found writing body: " +
          `excess = ${excess}, size = ${size}, maxdownload = ${size}, bytecount = ${bodyBytes}`)
      }
    }
    return null
  }

  #give(bytes: Uint8Array, from: number, end: number): Fault | null {
    const { sizeMost } = this.#options
    const most = sizeMost > 0 ? Math.min(end, from + sizeMost - this.bodyBytes) : end
    this.bodyBytes += most - from
    const fault = this.ignoresBody || most === from ? null : this.#listener.body(bytes, from, most)
    if (fault !== null || most === end) return fault
    return new Fault(Code.FILESIZE_EXCEEDED,
      `Exceeded the maximum allowed file size (${sizeMost}) with ${this.bodyBytes} bytes`)
  }

  #chunks(bytes: Uint8Array, from: number, end: number): Fault | null {
    let at = from
    while (at < end && !this.isDone) {
      if (this.#chunk === "data") {
        const count = Math.min(this.#chunkLeft, end - at)
        const fault = this.#options.raw ? null : this.#give(bytes, at, at + count)
        if (fault !== null) {
          this.#told(fault.code, fault.text)
          return this.#told(fault.code, "Failed reading the chunked-encoded stream", fault.text)
        }
        at += count
        this.#chunkLeft -= count
        if (this.#chunkLeft === 0) this.#chunk = "data-end"
        continue
      }
      const fault = this.#chunkOctet(bytes[at++]!)
      if (fault !== null) return fault
    }
    // With --raw the coding is read for its end only.
    if (this.#options.raw) {
      const fault = this.#give(bytes, from, at)
      if (fault !== null) return fault
    }
    if (at < end) {
      this.#listener.note(`Leftovers after chunking: ${end - at} bytes`)
      this.closes = true
    }
    return null
  }

  #chunkOctet(octet: number): Fault | null {
    if (this.#chunk === "size") return this.#chunkSize(octet)
    if (this.#chunk === "data-end") {
      if (octet === LF) this.#chunk = "size"
      else if (octet !== CR) return new Fault(Code.RECV_ERROR, "Malformed encoding found in chunked-encoding")
      return null
    }
    if (octet === LF) {
      if (this.#trailerLength === 0) this.isDone = true
      this.#trailerLength = 0
    } else if (octet !== CR) this.#trailerLength++
    return null
  }

  #chunkSize(octet: number): Fault | null {
    const char = String.fromCharCode(octet)
    if (octet !== LF) {
      if (this.#chunkLine === "" && !/[0-9a-fA-F]/.test(char)) {
        const text = `chunk hex-length char not a hex digit: 0x${octet.toString(16)}`
        this.#told(Code.RECV_ERROR, text)
        return this.#told(Code.RECV_ERROR, ILLEGAL_HEX, text)
      }
      this.#chunkLine += char
      return null
    }
    const [digits] = /^[0-9a-fA-F]+/.exec(this.#chunkLine) ?? []
    this.#chunkLine = ""
    if (digits === undefined) return new Fault(Code.RECV_ERROR, ILLEGAL_HEX)
    if (digits.length > 16) return new Fault(Code.RECV_ERROR, LONG_HEX)
    this.#chunkLeft = parseInt(digits, 16)
    this.#chunk = this.#chunkLeft === 0 ? "trailer" : "data"
    return null
  }

  /**
   * A fault whose note stands before what follows here; `text` is the message where an earlier one counts.
   */
  #told(code: Code, note: string, text = note): Fault {
    this.#listener.note(note)
    return new Fault(code, text, true)
  }
}

const HTTP = "HTTP/"

function looksLikeHttp(line: ReadonlyArray<number>): boolean {
  if (line.length > HTTP.length) return true
  return HTTP[line.length - 1]!.charCodeAt(0) === line[line.length - 1]
}
