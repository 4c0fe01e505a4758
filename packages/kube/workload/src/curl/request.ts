/**
 * The octets that curl asks with (Curl_http of lib/http.c, 8.14): its fields in its order, those of -H in the
 * place of its own, and which of them do not follow a redirect to another host.
 */
import { utf8Decode, utf8Encode } from "@podwire/wire/bytes"
import type { Config } from "./config.ts"
import { bracketed, type Url } from "./url.ts"

export const USER_AGENT = "curl/8.14.1"
/** Bodies above it wait for "100 Continue" (EXPECT_100_THRESHOLD). */
const EXPECT_ABOVE = 1024 * 1024
const ENCODINGS = "deflate, gzip, br, zstd"

/** What this one request has besides what the command line says. */
export interface Asking {
  readonly url: Url
  /** Null once a redirect has turned the request into one without. */
  readonly body: Uint8Array | null
  readonly referer: string | null
  readonly http10: boolean
  /** The first host's name, when a redirect led here; else null. */
  readonly firstHost: string | null
  /** Credentials and cookies may go to this host. */
  readonly trusted: boolean
  /** The last answer was 417. */
  readonly noExpect: boolean
}

export interface Request {
  readonly method: string
  readonly head: Uint8Array
  readonly body: Uint8Array
  /** Whether to wait for "100 Continue" before the body. */
  readonly expects: boolean
  /** For -v, before the request; null is none. */
  readonly note: string | null
}

const NOTHING = new Uint8Array(0)

export function makeRequest(config: Config, asking: Asking): Request {
  const headers = headersOf(config)
  const custom = (name: string) => findHeader(headers, name)
  const { url, body } = asking
  const method = methodOf(config, body)
  const lines: Array<string> = []
  const query = url.query === null ? "" : `?${url.query}`
  const target = config.requestTarget ?? `${url.path}${query}`
  lines.push(`${method} ${target} HTTP/1.${asking.http10 ? 0 : 1}`)
  const host = hostLine(headers, asking)
  if (host !== null) lines.push(host)
  const auth = custom("Authorization") === null && asking.trusted ? authorization(config, url) : null
  if (auth !== null) lines.push(`Authorization: ${auth.scheme} ${auth.value}`)
  const reads = body === null
  if (config.range !== null && reads && custom("Range") === null) lines.push(`Range: bytes=${config.range}`)
  const agent = config.userAgent ?? USER_AGENT
  if (agent !== "" && custom("User-Agent") === null) lines.push(`User-Agent: ${agent}`)
  if (custom("Accept") === null) lines.push("Accept: */*")
  if (config.compressed && custom("Accept-Encoding") === null) lines.push(`Accept-Encoding: ${ENCODINGS}`)
  if (asking.referer !== null && custom("Referer") === null) lines.push(`Referer: ${asking.referer}`)
  if (config.cookies.length > 0 && custom("Cookie") === null && asking.trusted) {
    lines.push(`Cookie: ${config.cookies.join(";")}`)
  }
  for (const line of headers) {
    const sent = sentAs(line, host !== null, asking.trusted)
    if (sent !== null) lines.push(sent)
  }
  const chunked = /^chunked$/i.test(valueOf(custom("Transfer-Encoding") ?? ""))
  let expects = false
  if (body !== null) {
    if (!chunked && custom("Content-Length") === null) lines.push(`Content-Length: ${body.length}`)
    if (custom("Content-Type") === null) lines.push("Content-Type: application/x-www-form-urlencoded")
    const wish = custom("Expect")
    expects = !asking.http10 && !asking.noExpect &&
      (wish === null ? body.length > EXPECT_ABOVE : /^100-continue$/i.test(valueOf(wish)))
    if (expects && wish === null) lines.push("Expect: 100-continue")
  }
  return {
    method, head: utf8Encode(`${lines.join("\r\n")}\r\n\r\n`),
    body: body === null ? NOTHING : chunked ? asChunks(body) : body, expects,
    note: auth === null ? null : `Server auth using ${auth.scheme} with user '${auth.user}'`
  }
}

/** The URL with what --url-query and, with -G, the data options add to it. */
export function withData(config: Config, url: Url): Url {
  const { useGet, data, query } = config
  const text = useGet && data !== null ? [utf8Decode(data, 0, data.length)] : []
  const added = [...query === null ? [] : [query], ...text]
  if (added.length === 0) return url
  const before = url.query === null || url.query === "" ? [] : [url.query]
  return { ...url, query: [...before, ...added].join("&") }
}

/** HEAD, POST and GET, or what -X says; a POST that a redirect turned keeps what -X says. */
export function methodOf(config: Config, body: Uint8Array | null): string {
  return config.request ?? (config.isHead ? "HEAD" : body === null ? "GET" : "POST")
}

function headersOf(config: Config): ReadonlyArray<string> {
  if (!config.isJson) return config.headers
  const headers = [...config.headers]
  if (findHeader(headers, "Content-Type") === null) headers.push("Content-Type: application/json")
  if (findHeader(headers, "Accept") === null) headers.push("Accept: application/json")
  return headers
}

/** The line of -H with that name, `Name: …` or `Name;`. */
function findHeader(headers: ReadonlyArray<string>, name: string): string | null {
  return headers.find((line) =>
    line.slice(0, name.length).toLowerCase() === name.toLowerCase() && /^[:;]/.test(line.slice(name.length))
  ) ?? null
}

function valueOf(line: string): string {
  return line.replace(/^[^:]*:/, "").trim()
}

/** A line of -H on the wire: none for `Name:`, an empty field for `Name;`, none for what stands elsewhere. */
function sentAs(line: string, hostSent: boolean, trusted: boolean): string | null {
  const empty = /^([^:;]*);$/.exec(line)
  const colon = line.indexOf(":")
  if (empty === null && (colon < 1 || line.slice(colon + 1).trim() === "")) return null
  const name = (empty === null ? line.slice(0, colon) : empty[1]!).toLowerCase()
  if (hostSent && name === "host") return null
  if (!trusted && (name === "authorization" || name === "cookie")) return null
  return empty === null ? line : `${empty[1]}:`
}

function hostLine(headers: ReadonlyArray<string>, asking: Asking): string | null {
  const custom = findHeader(headers, "Host")
  const own = asking.firstHost === null || asking.firstHost.toLowerCase() === asking.url.host.toLowerCase()
  if (custom !== null && own) return custom.slice(4) === ":" ? null : `Host:${custom.slice(5)}`
  const { url } = asking
  const standard = url.port === null || url.port === (url.scheme === "https" ? 443 : 80)
  return `Host: ${bracketed(url)}${standard ? "" : `:${url.port}`}`
}

interface Authorization {
  readonly scheme: "Basic" | "Bearer"
  readonly user: string
  readonly value: string
}

/**
 * The command line's credentials before the URL's. A password that nobody gave is empty: nobody can be asked.
 */
function authorization(config: Config, url: Url): Authorization | null {
  if (config.bearer !== null) return { scheme: "Bearer", user: "", value: config.bearer }
  if (config.user === null && url.user === null) return null
  const given = config.user ?? `${url.user}:${url.password ?? ""}`
  const login = given.includes(":") ? given : `${given}:`
  return { scheme: "Basic", user: login.slice(0, login.indexOf(":")), value: base64(utf8Encode(login)) }
}

function asChunks(body: Uint8Array): Uint8Array {
  const first = utf8Encode(body.length === 0 ? "" : `${body.length.toString(16)}\r\n`)
  const last = utf8Encode(body.length === 0 ? "0\r\n\r\n" : "\r\n0\r\n\r\n")
  const out = new Uint8Array(first.length + body.length + last.length)
  out.set(first)
  out.set(body, first.length)
  out.set(last, first.length + body.length)
  return out
}

const LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

/** RFC 4648, section 4. */
export function base64(bytes: Uint8Array): string {
  let text = ""
  for (let i = 0; i < bytes.length; i += 3) {
    const word = (bytes[i]! << 16) | ((bytes[i + 1] ?? 0) << 8) | (bytes[i + 2] ?? 0)
    for (let k = 0; k < 4; k++) text += i + k > bytes.length ? "=" : LETTERS[(word >> (18 - 6 * k)) & 63]
  }
  return text
}
