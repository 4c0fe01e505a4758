/** Request targets, queries and paths as Go's net/url and path read them. Strings are octets. */

export interface Target {
  /** Decoded. */
  readonly path: string
  readonly rawQuery: string
  /** Of an absolute target, else null. */
  readonly host: string | null
}

export type Values = ReadonlyMap<string, ReadonlyArray<string>>

/** `url.ParseRequestURI`; null where it fails. */
export function parseTarget(target: string): Target | null {
  if (target === "*") return { path: "*", rawQuery: "", host: null }
  const [, authority, rest] = /^[A-Za-z][A-Za-z0-9+.-]*:\/\/([^/?]*)(.*)$/.exec(target) ?? []
  const local = authority === undefined ? target : rest!
  if (authority === undefined && !local.startsWith("/")) return null
  const mark = local.indexOf("?")
  const path = unescape(mark < 0 ? local : local.slice(0, mark), false)
  if (path === null) return null
  return { path, rawQuery: mark < 0 ? "" : local.slice(mark + 1), host: authority ?? null }
}

/** `url.ParseQuery`, which leaves out what it cannot read: bad escapes, and pairs with a semicolon. */
export function parseQuery(query: string): Values {
  const values = new Map<string, Array<string>>()
  for (const pair of query.split("&")) {
    if (pair === "" || pair.includes(";")) continue
    const mark = pair.indexOf("=")
    const key = unescape(mark < 0 ? pair : pair.slice(0, mark), true)
    const value = unescape(mark < 0 ? "" : pair.slice(mark + 1), true)
    if (key === null || value === null) continue
    const list = values.get(key)
    if (list === undefined) values.set(key, [value])
    else list.push(value)
  }
  return values
}

export function first(values: Values, key: string): string {
  return values.get(key)?.[0] ?? ""
}

/** Percent-decoding; null when an escape is none. In queries a plus is a space. */
function unescape(text: string, plus: boolean): string | null {
  if (/%(?![0-9A-Fa-f]{2})/.test(text)) return null
  return (plus ? text.replaceAll("+", " ") : text)
    .replace(/%([0-9A-Fa-f]{2})/g, (_, digits: string) => String.fromCharCode(parseInt(digits, 16)))
}

/** `url.URL.EscapedPath` of a decoded path. */
export function escapePath(path: string): string {
  return path.replace(/[^A-Za-z0-9\-_.~$&+,/:;=@!'()*]/g, (char) =>
    `%${char.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`)
}

/** ServeMux's: rooted, without `.`, `..` and double slashes; a slash at the end stays. */
export function cleanPath(path: string): string {
  const out: Array<string> = []
  for (const part of path.split("/")) {
    if (part === "" || part === ".") continue
    if (part === "..") out.pop()
    else out.push(part)
  }
  const clean = `/${out.join("/")}`
  return path.endsWith("/") && clean !== "/" ? `${clean}/` : clean
}
