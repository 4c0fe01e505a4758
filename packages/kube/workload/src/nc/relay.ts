/**
 * nc between its standard input and output and one channel (readwrite of netcat.c): both ways at once, until
 * both have ended; a listener's until the peer has. What the buffer holds when the peer ends is still sent.
 */
import { CallbackTimer, type Engine, SECOND } from "@podwire/engine"
import { Errno } from "@podwire/netdev"
import { TextStream } from "../text-stream.ts"
import type { Channel } from "./channel.ts"
import type { NcOptions } from "./options.ts"

/** BUFSIZE. */
const BUFFER_BYTES = 16_384
const SCRATCH = new Uint8Array(65_536)

/** The standard input with how far it has been read: several relays may follow each other on it. */
export interface Input {
  readonly bytes: Uint8Array
  at: number
}

export class Relay {
  readonly #engine: Engine
  readonly #channel: Channel
  readonly #options: NcOptions
  readonly #input: Input
  readonly #write: (text: string) => void
  readonly #ended: () => void
  readonly #idle: CallbackTimer
  readonly #quit: CallbackTimer
  readonly #text = new TextStream()
  /** The end of what has been read of the input. */
  #bufferEnd: number
  #netIn = true
  #netOut = true
  #received = 0
  #isOver = false

  constructor(
    engine: Engine, channel: Channel, options: NcOptions, input: Input, write: (text: string) => void,
    ended: () => void
  ) {
    this.#engine = engine
    this.#channel = channel
    this.#options = options
    this.#input = input
    this.#write = write
    this.#ended = ended
    this.#bufferEnd = input.at
    this.#idle = new CallbackTimer(() => this.#end())
    this.#quit = new CallbackTimer(() => this.#end())
  }

  start(): void {
    this.#channel.wake = () => this.#pump()
    this.#pump()
  }

  cancel(): void {
    this.#isOver = true
    this.#engine.disarm(this.#idle)
    this.#engine.disarm(this.#quit)
    this.#channel.close()
  }

  #pump(): void {
    if (this.#isOver || this.#quit.armed) return
    if (this.#options.timeoutNs > 0) this.#engine.arm(this.#idle, this.#options.timeoutNs)
    this.#sendInput()
    this.#receive()
    this.#sendInput()
    if (this.#isDone()) this.#finish()
  }

  get #isInputRead(): boolean {
    return this.#options.detached || this.#bufferEnd === this.#input.bytes.length
  }

  #sendInput(): void {
    const { bytes } = this.#input
    while (this.#netOut) {
      if (this.#input.at === this.#bufferEnd) {
        if (this.#isInputRead) return this.#shut()
        this.#bufferEnd = Math.min(bytes.length, this.#bufferEnd + BUFFER_BYTES)
      }
      const taken = this.#channel.send(bytes, this.#input.at, this.#bufferEnd)
      if (taken === -Errno.EAGAIN) return
      if (taken < 0) {
        this.#netOut = false
        this.#bufferEnd = this.#input.at
      } else this.#input.at += taken
    }
  }

  /** The input has ended and is sent. A datagram socket is then given its seconds at once. */
  #shut(): void {
    this.#netOut = false
    if (this.#options.shutsDown) this.#channel.shutdownWrite()
    if (!this.#channel.isStream && this.#options.quitSeconds >= 0) {
      this.#engine.arm(this.#quit, this.#options.quitSeconds * SECOND)
    }
  }

  #receive(): void {
    while (this.#netIn) {
      const count = this.#channel.recv(SCRATCH)
      if (count === -Errno.EAGAIN) return
      if (count <= 0) {
        this.#netIn = false
        // After an error nothing goes out either.
        if (count < 0) this.#netOut = false
        return
      }
      this.#write(this.#text.append(SCRATCH, 0, count))
      if (this.#options.receiveMost > 0 && ++this.#received >= this.#options.receiveMost) {
        this.#netIn = false
        this.#netOut = false
      }
    }
  }

  #isDone(): boolean {
    if (this.#netIn) return false
    return !this.#netOut || (this.#options.listens && this.#input.at === this.#bufferEnd)
  }

  #finish(): void {
    if (this.#options.quitSeconds > 0) this.#engine.arm(this.#quit, this.#options.quitSeconds * SECOND)
    else this.#end()
  }

  #end(): void {
    if (this.#isOver) return
    this.cancel()
    this.#write(this.#text.finish())
    this.#ended()
  }
}
