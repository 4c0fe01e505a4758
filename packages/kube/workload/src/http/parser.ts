/**
 * HTTP/1.x messages from octets that come in any cuts (RFC 9112). `feed` goes on to the next event, says how
 * many octets it consumed and stops; who is not ready for more does not feed, and so pushes back:
 *
 *   for (;;) {
 *     at += parser.feed(bytes, at, end)
 *     if (parser.event === Event.MORE) break
 *     …
 *   }
 *
 * Invariants: the cuts change nothing but where DATA is cut; no octets make it throw; after ERROR, and in a
 * tunnel, nothing is consumed any more. A line ends with CRLF or a lone LF (RFC 9112, 2.2), around chunks
 * with CRLF only; a CR elsewhere, NUL, obs-fold and white space around a field's name are refused. Lines are
 * bounded by `Limits`, chunk lines and extensions by CHUNK_LINE and CHUNK_EXTRA.
 * Not supported: HTTP/0.9, HTTP/2; chunk extensions are checked and dropped, as RFC 9112, 7.1.1 allows.
 */
import { latin1 } from "@podwire/wire/bytes"
import { Fields, isFieldValue, isToken, trim } from "./fields.ts"
import { CUT_SHORT, type Framing, type HttpError, type Limits, LIMITS } from "./message.ts"

export const Event = {
  /** All is consumed, or nothing can be: ask again with more octets. */
  MORE: 0,
  /** `head` is there. */
  HEAD: 1,
  /** Octets of the body: those from `dataAt` to `dataEnd` of what was fed. */
  DATA: 2,
  /** The message is complete; `trailers` are there. */
  END: 3,
  /** `error` says why. */
  ERROR: 4
} as const
export type Event = (typeof Event)[keyof typeof Event]

type State = "start" | "fields" | "length" | "size" | "chunk" | "chunk-end" | "trailers" | "close" | "done" |
  "tunnel" | "failed"

/** The head of a message of either kind; what the parser itself needs of it. */
interface Head {
  readonly framing: Framing
  readonly length: number
}

const CR = 0x0d
const LF = 0x0a
/** Octets of one line that begins a chunk; of all such lines beyond their sizes in one body. */
const CHUNK_LINE = 4096
const CHUNK_EXTRA = 16_384
const LINE_AT_START = 256
const NO_FIELDS = new Fields()

export abstract class MessageParser<H extends Head> {
  event: Event = Event.MORE
  head: H | null = null
  dataAt = 0
  dataEnd = 0
  /** Of the message that ended last; never merged with its head's fields (RFC 9110, 6.5.1). */
  trailers: Fields = NO_FIELDS
  error: HttpError | null = null

  protected readonly limits: Limits
  #state: State = "start"
  #line = new Uint8Array(LINE_AT_START)
  #lineLength = 0
  #startLine = ""
  #fields = new Fields()
  #fieldOctets = 0
  /** Octets of the body or the chunk still to come. */
  #left = 0
  #chunkExtra = 0
  #skippedEmptyLine = false

  constructor(limits: Limits = LIMITS) {
    this.limits = limits
  }

  /** The next event from `bytes`; the octets consumed, which may be none (END of a message without body). */
  feed(bytes: Uint8Array, at = 0, end = bytes.length): number {
    let now = at
    this.event = Event.MORE
    while (this.event === Event.MORE) {
      switch (this.#state) {
        case "start":
        case "fields":
        case "size":
        case "chunk-end":
        case "trailers":
          if (now === end) return now - at
          if (this.#octet(bytes[now++]!)) this.#onLine()
          break
        case "length":
        case "chunk":
          if (now === end && this.#left > 0) return now - at
          now = this.#onCounted(now, end)
          break
        case "close":
          if (now === end) return now - at
          now = this.#data(now, end)
          break
        case "done":
          this.#end()
          break
        default:
          if (this.#state === "failed") this.event = Event.ERROR
          return now - at
      }
    }
    return now - at
  }

  /** The stream has ended: END for a body that ends so, ERROR inside a message, MORE between two. */
  finish(): void {
    this.event = Event.MORE
    if (this.#state === "length" && this.#left === 0) this.#state = "done"
    if (this.#state === "close" || this.#state === "done") this.#end()
    else if (this.#state === "failed") this.event = Event.ERROR
    else if (this.#state !== "tunnel" && !this.idle) this.fail(this.cutStatus, CUT_SHORT)
  }

  /** Between two messages: nothing of the next one has come. */
  get idle(): boolean {
    return this.#state === "start" && this.#lineLength === 0
  }

  /** How many octets of the body or of this chunk are still to come; 0 where nobody knows. */
  get left(): number {
    return this.#left
  }

  protected abstract readonly cutStatus: number
  /** One empty line before the start line is ignored. */
  protected abstract readonly skipsEmptyLine: boolean
  protected abstract readonly longStartStatus: number
  /** The head, or null after `fail`. */
  protected abstract parseHead(startLine: string, fields: Fields): H | null
  /** The start line alone, as early as it is known: false after `fail`. */
  protected abstract checkStart(startLine: string): boolean

  protected fail(status: number, what: string): void {
    this.error = { status, what }
    this.#state = "failed"
    this.event = Event.ERROR
  }

  /** True when a line is complete. Its length is held against the limit as it grows. */
  #octet(octet: number): boolean {
    if (this.#state === "chunk-end" && octet !== (this.#lineLength === 0 ? CR : LF)) {
      this.fail(400, "no line end after a chunk")
      return false
    }
    if (octet === LF) return true
    if (this.#lineLength >= this.#lineMost()) {
      // A CR may still be the first half of the line's end.
      if (octet !== CR || this.#lineLength > this.#lineMost()) {
        this.#tooLong()
        return false
      }
    }
    if (this.#lineLength === this.#line.length) {
      const longer = new Uint8Array(this.#line.length * 2)
      longer.set(this.#line)
      this.#line = longer
    }
    this.#line[this.#lineLength++] = octet
    return false
  }

  #lineMost(): number {
    if (this.#state === "start") return this.limits.startLine
    return this.#state === "size" ? CHUNK_LINE : this.limits.fieldLine
  }

  #tooLong(): void {
    if (this.#state === "start") this.fail(this.longStartStatus, "start line too long")
    else if (this.#state === "size") this.fail(400, "chunk line too long")
    else this.fail(431, "field line too long")
  }

  #onLine(): void {
    const cr = this.#lineLength > 0 && this.#line[this.#lineLength - 1] === CR
    const line = latin1(this.#line, 0, cr ? this.#lineLength - 1 : this.#lineLength)
    const octets = this.#lineLength + 1
    this.#lineLength = 0
    switch (this.#state) {
      case "start":
        return this.#onStartLine(line)
      case "size":
        return cr ? this.#onSize(line) : this.fail(400, "chunk line without CR")
      case "chunk-end":
        this.#state = "size"
        return
      default:
        return this.#onField(line, octets)
    }
  }

  #onStartLine(line: string): void {
    if (line === "" && this.skipsEmptyLine && !this.#skippedEmptyLine) {
      this.#skippedEmptyLine = true
      return
    }
    if (!this.checkStart(line)) return
    this.#startLine = line
    this.#fields = new Fields()
    this.#fieldOctets = 0
    this.#state = "fields"
  }

  #onField(line: string, octets: number): void {
    if (line === "") {
      if (this.#state === "trailers") this.#state = "done"
      else this.#onHead()
      return
    }
    this.#fieldOctets += octets
    if (this.#fieldOctets > this.limits.fields) return this.fail(431, "fields too long")
    if (this.#fields.list.length >= this.limits.fieldCount) return this.fail(431, "too many fields")
    if (line.startsWith(" ") || line.startsWith("\t")) return this.fail(400, "folded field line")
    const colon = line.indexOf(":")
    const name = line.slice(0, colon)
    if (colon < 0 || !isToken(name)) return this.fail(400, "malformed field line")
    const value = trim(line.slice(colon + 1))
    if (!isFieldValue(value)) return this.fail(400, "invalid header value")
    this.#fields.add(name, value)
  }

  #onHead(): void {
    const head = this.parseHead(this.#startLine, this.#fields)
    if (head === null) return
    this.head = head
    this.event = Event.HEAD
    this.#left = head.length
    this.#chunkExtra = 0
    this.trailers = NO_FIELDS
    switch (head.framing) {
      case "chunked":
        this.#state = "size"
        return
      case "none":
        this.#state = "done"
        return
      default:
        this.#state = head.framing
    }
  }

  /** RFC 9112, 7.1: hexadecimal digits, then extensions; nothing else, not even a space. */
  #onSize(line: string): void {
    const [, digits, rest] = /^([0-9A-Fa-f]+)(.*)$/.exec(line) ?? []
    if (digits === undefined || digits.length > 16) return this.fail(400, "bad chunk size")
    if (!isExtension(rest!)) return this.fail(400, "bad chunk extension")
    this.#chunkExtra += rest!.length
    if (this.#chunkExtra > CHUNK_EXTRA) return this.fail(400, "chunk extensions too long")
    this.#left = parseInt(digits, 16)
    if (!Number.isSafeInteger(this.#left)) return this.fail(400, "bad chunk size")
    if (this.#left > 0) {
      this.#state = "chunk"
      return
    }
    this.#fields = new Fields()
    this.#fieldOctets = 0
    this.#state = "trailers"
  }

  /** A body or a chunk of which `#left` octets are to come. */
  #onCounted(at: number, end: number): number {
    if (this.#left === 0) {
      this.#state = this.#state === "chunk" ? "chunk-end" : "done"
      return at
    }
    const to = at + this.#left < end ? at + this.#left : end
    this.#left -= to - at
    return this.#data(at, to)
  }

  #data(at: number, end: number): number {
    this.dataAt = at
    this.dataEnd = end
    this.event = Event.DATA
    return end
  }

  #end(): void {
    if (this.head?.framing === "chunked") this.trailers = this.#fields
    this.#state = "start"
    this.#skippedEmptyLine = false
    this.event = Event.END
  }
}

const TOKEN = "[!#$%&'*+\\-.^_`|~0-9A-Za-z]+"
const QUOTED = "\"(?:[\\t \\x21\\x23-\\x5b\\x5d-\\x7e\\x80-\\xff]|\\\\[\\t\\x20-\\x7e\\x80-\\xff])*\""
const EXTENSION = new RegExp(`^(?:[ \\t]*;[ \\t]*${TOKEN}(?:[ \\t]*=[ \\t]*(?:${TOKEN}|${QUOTED}))?)*$`)

/** RFC 9112, 7.1.1: `*( BWS ";" BWS token [ BWS "=" BWS ( token / quoted-string ) ] )`. */
function isExtension(text: string): boolean {
  return EXTENSION.test(text)
}
