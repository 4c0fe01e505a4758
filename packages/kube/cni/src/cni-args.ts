/**
 * CNI_ARGS: `KEY=VALUE` pairs behind semicolons (types.LoadArgs). A key that the plugin does not know is an
 * error unless IgnoreUnknown says otherwise; kubelets' runtimes say so.
 */
import { goQuote, goQuoteList } from "./json.ts"

const TRUE = ["1", "true"]
const FALSE = ["0", "false"]

/** What is wrong with a value, or null. */
type Judge = (value: string) => string | null

/** The values of `known`, or what is wrong. */
export function loadArgs(
  args: string, known: Readonly<Record<string, Judge>>
): ReadonlyMap<string, string> | string {
  const values = new Map<string, string>()
  if (args === "") return values
  const unknown: Array<string> = []
  let ignoreUnknown = false
  for (const pair of args.split(";")) {
    const [key, value, more] = pair.split("=")
    if (value === undefined || more !== undefined) return `ARGS: invalid pair ${goQuote(pair)}`
    const judge = key === "IgnoreUnknown" ? judgeBoolean : known[key!]
    const wrong = judge?.(value) ?? null
    if (wrong !== null) return `ARGS: error parsing value of pair ${goQuote(pair)}: ${wrong}`
    if (key === "IgnoreUnknown") ignoreUnknown = TRUE.includes(value.toLowerCase())
    else if (judge !== undefined) values.set(key!, value)
    else unknown.push(pair)
  }
  return unknown.length > 0 && !ignoreUnknown ? `ARGS: unknown args ${goQuoteList(unknown)}` : values
}

function judgeBoolean(value: string): string | null {
  const word = value.toLowerCase()
  return TRUE.includes(word) || FALSE.includes(word) ? null : `boolean unmarshal error: invalid input ${word}`
}
