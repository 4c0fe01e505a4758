/**
 * Where lines come from: a terminal with prompt, history (of this session) and completion, or a script. Lines
 * are read ahead of the command that runs; ^C is told at once, or between two slices of what is running.
 */
import { createInterface, type Interface } from "node:readline"

const PROMPT = "podwire> "
const CONTINUED = "> "

export interface InputOptions {
  readonly terminal: boolean
  readonly complete: (line: string) => [ReadonlyArray<string>, string]
  readonly onInterrupt: () => void
}

/** In place of a line: ^C at the prompt. */
export const INTERRUPTED = Symbol("interrupted")
type Given = string | null | typeof INTERRUPTED

export class Input {
  readonly #reader: Interface
  readonly #terminal: boolean
  readonly #lines: Array<string> = []
  #waiting: ((line: Given) => void) | null = null
  #ended = false

  constructor({ terminal, complete, onInterrupt }: InputOptions) {
    this.#terminal = terminal
    this.#reader = createInterface({
      input: process.stdin, crlfDelay: Infinity, terminal,
      ...terminal
        ? { output: process.stderr, completer: (line: string) => complete(line) as [Array<string>, string] }
        : {}
    })
    this.#reader.on("line", (line) => this.#give(line))
    this.#reader.on("close", () => this.#give(null))
    this.#reader.on("SIGINT", () => {
      onInterrupt()
      if (this.#waiting === null) {
        process.stderr.write("^C\n")
        return
      }
      this.#reader.write(null, { ctrl: true, name: "e" })
      process.stderr.write("^C\n")
      this.#reader.write(null, { ctrl: true, name: "u" })
      this.#give(INTERRUPTED)
    })
  }

  /** The next line, null at the end. The prompt goes to stderr, as in sh: stdout is for results. */
  next(continued: boolean): Promise<Given> {
    const line = this.#lines.shift()
    if (line !== undefined) return Promise.resolve(line)
    if (this.#ended) return Promise.resolve(null)
    if (this.#terminal) {
      this.#reader.setPrompt(continued ? CONTINUED : PROMPT)
      this.#reader.prompt()
    }
    return new Promise((resolve) => {
      this.#waiting = resolve
    })
  }

  close(): void {
    this.#ended = true
    this.#reader.close()
  }

  #give(line: Given): void {
    if (line === null) this.#ended = true
    const waiting = this.#waiting
    this.#waiting = null
    if (waiting !== null) waiting(line)
    else if (typeof line === "string") this.#lines.push(line)
  }
}
