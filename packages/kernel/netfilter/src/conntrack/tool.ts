/**
 * `conntrack` of conntrack-tools 1.4.7 as a function: -L, -D, -F, -C, -S with the options of `filter.ts`.
 * What it writes and how it ends are the real one's; -E is `EventLog`. Not supported: -I, -U, -A, -G,
 * expectations, other tables.
 */
import type { Conntrack } from "./conntrack.ts"
import { matches, parse } from "./filter.ts"
import { line, statsLine, type Style } from "./print.ts"

export interface ToolResult {
  readonly out: string
  readonly err: string
  readonly code: number
}

const NAME = "conntrack v1.4.7 (conntrack-tools): "

export function run(conntrack: Conntrack, args: ReadonlyArray<string>): ToolResult {
  const [command, ...rest] = args
  switch (command) {
    case "-L": case "--dump": return select(conntrack, rest, false)
    case "-D": case "--delete": return select(conntrack, rest, true)
    case "-F": case "--flush":
      conntrack.flush()
      return { out: "", err: `${NAME}connection tracking table has been emptied.\n`, code: 0 }
    case "-C": case "--count": return { out: `${conntrack.count}\n`, err: "", code: 0 }
    case "-S": case "--stats": return { out: `${statsLine(conntrack)}\n`, err: "", code: 0 }
    default: return failed(command === undefined ? "No command specified" : `unknown option \`${command}'`)
  }
}

function select(conntrack: Conntrack, args: ReadonlyArray<string>, end: boolean): ToolResult {
  const filter = parse(args)
  if (typeof filter === "string") return failed(filter)
  const style: Style = { extended: filter.output.has("extended"), id: filter.output.has("id") }
  let out = ""
  let count = 0
  for (const ct of conntrack.entries()) {
    if (!matches(filter, conntrack, ct)) continue
    out += `${line(conntrack, ct, style)}\n`
    count++
    if (end) conntrack.kill(ct, null)
  }
  const err = `${NAME}${count} flow entries have been ${end ? "deleted" : "shown"}.\n`
  return { out, err, code: end && count === 0 ? 1 : 0 }
}

function failed(why: string): ToolResult {
  const hint = "Try `conntrack -h' or 'conntrack --help' for more information."
  return { out: "", err: `${NAME}${why}\n${hint}\n`, code: 2 }
}
