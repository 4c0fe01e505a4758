/** The loop: a line, its outcome, its output, until the end, `exit`, or the first failure with -e. */
import * as Effect from "effect/Effect"
import { writeOut } from "../outcome.ts"
import { EXIT_INTERRUPTED, type Outcome, type Session } from "./command.ts"
import { complete } from "./complete.ts"
import { perform, refused } from "./dispatch.ts"
import { Input, INTERRUPTED } from "./input.ts"
import { splitLine } from "./split.ts"

export interface SessionOptions {
  readonly terminal: boolean
  readonly json: boolean
  readonly errexit: boolean
}

interface Line {
  readonly text: string
  /** Of the first of its lines, from 1. */
  readonly number: number
  readonly words: ReadonlyArray<string> | { readonly problem: string }
}

/** The exit code of the session. */
export const run = Effect.fnUntraced(function*(
  given: Pick<Session, "lab" | "namespace" | "strict" | "told">, options: SessionOptions
) {
  let stop = new AbortController()
  let lastCode = 0
  const session = (): Session => ({ ...given, lastCode, signal: stop.signal })
  const input = yield* Effect.acquireRelease(
    Effect.sync(() => new Input({
      terminal: options.terminal, complete: (line) => complete(session(), line),
      onInterrupt: () => stop.abort()
    })),
    (open) => Effect.sync(() => open.close())
  )
  const reader = new Reader(input)
  for (;;) {
    const line = yield* Effect.promise(() => reader.next())
    if (line === null) {
      if (options.terminal) process.stderr.write("\n")
      break
    }
    if (line === INTERRUPTED) {
      lastCode = EXIT_INTERRUPTED
      continue
    }
    const { text, number, words } = line
    if (!("problem" in words) && words.length === 0) continue
    const where = options.terminal || options.json ? "" : `line ${number}: `
    const { engine } = given.lab.cluster
    const atNs = engine.nowNs
    stop = new AbortController()
    const outcome = "problem" in words
      ? refused(`${where}${words.problem}`)
      : yield* perform(session(), words, where)
    lastCode = outcome.exitCode
    print(outcome, options.json ? { line: number, command: text, atNs } : null)
    if (outcome.leaves === true || options.errexit && lastCode !== 0) break
  }
  return lastCode
})

/** `atNs` is the virtual time at which the command began. */
function print(
  outcome: Outcome,
  json: { readonly line: number; readonly command: string; readonly atNs: number } | null
): void {
  if (json !== null) {
    const { line, command, atNs } = json
    const { exitCode, stdout, stderr } = outcome
    process.stdout.write(`${JSON.stringify({ line, command, exitCode, stdout, stderr, atNs })}\n`)
    return
  }
  writeOut(outcome)
}

/** Lines with their continuations. */
class Reader {
  readonly #input: Input
  #number = 0

  constructor(input: Input) {
    this.#input = input
  }

  async next(): Promise<Line | null | typeof INTERRUPTED> {
    const first = await this.#input.next(false)
    if (first === null || first === INTERRUPTED) return first
    const number = ++this.#number
    for (let text = first;;) {
      const split = splitLine(text)
      if ("words" in split) return { text, number, words: split.words }
      if ("problem" in split) return { text, number, words: split }
      const more = await this.#input.next(true)
      if (more === INTERRUPTED) return more
      if (more === null) return { text, number, words: { problem: `the input ends behind ${split.open}` } }
      this.#number++
      text += `\n${more}`
    }
  }
}
