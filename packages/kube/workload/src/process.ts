/**
 * A program running in a pod or on a node. It sees sockets, time, files and its arguments, and
 * nothing of the cluster; what it may do is what `Host` offers. Output is text that has been
 * written so far; the exit code is null while it runs.
 */
import type { Engine } from "@podwire/engine"
import type { Netns } from "@podwire/netns"

export interface Host {
  readonly engine: Engine
  readonly netns: Netns
  readonly hostname: string
  /** Absolute path to content: /etc/hosts, /etc/resolv.conf, … */
  readonly files: ReadonlyMap<string, string>
  readonly env: ReadonlyMap<string, string>
  /** The standard input, all of it; without one it is at its end. */
  readonly stdin?: Uint8Array
}

export interface Program {
  readonly name: string
  /** One line for help texts: `ping [-c count] … destination`. */
  readonly synopsis: string
  start(host: Host, argv: ReadonlyArray<string>): Process
}

export interface ListenPort {
  readonly port: number
  readonly protocol: "TCP" | "UDP" | "SCTP"
}

/** 128 + SIGKILL, as a shell reports it. */
const EXIT_KILLED = 137

/** What was written to one stream before the program turned to the other. */
export interface Piece {
  readonly stream: "stdout" | "stderr"
  readonly text: string
}

export abstract class Process {
  readonly host: Host
  readonly argv: ReadonlyArray<string>
  #stdout = ""
  #stderr = ""
  #stream: Piece["stream"] = "stdout"
  /** How long stdout and stderr were at each turn from one to the other. */
  readonly #turns: Array<readonly [number, number]> = []
  exitCode: number | null = null
  /** The port that could not be had, if that is why this process ended. */
  refused: ListenPort | null = null
  /** Called once, when the exit code is known. */
  onExit: ((process: Process) => void) | null = null

  constructor(host: Host, argv: ReadonlyArray<string>) {
    this.host = host
    this.argv = argv
  }

  get stdout(): string {
    return this.#stdout
  }

  set stdout(text: string) {
    this.#turnTo("stdout", text.length < this.#stdout.length)
    this.#stdout = text
  }

  get stderr(): string {
    return this.#stderr
  }

  set stderr(text: string) {
    this.#turnTo("stderr", text.length < this.#stderr.length)
    this.#stderr = text
  }

  /** Both streams in the order of writing, as a terminal has them; of text taken back the order is lost. */
  get pieces(): ReadonlyArray<Piece> {
    const pieces: Array<Piece> = []
    let [outAt, errAt] = [0, 0]
    for (const [out, err] of [...this.#turns, [this.#stdout.length, this.#stderr.length] as const]) {
      if (out > outAt) pieces.push({ stream: "stdout", text: this.#stdout.slice(outAt, out) })
      if (err > errAt) pieces.push({ stream: "stderr", text: this.#stderr.slice(errAt, err) })
      outAt = out
      errAt = err
    }
    return pieces
  }

  #turnTo(stream: Piece["stream"], shorter: boolean): void {
    if (shorter) this.#turns.length = 0
    else if (stream !== this.#stream) this.#turns.push([this.#stdout.length, this.#stderr.length])
    this.#stream = stream
  }

  get running(): boolean {
    return this.exitCode === null
  }

  kill(): void {
    if (this.running) this.exit(EXIT_KILLED)
  }

  protected exit(code: number): void {
    if (!this.running) return
    this.exitCode = code
    this.release()
    if (this.onExit !== null) this.onExit(this)
  }

  /** Close sockets and disarm timers: a process leaves nothing behind. */
  protected abstract release(): void
}

/** A process that has said all it had to say when it was started. */
export class Finished extends Process {
  constructor(host: Host, argv: ReadonlyArray<string>, code: number, stdout: string, stderr: string) {
    super(host, argv)
    this.stdout = stdout
    this.stderr = stderr
    this.exitCode = code
  }

  protected override release(): void {}
}
