/**
 * What may come next on a line: the first word is a command or a place, the rest is the command's own affair.
 */
import type { Session } from "./command.ts"
import { COMMANDS, findCommand } from "./commands.ts"
import { splitLine } from "./split.ts"
import { programWords, targetNames } from "./words.ts"

/** As node:readline asks: what fits, and the part of the line that it replaces. */
export function complete(session: Session, line: string): [ReadonlyArray<string>, string] {
  const split = splitLine(line)
  if (!("words" in split)) return [[], line]
  const words = /\s$/.test(line) || line === "" ? [...split.words, ""] : split.words
  const last = words.at(-1) ?? ""
  return [candidates(session, words).filter((word) => word.startsWith(last)).map((word) => `${word} `), last]
}

function candidates(session: Session, words: ReadonlyArray<string>): ReadonlyArray<string> {
  const [first, ...rest] = words
  if (rest.length === 0) {
    return [...COMMANDS.map(({ name }) => name), ...targetNames(session.lab, session.namespace)]
  }
  const command = findCommand(first!)
  if (command === null) return rest.length === 1 ? programWords() : []
  if (rest.at(-1)!.startsWith("-")) return (command.flags ?? []).map(({ name }) => `--${name}`)
  return command.complete?.(session, rest.filter((word) => !word.startsWith("-"))) ?? []
}
