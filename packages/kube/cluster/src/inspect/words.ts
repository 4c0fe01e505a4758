/** A command line, read from left to right as iproute2 reads it: keywords may be cut short (lib/utils.c). */
import { fail } from "./failure.ts"

/** `word` is a beginning of `keyword` (matches). */
export function begins(word: string, keyword: string): boolean {
  return word !== "" && keyword.startsWith(word)
}

export class Words {
  readonly #words: ReadonlyArray<string>
  #at = 0

  constructor(words: ReadonlyArray<string>) {
    this.#words = words
  }

  get done(): boolean {
    return this.#at >= this.#words.length
  }

  peek(): string {
    return this.#words[this.#at] ?? ""
  }

  take(): string {
    return this.#words[this.#at++] ?? ""
  }

  /** The word after the current keyword (NEXT_ARG). */
  argument(): string {
    if (this.done) fail('Command line is not complete. Try option "help"', 255)
    return this.take()
  }
}

/** The first of the keywords that a word may stand for. */
export function pick<K extends string>(word: string, keywords: ReadonlyArray<K>): K | null {
  return keywords.find((keyword) => begins(word, keyword)) ?? null
}

export function invalid(word: string, why: string): never {
  fail(`Error: argument "${word}" is wrong: ${why}`, 255)
}

export function duplicate(keyword: string, word: string): never {
  fail(`Error: either "${keyword}" is duplicate, or "${word}" is a garbage.`, 255)
}
