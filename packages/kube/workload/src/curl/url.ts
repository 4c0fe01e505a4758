/**
 * URLs as curl 8.14 reads them (lib/urlapi.c): the scheme may be left out, an IPv4 host may be written in any
 * of inet_aton's forms, dot segments are removed, and what is refused is refused with its texts. A host that
 * is an IPv6 literal is kept without brackets and zone.
 * Not supported: IDN (names go out as they were written), file: URLs.
 */
import { utf8Decode, utf8Encode } from "@podwire/wire/bytes"
import { family, format, format4, parse as parseIp } from "@podwire/wire/ip"

export interface Url {
  readonly scheme: string
  /** Decoded; null when there is none. */
  readonly user: string | null
  readonly password: string | null
  readonly host: string
  readonly isIp6: boolean
  /** As written; null is the scheme's. */
  readonly port: number | null
  /** Begins with a slash. */
  readonly path: string
  readonly query: string | null
  readonly fragment: string | null
}

export interface ParseOptions {
  readonly pathAsIs: boolean
  /** Of a Location: a blank in it was no fault. */
  readonly isRedirect: boolean
}

/** CURLU's word for what is wrong. */
export class UrlFault {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }
}

const PORT = new UrlFault("Port number was not a decimal number between 0 and 65535")
const NO_HOST = new UrlFault("No host part in the URL")
const BAD_HOST = new UrlFault("Bad hostname")
const BAD_IP6 = new UrlFault("Bad IPv6 address")
const MALFORMED = new UrlFault("Malformed input to a URL function")
const SLASHES = new UrlFault("Unsupported number of slashes following scheme")
/** What a host name may not hold (hostname_check). */
const ILLEGAL_IN_HOST = /[ \r\n\t/:#?!@{}[\]\\$'"^`*<>=;,+&()%]/
/** Host names that curl takes for another protocol's when no scheme is there. */
const GUESSES = ["ftp", "dict", "ldap", "imap", "smtp", "pop3"]

export function parseUrl(text: string, options: ParseOptions): Url | UrlFault {
  if ((options.isRedirect ? /[\x00-\x1f\x7f]/ : /[\x00-\x20\x7f]/).test(text)) return MALFORMED
  const absolute = /^([a-zA-Z][a-zA-Z0-9+.-]*):\//.exec(text)
  let scheme = absolute === null ? "" : absolute[1]!.toLowerCase()
  let rest = text
  if (absolute !== null) {
    rest = text.slice(scheme.length + 1)
    const slashes = /^\/*/.exec(rest)![0].length
    if (slashes > 3) return SLASHES
    rest = rest.slice(slashes)
  }
  const [, authority, tail] = /^([^/?#]*)(.*)$/s.exec(rest)!
  if (authority === "") return NO_HOST
  const at = authority!.lastIndexOf("@")
  const host = parseHost(authority!.slice(at + 1), absolute !== null)
  if (host instanceof UrlFault) return host
  if (scheme === "") {
    scheme = GUESSES.find((name) => host.host.toLowerCase().startsWith(`${name}.`)) ?? "http"
  }
  const login = at < 0 ? null : authority!.slice(0, at)
  const colon = login === null ? -1 : login.indexOf(":")
  const [, path, query, fragment] = /^([^?#]*)(\?[^#]*)?(#.*)?$/s.exec(tail!)!
  const clean = options.pathAsIs ? path! : removeDots(path!)
  return {
    scheme,
    user: login === null ? null : percentDecode(colon < 0 ? login : login.slice(0, colon)),
    password: login === null || colon < 0 ? null : percentDecode(login.slice(colon + 1)),
    ...host,
    path: clean === "" ? "/" : clean,
    query: query === undefined ? null : query.slice(1),
    fragment: fragment === undefined || fragment === "#" ? null : fragment.slice(1)
  }
}

/**
 * What a Location, one character an octet, means seen from `base` (RFC 3986, section 5.2, as far as curl
 * goes).
 */
export function resolveUrl(base: Url, text: string, pathAsIs: boolean): Url | UrlFault {
  const location = encodeIllegal(text)
  if (/^[a-zA-Z][a-zA-Z0-9+.-]*:/.test(location)) return parseUrl(location, { pathAsIs, isRedirect: true })
  const origin = `${base.scheme}://${authorityOf(base)}`
  let path = base.path
  if (location.startsWith("//")) return parseUrl(`${base.scheme}:${location}`, { pathAsIs, isRedirect: true })
  if (location.startsWith("/")) path = ""
  else if (location.startsWith("#")) path += base.query === null ? "" : `?${base.query}`
  else if (!location.startsWith("?")) path = path.slice(0, path.lastIndexOf("/") + 1)
  return parseUrl(origin + path + location, { pathAsIs, isRedirect: true })
}

/** The whole of it, as `%{url_effective}` shows it. */
export function href(url: Url): string {
  const query = url.query === null ? "" : `?${url.query}`
  const fragment = url.fragment === null ? "" : `#${url.fragment}`
  return `${url.scheme}://${authorityOf(url)}${url.path}${query}${fragment}`
}

/** Of the URL, with the scheme's default. */
export function portOf(url: Url): number {
  return url.port ?? (url.scheme === "https" ? 443 : 80)
}

export function bracketed(url: { readonly host: string; readonly isIp6: boolean }): string {
  return url.isIp6 ? `[${url.host}]` : url.host
}

export function percentDecode(text: string): string {
  if (!text.includes("%")) return text
  const bytes: Array<number> = []
  for (let i = 0; i < text.length; i++) {
    const hex = /^%([0-9a-fA-F]{2})/.exec(text.slice(i, i + 3))
    if (hex !== null) {
      bytes.push(parseInt(hex[1]!, 16))
      i += 2
    } else bytes.push(...utf8Encode(text[i]!))
  }
  return utf8Decode(Uint8Array.from(bytes), 0, bytes.length)
}

function authorityOf(url: Url): string {
  const password = url.password === null ? "" : `:${url.password}`
  const login = url.user === null ? "" : `${url.user}${password}@`
  return `${login}${bracketed(url)}${url.port === null ? "" : `:${url.port}`}`
}

type Host = Pick<Url, "host" | "isIp6" | "port">

function parseHost(text: string, hasScheme: boolean): Host | UrlFault {
  const bracket = text.startsWith("[") ? text.indexOf("]") : -1
  if (text.startsWith("[") && bracket < 0) return BAD_IP6
  const name = bracket >= 0 ? text.slice(0, bracket + 1) : text.replace(/:.*$/s, "")
  const after = text.slice(name.length)
  let port: number | null = null
  if (after !== "") {
    const digits = after.slice(1)
    if (!after.startsWith(":") || (digits === "" && !hasScheme)) return PORT
    if (digits !== "") {
      if (!/^\d+$/.test(digits) || Number(digits) > 65_535) return PORT
      port = Number(digits)
    }
  }
  if (name === "") return NO_HOST
  if (bracket >= 0) {
    const ip = parseIp(name.slice(1, -1).replace(/%.*$/s, ""))
    return ip === null || family(ip) !== 6 ? BAD_IP6 : { host: format(ip), isIp6: true, port }
  }
  const ip4 = normalize4(name)
  if (ip4 !== null) return { host: ip4, isIp6: false, port }
  const host = percentDecode(name)
  return ILLEGAL_IN_HOST.test(host) ? BAD_HOST : { host, isIp6: false, port }
}

/** inet_aton's one to four numbers, decimal, octal or hexadecimal; null is a name. */
function normalize4(text: string): string | null {
  const parts = text.split(".")
  if (parts.length > 4) return null
  const numbers = parts.map((part) =>
    /^0x[0-9a-fA-F]+$/.test(part) ? parseInt(part.slice(2), 16)
      : /^0[0-7]*$/.test(part) ? parseInt(part, 8) : /^[1-9]\d*$/.test(part) ? Number(part) : NaN
  )
  const last = numbers.pop()!
  if (numbers.some((number) => !(number <= 255)) || !(last < 256 ** (4 - numbers.length))) return null
  return format4(numbers.reduce((word, number, i) => word + number * 256 ** (3 - i), last) | 0)
}

/** RFC 3986, section 5.2.4; `%2e` is a dot too. */
function removeDots(path: string): string {
  const out: Array<string> = []
  const segments = path.split("/")
  segments.forEach((segment, i) => {
    const plain = segment.replace(/%2e/gi, ".")
    const last = i === segments.length - 1
    if (plain === "." || plain === "..") {
      if (plain === ".." && out.length > 1) out.pop()
      if (last) out.push("")
    } else out.push(segment)
  })
  return out.join("/")
}

/** Blanks and octets above 0x7e as URLs have them: a blank in a query is a plus. */
function encodeIllegal(location: string): string {
  const at = location.indexOf("?")
  return location.replace(/[^\x21-\x7e]/g, (char, index: number) =>
    char === " " ? at >= 0 && index > at ? "+" : "%20"
      : `%${(char.charCodeAt(0) & 0xff).toString(16).padStart(2, "0").toUpperCase()}`
  )
}
