/**
 * What -v tells (tool_debug_cb of curl 8.14): `*` notes, `>` and `<` the heads, and of bodies only how many
 * octets the first piece had, since the output is no terminal.
 */
export class Trace {
  readonly #write: ((text: string) => void) | null
  #toldData = false

  /** Null is without -v. */
  constructor(write: ((text: string) => void) | null) {
    this.#write = write
  }

  note(text: string): void {
    this.#toldData = false
    this.#write?.(`* ${text}\n`)
  }

  headOut(head: string): void {
    this.#toldData = false
    this.#write?.(head.replace(/[^\n]*\n/g, (line) => `> ${line}`))
  }

  lineIn(line: string): void {
    this.#toldData = false
    this.#write?.(`< ${line}`)
  }

  dataIn(count: number): void {
    this.#data("{", count)
  }

  dataOut(count: number): void {
    this.#data("}", count)
  }

  #data(sign: string, count: number): void {
    if (!this.#toldData) this.#write?.(`${sign} [${count} bytes data]\n`)
    this.#toldData = true
  }
}
