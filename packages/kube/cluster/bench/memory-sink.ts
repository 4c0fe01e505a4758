/** Keeps the last 64 MiB of a capture: writing costs what it would cost, and memory stays bounded. */
export class MemorySink {
  readonly #bytes = new Uint8Array(64 * 1024 * 1024)
  #at = 0
  written = 0

  write(chunk: Uint8Array): void {
    if (this.#at + chunk.length > this.#bytes.length) this.#at = 0
    this.#bytes.set(chunk, this.#at)
    this.#at += chunk.length
    this.written += chunk.length
  }
}
