/**
 * -w (src/tool_writeout.c of curl 8.14): its variables with the values of this transfer. What there is none
 * of here (TLS, proxies, FTP) has the value that curl prints without it. `%output{}` is not supported and
 * stays as it is.
 */
import { SECOND } from "@podwire/engine"
import { format } from "@podwire/wire/ip"
import { USER_AGENT } from "./request.ts"
import type { Transfer } from "./transfer.ts"
import { parseUrl, portOf, type Url, UrlFault } from "./url.ts"

export interface Written {
  readonly stdout: string
  readonly stderr: string
}

/** What the transfer itself does not know. */
export interface Outcome {
  readonly transfer: Transfer
  readonly code: number
  readonly text: string
  readonly inputUrl: string
  readonly urlNumber: number
  /** The file that the body went to, or null. */
  readonly fileName: string | null
  readonly referer: string | null
}

export function writeOut(template: string, outcome: Outcome): Written {
  const written = { stdout: "", stderr: "" }
  let stream: "stdout" | "stderr" = "stdout"
  let at = 0
  while (at < template.length) {
    const rest = template.slice(at)
    const escape = /^\\([\s\S])/.exec(rest)
    const variable = /^%\{([^}]*)\}/.exec(rest)
    const header = /^%header\{([^}]*)\}/.exec(rest)
    if (rest.startsWith("%%")) {
      written[stream] += "%"
      at += 2
    } else if (variable !== null) {
      at += variable[0].length
      const name = variable[1]!
      if (name === "onerror") {
        if (outcome.code === 0) break
      } else if (name === "stdout" || name === "stderr") stream = name
      else if (name === "json") written[stream] += json(outcome)
      else if (name === "header_json") written[stream] += headerJson(outcome)
      else {
        const value = valueOf(name, outcome)
        if (value === undefined) written.stderr += `curl: unknown --write-out variable: '${name}'\n`
        else written[stream] += value === null ? "" : /^http_co|^response_code$/.test(name)
          ? String(value).padStart(3, "0") : String(value)
      }
    } else if (header !== null) {
      written[stream] += outcome.transfer.response?.field(header[1]!.toLowerCase()) ?? ""
      at += header[0].length
    } else if (escape !== null) {
      written[stream] += ESCAPES[escape[1]!] ?? escape[0]
      at += 2
    } else {
      written[stream] += template[at]!
      at++
    }
  }
  return written
}

const ESCAPES: Readonly<Record<string, string>> = { n: "\n", r: "\r", t: "\t" }

type Value = string | number | null

/** A number is printed bare in JSON, text quoted, null is `null` there and nothing in text. */
function valueOf(name: string, outcome: Outcome): Value | undefined {
  const part = /^url(e?)\.(\w+)$/.exec(name)
  if (part !== null) {
    const text = part[1] === "e" ? outcome.transfer.stats.effectiveUrl : outcome.inputUrl
    const read = PARTS[part[2]!]
    return read === undefined ? undefined : urlPart(text, read)
  }
  return VARIABLES[name]?.(outcome)
}

function urlPart(text: string, read: (url: Url) => string | null): string | null {
  const url = parseUrl(text, { pathAsIs: false, isRedirect: false })
  return url instanceof UrlFault ? null : read(url)
}

const PARTS: Readonly<Record<string, (url: Url) => string | null>> = {
  fragment: (url) => url.fragment, host: (url) => url.host, options: () => null,
  password: (url) => url.password, path: (url) => url.path, port: (url) =>
    String(portOf(url)), query: (url) => url.query,
  scheme: (url) => url.scheme, user: (url) => url.user, zoneid: () => null
}

/** In the order of the JSON object. */
const VARIABLES: Readonly<Record<string, (outcome: Outcome) => Value>> = {
  certs: () => "",
  conn_id: ({ transfer }) => transfer.connection?.id ?? -1,
  content_type: ({ transfer }) => transfer.response?.field("content-type") ?? null,
  errormsg: ({ code, text }) => code === 0 ? null : text,
  exitcode: ({ code }) => code,
  filename_effective: ({ fileName }) => fileName,
  ftp_entry_path: () => null,
  http_code: ({ transfer }) => transfer.stats.status,
  http_connect: () => 0,
  http_version: ({ transfer }) => transfer.stats.minor === null ? "0" : `1.${transfer.stats.minor}`,
  local_ip: ({ transfer }) => transfer.connection?.local == null ? "" : format(transfer.connection.local),
  local_port: ({ transfer }) => transfer.connection?.local == null ? -1 : transfer.connection.localPort,
  method: ({ transfer }) => transfer.method,
  num_certs: () => 0,
  num_connects: ({ transfer }) => transfer.stats.connects,
  num_headers: ({ transfer }) => transfer.response?.fields.length ?? 0,
  num_redirects: ({ transfer }) => transfer.stats.redirects,
  num_retries: ({ transfer }) => transfer.stats.retries,
  proxy_ssl_verify_result: () => 0,
  proxy_used: () => 0,
  redirect_url: ({ transfer }) => transfer.redirectUrl === "" ? null : transfer.redirectUrl,
  referer: ({ referer }) => referer,
  remote_ip: ({ transfer }) => transfer.connection?.remote == null ? "" : format(transfer.connection.remote),
  remote_port: ({ transfer }) => transfer.connection?.remote == null ? -1 : transfer.connection.remotePort,
  response_code: ({ transfer }) => transfer.stats.status,
  scheme: ({ transfer }) => transfer.stats.scheme === "http" ? "http" : null,
  size_download: ({ transfer }) => transfer.stats.downloaded,
  size_header: ({ transfer }) => transfer.stats.headBytes,
  size_request: ({ transfer }) => transfer.stats.requestBytes,
  size_upload: ({ transfer }) => transfer.stats.uploaded,
  speed_download: ({ transfer }) => speed(transfer.stats.downloaded, transfer.stats.totalNs),
  speed_upload: ({ transfer }) => speed(transfer.stats.uploaded, transfer.stats.totalNs),
  ssl_verify_result: () => 0,
  time_appconnect: () => seconds(0),
  time_connect: ({ transfer }) => seconds(transfer.stats.connectNs),
  time_namelookup: ({ transfer }) => seconds(transfer.stats.nameNs),
  time_posttransfer: ({ transfer }) => seconds(transfer.stats.posttransferNs),
  time_pretransfer: ({ transfer }) => seconds(transfer.stats.pretransferNs),
  time_queue: () => seconds(0),
  time_redirect: ({ transfer }) => seconds(transfer.stats.redirectNs),
  time_starttransfer: ({ transfer }) => seconds(transfer.stats.firstByteNs),
  time_total: ({ transfer }) => seconds(transfer.stats.totalNs),
  tls_earlydata: () => 0,
  url: ({ inputUrl }) => inputUrl,
  url_effective: ({ transfer }) => transfer.stats.effectiveUrl,
  urlnum: ({ urlNumber }) => urlNumber,
  xfer_id: ({ transfer }) => transfer.stats.id
}

function seconds(ns: number): string {
  const us = Math.floor(ns / 1000)
  return `${Math.floor(us / 1_000_000)}.${String(us % 1_000_000).padStart(6, "0")}`
}

/** Octets a second; what takes no time counts as a microsecond. */
function speed(bytes: number, ns: number): number {
  return Math.floor((bytes * SECOND) / Math.max(ns, 1000))
}

function json(outcome: Outcome): string {
  const names = [
    ...Object.keys(VARIABLES),
    ...["url", "urle"].flatMap((url) => Object.keys(PARTS).map((part) => `${url}.${part}`))
  ].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0))
  const members = names.map((name) => {
    const value = valueOf(name, outcome)
    const bare = typeof value === "number" || name.startsWith("time_")
    return `${quote(name)}:${value == null ? "null" : bare ? value : quote(String(value))}`
  })
  return `{${members.join(",")},"curl_version":"libcurl/${USER_AGENT.slice(5)}"}`
}

function headerJson(outcome: Outcome): string {
  const values = new Map<string, Array<string>>()
  for (const [name, value] of outcome.transfer.response?.fields ?? []) {
    const key = name.toLowerCase()
    values.set(key, [...values.get(key) ?? [], value])
  }
  const members = [...values].map(([name, list]) => `${quote(name)}:[${list.map(quote).join(",")}]`)
  return `{${members.join(",\n")}\n}`
}

function quote(text: string): string {
  return JSON.stringify(text)
}
