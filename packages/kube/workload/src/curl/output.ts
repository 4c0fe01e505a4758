/**
 * Where bodies and heads go: the standard output, nowhere (/dev/null), or a file. Files live in the process's
 * memory and end with it: folders are not looked at, and nobody else sees them.
 */
import { TextStream } from "../text-stream.ts"

export class Outputs {
  readonly files = new Map<string, string>()
  readonly #write: (stream: "stdout" | "stderr", text: string) => void
  readonly #streams = new Map<string, TextStream>()

  constructor(write: (stream: "stdout" | "stderr", text: string) => void) {
    this.#write = write
  }

  /** Null and `-` are the standard output. */
  open(name: string | null): Output {
    return new Output(this, name === "-" ? null : name)
  }

  put(name: string | null, bytes: Uint8Array, at: number, end: number): void {
    if (name === "/dev/null") return
    const key = name ?? ""
    let stream = this.#streams.get(key)
    if (stream === undefined) this.#streams.set(key, stream = new TextStream())
    this.text(name, stream.append(bytes, at, end))
  }

  text(name: string | null, text: string): void {
    if (name === "/dev/null") return
    if (name === null || name === "/dev/stdout") this.#write("stdout", text)
    else if (name === "/dev/stderr") this.#write("stderr", text)
    else this.files.set(name, (this.files.get(name) ?? "") + text)
  }

  truncate(name: string): void {
    if (this.files.has(name)) this.files.set(name, "")
  }
}

export class Output {
  readonly name: string | null
  readonly #outputs: Outputs
  bytes = 0

  constructor(outputs: Outputs, name: string | null) {
    this.#outputs = outputs
    this.name = name
  }

  body(bytes: Uint8Array, at: number, end: number): void {
    this.bytes += end - at
    this.#outputs.put(this.name, bytes, at, end)
  }

  text(text: string): void {
    this.bytes += text.length
    this.#outputs.text(this.name, text)
  }

  /** Before another try: a file begins anew, the standard output has had it. */
  restart(): void {
    this.bytes = 0
    if (this.name !== null) this.#outputs.truncate(this.name)
  }
}
