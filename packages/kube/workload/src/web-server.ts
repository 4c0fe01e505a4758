/**
 * nginx and Apache's httpd as their images come: one page on port 80, answered as each of them answers a file
 * (fields and their order, the pages of errors, the log, how long it waits for another request).
 * Approximated: the page's words and length, its date, nginx's version where the image's tag has none.
 * Not supported: configuration and files of one's own, ranges, HTTP/0.9, TLS; conditions but If-None-Match
 * and the very date in If-Modified-Since.
 */
import { SECOND } from "@podwire/engine"
import { Errno, strerror } from "@podwire/netdev"
import { ascii } from "@podwire/wire/bytes"
import { accessDate, DATE_FIELD, EPOCH_SECONDS, httpDate } from "./clock.ts"
import { cleanPath, parseTarget } from "./go/url.ts"
import { decode } from "./go/text.ts"
import type { Dialect, Exchange } from "./http/connection.ts"
import { Fields } from "./http/fields.ts"
import { CUT_SHORT, LIMITS, persists, reasonOf } from "./http/message.ts"
import { HttpServer } from "./http/server.ts"
import { responseHead } from "./http/write.ts"
import { type Host, Process, type Program } from "./process.ts"
import { hostPort } from "./tcp-listener.ts"

interface Flavor {
  readonly name: string
  readonly page: string
  readonly etag: string
  readonly lastModified: string
  readonly backlog: number
  readonly patience: NonNullable<Dialect["patience"]>
  /** The field lines of an answer, in this server's order. */
  fields(answer: Answer, date: string, keep: boolean): ReadonlyArray<readonly [string, string]>
  errorPage(status: number, title: string): string
  title(status: number): string
  log(line: LogLine): string
}

interface Answer {
  readonly status: number
  readonly body: string
  /** The page itself, not an error. */
  readonly isPage: boolean
}

interface LogLine {
  readonly client: string
  readonly date: string
  readonly request: string
  readonly status: number
  readonly octets: number
  readonly referer: string
  readonly agent: string
}

const PORT = 80
const LOG_MOST = 10 << 20
const NGINX_VERSION = "1.29.0"
const NGINX_PAGE = "<!DOCTYPE html>\n<html>\n<head>\n<title>Welcome to nginx!</title>\n</head>\n<body>\n" +
  "<h1>Welcome to nginx!</h1>\n<p>A stand-in for nginx answered.</p>\n</body>\n</html>\n"
/** When the file was changed, and its size. */
const NGINX_ETAG = `"${EPOCH_SECONDS.toString(16)}-${NGINX_PAGE.length.toString(16)}"`
const HTTPD_MODIFIED = "Mon, 11 Jun 2007 18:53:14 GMT"
const HTTPD_ETAG = "\"2d-432a5e4a73a80\""
const NGINX_TOO_LARGE = 494
const NGINX_TITLES: ReadonlyMap<number, string> = new Map([
  [414, "Request-URI Too Large"], [405, "Not Allowed"], [503, "Service Temporarily Unavailable"],
  [NGINX_TOO_LARGE, "Request Header Or Cookie Too Large"]
])

/** `version` as the image's tag says it; another tag means some recent one. */
export function nginx(version: string | null): Program {
  const release = version ?? NGINX_VERSION
  return program({
    name: "nginx",
    page: NGINX_PAGE,
    etag: NGINX_ETAG,
    lastModified: httpDate(0),
    backlog: 511,
    patience: { firstNs: 60 * SECOND, nextNs: 65 * SECOND },
    fields: ({ body, isPage, status }, date, keep) => [
      ["Server", `nginx/${release}`], [DATE_FIELD, date],
      ...status === 304 ? []
        : [["Content-Type", "text/html"], ["Content-Length", String(body.length)]] as const,
      ...isPage ? [["Last-Modified", httpDate(0)]] as const : [],
      ["Connection", keep ? "keep-alive" : "close"],
      ...isPage ? [["ETag", NGINX_ETAG]] as const : [],
      ...isPage && status === 200 ? [["Accept-Ranges", "bytes"]] as const : []
    ],
    errorPage: (status, title) => status === NGINX_TOO_LARGE ? nginxPage(release, `400 ${title}`,
      `<center><h1>400 Bad Request</h1></center>\r\n<center>${title}</center>`)
      : nginxPage(release, `${status} ${title}`, `<center><h1>${status} ${title}</h1></center>`),
    title: (status) => NGINX_TITLES.get(status) ?? reasonOf(status),
    log: ({ client, date, request, status, octets, referer, agent }) =>
      `${client} - - [${date}] "${request}" ${status} ${octets} "${referer}" "${agent}" "-"\n`
  })
}

function nginxPage(release: string, title: string, body: string): string {
  return `<html>\r\n<head><title>${title}</title></head>\r\n<body>\r\n${body}\r\n` +
    `<hr><center>nginx/${release}</center>\r\n</body>\r\n</html>\r\n`
}

export const httpd: Program = program({
  name: "httpd",
  page: "<html><body><h1>It works!</h1></body></html>\n",
  etag: HTTPD_ETAG,
  lastModified: HTTPD_MODIFIED,
  backlog: 511,
  patience: { firstNs: 60 * SECOND, nextNs: 5 * SECOND },
  fields: ({ body, isPage, status }, date, keep) => [
    [DATE_FIELD, date], ["Server", "Apache/2.4.65 (Unix)"],
    ...isPage && status === 200 ? [["Last-Modified", HTTPD_MODIFIED]] as const : [],
    ...isPage ? [["ETag", HTTPD_ETAG]] as const : [],
    ...isPage && status === 200 ? [["Accept-Ranges", "bytes"]] as const : [],
    ...status === 304 ? [] : [["Content-Length", String(body.length)]] as const,
    ...keep ? [] : [["Connection", "close"]] as const,
    ...status === 304 ? []
      : [["Content-Type", isPage ? "text/html" : "text/html; charset=iso-8859-1"]] as const
  ],
  errorPage: (status, title) =>
    `<!DOCTYPE HTML PUBLIC "-//IETF//DTD HTML 2.0//EN">\n<html><head>\n<title>${status} ${title}</title>\n` +
    `</head><body>\n<h1>${title}</h1>\n</body></html>\n`,
  title: (status) => reasonOf(status),
  log: ({ client, date, request, status, octets }) =>
    `${client} - - [${date}] "${request}" ${status} ${octets === 0 ? "-" : octets}\n`
})

/** `..` above the root. */
function leavesRoot(path: string): boolean {
  let depth = 0
  for (const part of path.split("/")) {
    if (part === "..") depth--
    else if (part !== "" && part !== ".") depth++
    if (depth < 0) return true
  }
  return false
}

function program(flavor: Flavor): Program {
  const { name } = flavor
  return { name, synopsis: name, start: (host, argv) => new WebServer(host, argv, flavor) }
}

class WebServer extends Process {
  readonly #flavor: Flavor
  readonly #server: HttpServer

  constructor(host: Host, argv: ReadonlyArray<string>, flavor: Flavor) {
    super(host, argv)
    this.#flavor = flavor
    this.#server = new HttpServer(host, {
      dialect: {
        limits: LIMITS,
        patience: flavor.patience,
        lingers: ({ status }) => status !== 400,
        refuse: ({ status: cause, what }) => {
          if (what === CUT_SHORT) return null
          // nginx's code for a head that is too large; on the wire it is a bad request.
          const status = cause === 431 && flavor.name === "nginx" ? NGINX_TOO_LARGE : cause
          this.#log(null, status, 0)
          const answer = { status, body: this.#errorBody(status), isPage: false }
          return ascii(this.#answerText(answer, false, true))
        }
      },
      backlog: flavor.backlog,
      handler: (exchange) => this.#answer(exchange)
    })
    const errno = this.#server.open(PORT)
    if (errno === Errno.OK) return
    this.refused = { port: PORT, protocol: "TCP" }
    this.stderr = `${flavor.name}: bind() to 0.0.0.0:${PORT} failed (${errno}: ${strerror(errno)})\n`
    this.exit(1)
  }

  protected override release(): void {
    this.#server.close()
  }

  #answer(exchange: Exchange): void {
    const { request } = exchange
    const answer = this.#choose(exchange)
    const keep = persists(request) && answer.status !== 400 && request.method !== "TRACE"
    const withBody = request.method !== "HEAD" && answer.status !== 304
    this.#log(exchange, answer.status, withBody ? answer.body.length : 0)
    // The head leaves by writev, the file by sendfile: two writes.
    exchange.write(ascii(this.#answerText(answer, keep, false)))
    if (withBody) exchange.write(ascii(answer.body))
    // Set when the first answer is done (ngx_http_set_keepalive).
    exchange.connection.socket.noDelay = true
    exchange.readBody(() => {}, (whole) => exchange.end(keep && whole), true)
  }

  #choose(exchange: Exchange): Answer {
    const { method, target, fields } = exchange.request
    const path = parseTarget(target)?.path
    const status = path === undefined || leavesRoot(path) ? 400
      : method === "TRACE" ? 405
      : !["/", "/index.html"].includes(cleanPath(path)) ? 404
      : method !== "GET" && method !== "HEAD" ? 405
      : this.#isFresh(fields) ? 304 : 200
    const isPage = status === 200 || status === 304
    return { status, body: isPage ? this.#flavor.page : this.#errorBody(status), isPage }
  }

  /** RFC 9110, 13.2.2: If-Modified-Since counts only without If-None-Match. */
  #isFresh(fields: Fields): boolean {
    const { etag, lastModified } = this.#flavor
    const tags = fields.all("If-None-Match").flatMap((line) => line.split(",")).map((tag) => tag.trim())
    if (tags.length > 0) return tags.includes(etag) || tags.includes(`W/${etag}`) || tags.includes("*")
    return fields.get("If-Modified-Since") === lastModified
  }

  #errorBody(status: number): string {
    return this.#flavor.errorPage(status, this.#flavor.title(status))
  }

  #answerText(answer: Answer, keep: boolean, withBody: boolean): string {
    const fields = Fields.of(...this.#flavor.fields(answer, httpDate(this.host.engine.nowNs), keep))
    const status = answer.status === NGINX_TOO_LARGE ? 400 : answer.status
    const reason = status === answer.status ? this.#flavor.title(status) : reasonOf(status)
    const head = responseHead(status, reason, fields)
    return String.fromCharCode(...head) + (withBody ? answer.body : "")
  }

  #log(exchange: Exchange | null, status: number, octets: number): void {
    if (this.stdout.length > LOG_MOST) this.stdout = ""
    const socket = exchange?.connection.socket
    const request = exchange?.request
    const client = socket === undefined ? "-"
      : hostPort(socket.remote, socket.remotePort).replace(/:\d+$/, "")
    this.stdout += decode(this.#flavor.log({
      client: client.replace(/^\[|\]$/g, ""), date: accessDate(this.host.engine.nowNs), status, octets,
      request: request === undefined ? "-" : `${request.method} ${request.target} HTTP/1.${request.minor}`,
      referer: request?.fields.get("Referer") ?? "-", agent: request?.fields.get("User-Agent") ?? "-"
    }))
  }
}
