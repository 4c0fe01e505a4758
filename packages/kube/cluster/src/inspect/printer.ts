/**
 * One pass over the state, two forms of it: text and JSON, as iproute2's print_* functions make them
 * (lib/json_print.c). JSON is compact, or laid out the way `-p` does it (lib/json_writer.c).
 */

/** A number with a fixed count of decimals, which JSON numbers do not remember. */
export class Fixed {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }
}

export type Json =
  | string | number | boolean | null | Fixed | ReadonlyArray<Json> | { readonly [key: string]: Json }

type Group = Array<Json> | Record<string, Json>

export class Printer {
  #text = ""
  readonly #root: Array<Json> = []
  readonly #open: Array<Group> = [this.#root]
  /** What stands for a line's end: `\` with -oneline. */
  readonly newline: string

  constructor(oneline: boolean) {
    this.newline = oneline ? "\\" : "\n"
  }

  /** Text only. */
  say(text: string): this {
    this.#text += text
    return this
  }

  nl(): this {
    return this.say(this.newline)
  }

  /** JSON only. */
  note(key: string, value: Json): this {
    const group = this.#open.at(-1)!
    if (Array.isArray(group)) group.push(value)
    else group[key] = value
    return this
  }

  put(key: string, value: Json, text: string): this {
    return this.note(key, value).say(text)
  }

  object(key: string, body: () => void): this {
    return this.#group(key, {}, body)
  }

  list(key: string, body: () => void): this {
    return this.#group(key, [], body)
  }

  get text(): string {
    return this.#text
  }

  json(pretty: boolean): string {
    return `${layout(this.#root, pretty, 0)}\n`
  }

  #group(key: string, group: Group, body: () => void): this {
    this.note(key, group)
    this.#open.push(group)
    body()
    this.#open.pop()
    return this
  }
}

function layout(value: Json, pretty: boolean, depth: number): string {
  if (value instanceof Fixed) return value.text
  if (Array.isArray(value)) {
    if (value.length === 0) return pretty ? "[ ]" : "[]"
    const items = value.map((item: Json) => layout(item, pretty, depth + 1)).join(",")
    return pretty ? `[ ${items} ]` : `[${items}]`
  }
  if (value === null || typeof value !== "object") return JSON.stringify(value)
  const end = pretty ? `\n${"    ".repeat(depth)}` : ""
  const start = pretty ? `\n${"    ".repeat(depth + 1)}` : ""
  const colon = pretty ? ": " : ":"
  const members = Object.entries(value).map(([key, member]) =>
    `${start}${JSON.stringify(key)}${colon}${layout(member, pretty, depth + 1)}`)
  return members.length === 0 ? "{}" : `{${members.join(",")}${end}}`
}
