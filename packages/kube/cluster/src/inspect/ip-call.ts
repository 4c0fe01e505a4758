/** What `ip` hands to the function of an object, and how that finds its command. */
import type { Netns } from "@podwire/netns"
import { fail, notModelled } from "./failure.ts"
import type { Printer } from "./printer.ts"
import { pick, type Words } from "./words.ts"

export interface IpOptions {
  readonly family: 4 | 6 | null
  readonly stats: number
  readonly details: boolean
  readonly brief: boolean
  readonly oneline: boolean
  readonly json: boolean
  readonly pretty: boolean
}

/** What every object's function is given. */
export interface IpCall {
  readonly netns: Netns
  readonly options: IpOptions
  readonly words: Words
  readonly out: Printer
}

const SHOWS: ReadonlyArray<string> = ["list", "show", "lst"]

/**
 * The object's command by any beginning of its name, in the order in which the tool tries them; no word at
 * all is `show`. What changes state is not for an inspector.
 */
export function command({ words }: IpCall, title: string, commands: ReadonlyArray<string>): string {
  if (words.done) return "show"
  const word = words.take()
  const found = pick(word, commands)
  if (found === null) fail(`Command "${word}" is unknown, try "ip ${title} help".`, 255)
  if (SHOWS.includes(found)) return "show"
  return found === "get" ? found : notModelled(`ip ${title} ${found}`)
}
