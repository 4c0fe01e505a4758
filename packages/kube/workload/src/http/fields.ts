/**
 * Header fields of one message (RFC 9110, section 5): in the order and with the case in which they came,
 * names compared without regard to case. Values are one character an octet (ISO 8859-1), so that what was
 * read can be written again octet by octet.
 * Invariant: every name is a token and no value holds a control character but HTAB or begins or ends with
 * white space; `add` and `set` refuse the rest. So nothing that is written from here can inject a line.
 */

export interface Field {
  readonly name: string
  readonly value: string
}

export class Fields {
  readonly list: Array<Field> = []

  /** Of literals and of what has been checked: what `add` refuses is left out. */
  static of(...pairs: ReadonlyArray<readonly [name: string, value: string]>): Fields {
    const fields = new Fields()
    for (const [name, value] of pairs) fields.add(name, value)
    return fields
  }

  /** False, and nothing added, when the name is no token or the value cannot stand in one line. */
  add(name: string, value: string): boolean {
    if (!isToken(name) || !isFieldValue(value)) return false
    this.list.push({ name, value })
    return true
  }

  /** In the place of the first one of that name, the others of it removed; else at the end. */
  set(name: string, value: string): boolean {
    if (!isToken(name) || !isFieldValue(value)) return false
    const at = this.list.findIndex((field) => sameName(field.name, name))
    if (at < 0) this.list.push({ name, value })
    else {
      this.list[at] = { name, value }
      for (let i = this.list.length - 1; i > at; i--) {
        if (sameName(this.list[i]!.name, name)) this.list.splice(i, 1)
      }
    }
    return true
  }

  remove(name: string): void {
    for (let i = this.list.length - 1; i >= 0; i--) {
      if (sameName(this.list[i]!.name, name)) this.list.splice(i, 1)
    }
  }

  /** The first one of that name. */
  get(name: string): string | null {
    for (const field of this.list) if (sameName(field.name, name)) return field.value
    return null
  }

  has(name: string): boolean {
    return this.get(name) !== null
  }

  all(name: string): ReadonlyArray<string> {
    return this.list.filter((field) => sameName(field.name, name)).map((field) => field.value)
  }

  /**
   * All elements of a comma-separated list over all its lines (RFC 9110, 5.6.1), in lower case, empty ones
   * gone.
   */
  tokens(name: string): ReadonlyArray<string> {
    return this.all(name).flatMap((value) => value.split(","))
      .map((word) => lower(trim(word))).filter((word) => word !== "")
  }
}

/** Letters of ASCII only: `toLowerCase` knows letters above it. */
export function lower(text: string): string {
  return text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase())
}

function sameName(a: string, b: string): boolean {
  return a === b || (a.length === b.length && lower(a) === lower(b))
}

/** Without optional white space around it (RFC 9110, 5.6.3): SP and HTAB, nothing else. */
export function trim(text: string): string {
  let at = 0
  let end = text.length
  while (at < end && isBlank(text.charCodeAt(at))) at++
  while (end > at && isBlank(text.charCodeAt(end - 1))) end--
  return text.slice(at, end)
}

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x09
}

/** RFC 9110, 5.6.2. */
export function isToken(text: string): boolean {
  return /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/.test(text)
}

/** RFC 9110, 5.5, the empty one too. */
export function isFieldValue(text: string): boolean {
  return /^[\t\x20-\x7e\x80-\xff]*$/.test(text) && trim(text) === text
}

/**
 * RFC 9112, 3.2, as servers take it: no white space, no control; octets above 0x7f pass, as curl sends them.
 */
export function isTarget(text: string): boolean {
  return /^[\x21-\x7e\x80-\xff]+$/.test(text)
}
