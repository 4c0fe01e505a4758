/**
 * The wire between the two sides: a link each way, on which a test may do harm, perfect until then. Its far
 * end is a TAP device of the real kernel; its near end is a card (`attach`), or a TAP device too (`relay`),
 * which lets the kernel talk with itself under the same harm and so says what may be asked of us. Virtual
 * time follows the wall clock (`pacer.ts`).
 */
import { FinishedCopy } from "@podwire/cluster/finished-copy"
import { Engine } from "@podwire/engine"
import { DropReason, type Frame, FramePool, Link, type LinkSpec, Nic, PERFECT } from "@podwire/netdev"
import { of } from "@podwire/wire/mac"
import { FramePipe } from "./frame-pipe.ts"
import type { KernelWire } from "./kernel-wire.ts"
import { Pacer } from "./pacer.ts"

export class Span {
  readonly engine: Engine
  readonly pool: FramePool
  /** From the near side to the far one, and back. */
  readonly forth: Link
  readonly back: Link
  readonly pacer: Pacer
  /** What went wrong inside a turn; whoever waits hears of it. */
  failure: Error | null = null
  /** Which frames are lost before the wire; the first argument says that it is one to the far side. */
  censor: ((forth: boolean, frame: Frame) => boolean) | null = null
  readonly #waiting = new Set<(failure: Error) => void>()
  readonly #pipes: Array<FramePipe> = []
  readonly #copy = new FinishedCopy()
  #near: (frame: Frame) => void = (frame) => this.pool.free(frame)

  constructor(seed: number, far: KernelWire) {
    this.engine = new Engine(seed)
    this.pool = new FramePool(this.engine)
    const pipe = this.#pipe(far, (frame) => this.#send(false, frame))
    this.forth = new Link(this.engine, this.pool, "wire/forth", { run: (frame) => this.#leave(pipe, frame) })
    this.back = new Link(this.engine, this.pool, "wire/back", { run: (frame) => this.#near(frame) })
    const flush = () => this.#pipes.forEach((pipe) => pipe.flush())
    this.pacer = new Pacer(this.engine, flush, (cause) => this.fail(cause))
  }

  attach(nic: Nic): void {
    nic.wire = { send: (_nic, frame) => this.#send(true, frame) }
    this.#near = (frame) => nic.run(frame)
  }

  /** The near end is in the kernel as well; a card of ours stands in between, for captures. */
  relay(near: KernelWire): Nic {
    const card = new Nic(this.engine, this.pool, "eth0", of(0x0200, 1))
    card.ns = "relay"
    card.up = true
    const pipe = this.#pipe(near, (frame) => card.xmit(frame))
    card.wire = { send: (_nic, frame) => this.#send(true, frame) }
    card.handler = { receive: (_dev, frame) => this.#leave(pipe, frame) }
    this.#near = (frame) => card.run(frame)
    return card
  }

  /** Nothing is on the wire. */
  get still(): boolean {
    return this.forth.waiting + this.back.waiting === 0
  }

  /** What the wire does from now on, both ways or one. */
  impair(forth: Partial<LinkSpec>, back: Partial<LinkSpec> = forth): void {
    for (const [link, spec] of [[this.forth, forth], [this.back, back]] as const) {
      const errno = link.set({ ...PERFECT, ...spec })
      if (errno !== 0) throw new Error(`errno ${errno}: ${JSON.stringify(spec)}`)
    }
  }

  /** Twice the delay, both ways. */
  slower(): void {
    for (const link of [this.forth, this.back]) link.set({ delayNs: link.spec.delayNs * 2 })
  }

  /** `start` is given ways to end; a failure in the engine ends it too. */
  waitFor<T>(start: (resolve: (value: T) => void, reject: (failure: Error) => void) => void): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      if (this.failure !== null) return reject(this.failure)
      const giveUp = (failure: Error) => {
        this.#waiting.delete(giveUp)
        reject(failure)
      }
      this.#waiting.add(giveUp)
      start((value) => {
        this.#waiting.delete(giveUp)
        resolve(value)
      }, giveUp)
    })
  }

  fail(cause: unknown): void {
    this.failure ??= cause instanceof Error ? cause : new Error(String(cause))
    this.pacer.stop()
    for (const giveUp of [...this.#waiting]) giveUp(this.failure)
  }

  #send(forth: boolean, frame: Frame): void {
    if (this.censor !== null && this.censor(forth, frame)) this.pool.drop(frame, DropReason.LINK_LOSS)
    else (forth ? this.forth : this.back).send(frame)
  }

  #pipe(wire: KernelWire, arrived: (frame: Frame) => void): FramePipe {
    const pipe = new FramePipe((bytes) => wire.write(bytes))
    this.#pipes.push(pipe)
    wire.onChunk = (chunk) => this.pacer.arrive(() => pipe.take(chunk, (bytes) => {
      const frame = this.pool.alloc(bytes.length)
      if (frame === null) throw new Error("the pool is exhausted")
      frame.bytes.set(bytes, frame.head)
      frame.tail = frame.head + bytes.length
      arrived(frame)
    }))
    return pipe
  }

  #leave(pipe: FramePipe, frame: Frame): void {
    pipe.put(this.#copy.finished(frame), frame.head, frame.tail)
    this.pool.free(frame)
  }
}

