/**
 * One request and its response on a connection that is open: what is sent when, the wait for "100 Continue",
 * reading until the response is complete or cannot be any more. It knows nothing of redirects and other
 * transfers.
 */
import { CallbackTimer, type Engine, type Ns } from "@podwire/engine"
import { Errno, strerror } from "@podwire/netdev"
import { latin1 } from "@podwire/wire/bytes"
import type { Connection } from "./pool.ts"
import type { Request } from "./request.ts"
import { Fault, type Listener, type ReaderOptions, Response } from "./response.ts"
import type { Trace } from "./trace.ts"
import { Code } from "./words.ts"

/** What curl hands to the socket at once, and reads from it. */
const SEND_BYTES = 65_536
const READ_BYTES = 102_400

/** Read into and understood within one call: every exchange may use the same. */
const SCRATCH = new Uint8Array(READ_BYTES)

export interface ExchangeEvents {
  /**
   * A line of a head, `body` octets, and the head's end: which may say that there is an error or a next
   * request.
   */
  field(name: string, value: string, response: Response): void
  line(text: string, isLast: boolean): void
  headEnds(response: Response): Fault | null
  body(bytes: Uint8Array, at: number, end: number): Fault | null
  status(response: Response): void
  /** All octets of the request are handed over. */
  sent(): void
  /** The first octet of the response is there. */
  started(): void
  /** Done; `died` is a used connection that ended without a word. */
  ended(fault: Fault | null, died: boolean): void
}

export class Exchange implements Listener {
  readonly #engine: Engine
  readonly #connection: Connection
  readonly #request: Request
  readonly #trace: Trace
  readonly #events: ExchangeEvents
  readonly #expect: CallbackTimer
  readonly response: Response
  /** Octets of the head and of the body that the socket has taken. */
  headSent = 0
  bodySent = 0
  /** The body waits for "100 Continue". */
  #waits = false
  #isAborted = false
  #isSent = false
  #hasStarted = false
  #isOver = false
  #firstBodyTold = false

  constructor(
    engine: Engine, connection: Connection, request: Request, options: ReaderOptions, trace: Trace,
    events: ExchangeEvents
  ) {
    this.#engine = engine
    this.#connection = connection
    this.#request = request
    this.#trace = trace
    this.#events = events
    this.response = new Response(options, this)
    this.#waits = request.expects
    this.#expect = new CallbackTimer(() => {
      this.#trace.note("Done waiting for 100-continue")
      this.#sendBody()
    })
  }

  start(expectTimeoutNs: Ns): void {
    this.#connection.socket!.wake = () => this.#pump()
    const { head, body } = this.#request
    this.#trace.headOut(latin1(head, 0, head.length))
    // The head and the first of the body leave in one piece when nothing is waited for.
    if (body.length > 0 && !this.#waits) this.#sendTogether()
    if (!this.#isOver) this.#send()
    if (this.#isOver) return
    if (this.#waits) this.#engine.arm(this.#expect, expectTimeoutNs)
    this.#pump()
  }

  /** No event follows. */
  cancel(): void {
    this.#isOver = true
    this.#engine.disarm(this.#expect)
    const { socket } = this.#connection
    if (socket !== null) socket.wake = null
  }

  get isSent(): boolean {
    return this.#isSent
  }

  get isWaiting(): boolean {
    return this.#waits
  }

  /** The rest of the body will not be sent. */
  abortSending(): void {
    if (this.#isSent || this.#isAborted) return
    this.#isAborted = true
    this.#waits = false
    this.#engine.disarm(this.#expect)
    const after = this.bodySent > 0 ? ` after having sent ${this.bodySent} bytes` : ""
    this.#trace.note(`abort upload${after}`)
  }

  note(text: string): void {
    this.#trace.note(text)
  }

  field(name: string, value: string, response: Response): void {
    this.#events.field(name, value, response)
  }

  line(text: string, isLast: boolean): void {
    this.#trace.lineIn(text)
    this.#events.line(text, isLast)
  }

  status(response: Response): void {
    this.#events.status(response)
  }

  headEnds(response: Response): Fault | null {
    if (response.status < 200) {
      if (response.status === 100 && this.#waits) this.#sendBody()
      return null
    }
    return this.#events.headEnds(response)
  }

  raw(count: number): void {
    this.#trace.dataIn(count)
  }

  body(bytes: Uint8Array, at: number, end: number): Fault | null {
    return this.#events.body(bytes, at, end)
  }

  #sendTogether(): void {
    const { head, body } = this.#request
    const count = Math.min(body.length, Math.max(0, SEND_BYTES - head.length))
    const piece = new Uint8Array(head.length + count)
    piece.set(head)
    piece.set(body.subarray(0, count), head.length)
    const taken = this.#give(piece, 0, piece.length)
    this.headSent = Math.min(taken, head.length)
    this.#tookBody(taken - this.headSent)
  }

  #sendBody(): void {
    if (!this.#waits) return
    this.#waits = false
    this.#engine.disarm(this.#expect)
    this.#send()
  }

  #send(): void {
    const { head, body } = this.#request
    while (this.headSent < head.length) {
      const taken = this.#give(head, this.headSent, head.length)
      if (taken === 0) return
      this.headSent += taken
    }
    if (this.#waits || this.#isAborted) return
    while (this.bodySent < body.length) {
      const taken = this.#give(body, this.bodySent, Math.min(body.length, this.bodySent + SEND_BYTES))
      if (taken === 0) return
      this.#tookBody(taken)
    }
    if (this.#isSent || this.#isOver) return
    this.#isSent = true
    this.#trace.note(
      body.length > 0 ? `upload completely sent off: ${body.length} bytes` : "Request completely sent off"
    )
    this.#events.sent()
  }

  #tookBody(count: number): void {
    if (count <= 0) return
    if (!this.#firstBodyTold) this.#trace.dataOut(count)
    this.#firstBodyTold = true
    this.bodySent += count
  }

  /** How many octets the socket took: 0 is "later", or that all is over. */
  #give(bytes: Uint8Array, from: number, end: number): number {
    if (this.#isOver) return 0
    const taken = this.#connection.socket!.send(bytes, from, end)
    if (taken >= 0) return taken
    if (taken !== -Errno.EAGAIN) this.#failed(Code.SEND_ERROR, `Send failure: ${strerror(-taken)}`)
    return 0
  }

  #pump(): void {
    if (this.#isOver) return
    this.#send()
    while (!this.#isOver) {
      const count = this.#connection.socket!.recv(SCRATCH)
      if (count === -Errno.EAGAIN) return
      if (count < 0) return this.#failed(Code.RECV_ERROR, `Recv failure: ${strerror(-count)}`)
      if (count === 0) return this.#onEnd()
      if (!this.#hasStarted) {
        this.#hasStarted = true
        this.#events.started()
      }
      const fault = this.response.feed(SCRATCH, count)
      if (fault !== null) return this.#end(fault)
      if (this.response.isDone) {
        // The answer is complete before the question: nothing can follow on this connection.
        if (!this.#isSent && !this.#isAborted) this.response.closes = true
        return this.#end(null)
      }
    }
  }

  #onEnd(): void {
    if (this.#isUnheard) return this.#end(null, true)
    this.#end(this.response.finish())
  }

  #failed(code: Code, text: string): void {
    if (this.#isUnheard) return this.#end(null, true)
    this.#end(new Fault(code, text))
  }

  get #isUnheard(): boolean {
    return this.#connection.reused && this.response.headBytes + this.response.bodyBytes === 0
  }

  #end(fault: Fault | null, died = false): void {
    if (this.#isOver) return
    this.cancel()
    this.#events.ended(fault, died)
  }
}
