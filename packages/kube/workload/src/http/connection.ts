/**
 * One connection of a server: requests one after the other, pipelined ones too, each answered whole before
 * the next is looked at; so a client that writes faster than it reads is held back by its own window. Nothing
 * is read ahead of what the parser or the handler of a body takes. A client that closes its half is answered
 * all the same; one that is gone is told by `onGone`.
 * Invariant: what a handler wrote leaves in its order, a `write` at a time, so that the ends of writes stay
 * where they were (they carry PSH). `run` never runs inside itself.
 */
import { CallbackTimer, type Engine, MILLISECOND, type Ns } from "@podwire/engine"
import { Errno } from "@podwire/netdev"
import { State, type TcpSocket } from "@podwire/tcp"
import type { Fields } from "./fields.ts"
import type { HttpError, Limits, Request } from "./message.ts"
import { Event } from "./parser.ts"
import { RequestParser } from "./request-parser.ts"

/** What differs between kinds of servers. */
export interface Dialect {
  readonly limits: Limits
  /** The answer to what is no request; null closes without a word. */
  refuse(error: HttpError): Uint8Array | null
  /** Its end is sent, and the rest waits a moment, so that the client reads it before a reset reaches it. */
  lingers(error: HttpError): boolean
  /** How long a first request and a next one are waited for; without it forever. */
  readonly patience?: { readonly firstNs: Ns; readonly nextNs: Ns }
}

export type Handler = (exchange: Exchange) => void

/** bufio.Reader's size in Go's server; nginx's is a page too. */
const READ_OCTETS = 4096
/** Go's rstAvoidanceDelay. */
const LINGER_NS = 500 * MILLISECOND
/** Above this a writer is asked to wait for `onDrain`. */
const QUEUE_MOST = 65_536
const NOTHING = new Uint8Array(0)
const CONTINUE = Uint8Array.from("HTTP/1.1 100 Continue\r\n\r\n", (char) => char.charCodeAt(0))

/** One request and its answer. The handler may answer at once or whenever it likes, but has to `end`. */
export class Exchange {
  readonly request: Request
  readonly connection: Connection
  /** The connection died before the answer was whole; nothing can be written any more. */
  onGone: (() => void) | null = null
  /** After `write` said false: there is room again. */
  onDrain: (() => void) | null = null
  bodyEnded = false
  ended = false
  keep = false
  onData: ((bytes: Uint8Array, at: number, end: number) => void) | null = null
  onBodyEnd: ((whole: boolean, trailers: Fields | null) => void) | null = null
  #paused = false
  #begun = false

  constructor(connection: Connection, request: Request) {
    this.connection = connection
    this.request = request
  }

  get wantsBody(): boolean {
    return this.onData !== null && !this.#paused && !this.bodyEnded
  }

  /** The client waits for a word before it sends the body (RFC 9110, 10.1.1). */
  get expectsContinue(): boolean {
    const { minor, framing, fields } = this.request
    return minor > 0 && framing !== "none" && fields.tokens("Expect").includes("100-continue")
  }

  /** False when the client waits still: its body never came. */
  get bodyBegun(): boolean {
    return this.#begun || this.bodyEnded || !this.expectsContinue
  }

  /**
   * Begins to read. `onEnd` is called at once when there is no body; not `whole`: broken, or the client left.
   * Who waits for 100 Continue gets it, unless `silently`.
   */
  readBody(
    onData: (bytes: Uint8Array, at: number, end: number) => void,
    onEnd: (whole: boolean, trailers: Fields | null) => void,
    silently = false
  ): void {
    if (this.bodyEnded) return onEnd(true, null)
    if (!silently && !this.#begun && this.expectsContinue) this.connection.write(CONTINUE)
    this.#begun = true
    this.onData = onData
    this.onBodyEnd = onEnd
    this.connection.run()
  }

  /** What is not taken stays in the socket, and closes the client's window. */
  pauseBody(): void {
    this.#paused = true
  }

  resumeBody(): void {
    this.#paused = false
    this.connection.run()
  }

  /** False: enough is waiting, `onDrain` will be called. The octets belong to the connection now. */
  write(bytes: Uint8Array): boolean {
    return this.ended || this.connection.write(bytes)
  }

  /** The answer is whole; `keep`: the connection may serve another one. */
  end(keep: boolean): void {
    if (this.ended) return
    this.ended = true
    this.keep = keep
    this.connection.run()
  }

  /** Close without more words. */
  abort(): void {
    this.connection.close()
  }
}

export class Connection {
  readonly socket: TcpSocket
  readonly engine: Engine
  readonly #handler: Handler
  readonly #dialect: Dialect
  readonly #parser: RequestParser
  readonly #onClosed: (connection: Connection) => void
  readonly #linger = new CallbackTimer(() => this.close())
  readonly #patience = new CallbackTimer(() => this.close())
  #exchange: Exchange | null = null
  /** What was read and not understood yet; at first what somebody else read. */
  #input: Uint8Array = NOTHING
  #inputAt = 0
  readonly #output: Array<Uint8Array> = []
  #outputAt = 0
  #queued = 0
  #running = false
  #again = false
  #closed = false
  #lastWords = false
  #lingers = false
  #draining = false

  constructor(
    socket: TcpSocket, engine: Engine, handler: Handler, dialect: Dialect,
    onClosed: (connection: Connection) => void, already: Uint8Array = NOTHING
  ) {
    this.socket = socket
    this.engine = engine
    this.#handler = handler
    this.#dialect = dialect
    this.#parser = new RequestParser(dialect.limits)
    this.#onClosed = onClosed
    this.#input = already
    this.#wait(dialect.patience?.firstNs)
    socket.wake = () => this.run()
  }

  #wait(limitNs: Ns | undefined): void {
    if (limitNs !== undefined) this.engine.arm(this.#patience, limitNs)
  }

  /** No request is being answered and none has begun. */
  get idle(): boolean {
    return this.#exchange === null && this.#parser.idle && this.#inputAt === this.#input.length
  }

  /** `shutdown`: closes now or after the answer that is under way. */
  drain(): void {
    this.#draining = true
    if (this.idle) this.close()
  }

  write(bytes: Uint8Array): boolean {
    if (this.#closed || bytes.length === 0) return true
    this.#output.push(bytes)
    this.#queued += bytes.length
    this.run()
    return this.#queued < QUEUE_MOST
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.socket.wake = null
    this.socket.close()
    this.engine.disarm(this.#linger)
    this.engine.disarm(this.#patience)
    this.#output.length = 0
    this.#input = NOTHING
    this.#inputAt = 0
    const exchange = this.#exchange
    this.#exchange = null
    this.#onClosed(this)
    if (exchange !== null && !exchange.ended) {
      exchange.ended = true
      exchange.onGone?.()
    }
  }

  /** Goes on as far as it can. */
  run(): void {
    this.#again = true
    if (this.#running) return
    this.#running = true
    while (this.#again && !this.#closed) {
      this.#again = false
      this.#flush()
      while (!this.#closed && this.#step()) this.#flush()
    }
    this.#running = false
  }

  /** One thing done, or false when only the peer, the handler or time can change anything. */
  #step(): boolean {
    if (this.#lastWords) return this.#leave()
    const exchange = this.#exchange
    if (exchange === null) return this.#read()
    if (exchange.wantsBody && this.#read()) return true
    if (!exchange.ended) {
      if (this.socket.state === State.CLOSED) this.close()
      return false
    }
    if (this.#output.length > 0) return false
    if (exchange.keep && exchange.bodyEnded && !this.#draining) {
      this.#exchange = null
      this.#wait(this.#dialect.patience?.nextNs)
      return true
    }
    // What is left of the body would be answered with a reset that may overtake the answer.
    this.#last(!exchange.bodyEnded && exchange.bodyBegun)
    return true
  }

  #last(lingers: boolean): void {
    this.#lastWords = true
    this.#lingers = lingers
  }

  #leave(): boolean {
    if (this.#output.length > 0 || this.#linger.armed) return false
    if (!this.#lingers) {
      this.close()
      return false
    }
    this.socket.shutdown("write")
    this.engine.arm(this.#linger, LINGER_NS)
    return false
  }

  #flush(): void {
    while (this.#output.length > 0) {
      const bytes = this.#output[0]!
      const took = this.socket.send(bytes, this.#outputAt)
      if (took === -Errno.EAGAIN) return
      if (took < 0) return this.close()
      this.#outputAt += took
      this.#queued -= took
      if (this.#outputAt < bytes.length) continue
      this.#output.shift()
      this.#outputAt = 0
    }
    const exchange = this.#exchange
    if (exchange?.onDrain != null) {
      const onDrain = exchange.onDrain
      exchange.onDrain = null
      onDrain()
    }
  }

  /** The next event of the request that comes; false when there are no octets for one. */
  #read(): boolean {
    if (this.#inputAt === this.#input.length) {
      // The end of a body needs no octet of its own.
      this.#parser.feed(NOTHING)
      if (this.#parser.event !== Event.MORE) return this.#onEvent()
      if (!this.#receive()) return false
    }
    this.#inputAt += this.#parser.feed(this.#input, this.#inputAt)
    return this.#onEvent()
  }

  #receive(): boolean {
    const room = new Uint8Array(READ_OCTETS)
    const got = this.socket.recv(room)
    if (got === -Errno.EAGAIN) return false
    if (got <= 0) {
      if (got === 0) this.#onEnd()
      else this.close()
      return false
    }
    this.#input = room.subarray(0, got)
    this.#inputAt = 0
    return true
  }

  /** The client closed its half: nothing more will come. */
  #onEnd(): void {
    const { idle } = this.#parser
    this.#parser.finish()
    if (this.#exchange !== null) this.#bodyEnds(false)
    else if (idle) this.close()
    else this.#onEvent()
  }

  #onEvent(): boolean {
    const parser = this.#parser
    switch (parser.event) {
      case Event.HEAD:
        this.#onHead(parser.head!)
        return true
      case Event.DATA:
        this.#exchange!.onData!(this.#input, parser.dataAt, parser.dataEnd)
        return true
      case Event.END:
        this.#bodyEnds(true)
        return true
      case Event.ERROR:
        if (this.#exchange === null) this.#refuse(parser.error!)
        else this.#bodyEnds(false)
        return true
      default:
        return this.#inputAt === this.#input.length
    }
  }

  #onHead(request: Request): void {
    const exchange = new Exchange(this, request)
    this.#exchange = exchange
    this.engine.disarm(this.#patience)
    if (request.framing === "none" || (request.framing === "length" && request.length === 0)) {
      this.#parser.feed(NOTHING)
      exchange.bodyEnded = true
    }
    this.#handler(exchange)
  }

  #bodyEnds(whole: boolean): void {
    const exchange = this.#exchange
    if (exchange === null) return
    exchange.bodyEnded = whole
    exchange.onData = null
    const { onBodyEnd } = exchange
    exchange.onBodyEnd = null
    onBodyEnd?.(whole, whole ? this.#parser.trailers : null)
  }

  #refuse(error: HttpError): void {
    const answer = this.#dialect.refuse(error)
    this.#last(this.#dialect.lingers(error))
    if (answer !== null) this.write(answer)
    this.#again = true
  }
}
