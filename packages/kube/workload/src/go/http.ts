/**
 * A server that answers as Go's net/http does: which fields in which order, when it counts, chunks or closes,
 * what it says to a malformed request, its socket options (net/http/server.go, net/tcpsock.go).
 * Handlers get a `GoRequest` and fill a `GoResponse`; who answers later calls `hold` and then `finish`.
 * Approximated: the answer leaves when the handler is done, not while it writes.
 * Not supported: flushing, hijacking, trailers of our own, HTTP/2, TLS. Stricter than Go: see parser.ts.
 */
import type { TcpSocket } from "@podwire/tcp"
import { ascii, latin1 } from "@podwire/wire/bytes"
import type { Dialect, Exchange } from "../http/connection.ts"
import { HttpServer } from "../http/server.ts"
import type { Host } from "../process.ts"
import { hostPort } from "../tcp-listener.ts"
import { GoResponse } from "./response.ts"
import { parseQuery, parseTarget, type Target, type Values } from "./url.ts"

/** DefaultMaxHeaderBytes and the 4096 octets that it lets slip. */
const HEADER_MOST = (1 << 20) + 4096
/** What FormValue reads of a form at most. */
const FORM_MOST = 10 << 20
const ERROR_FIELDS = "\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n"

/** Causes that the client is told (badRequestError); of the others it only learns that they were. */
const PUBLIC = new Set(["missing required Host header", "malformed Host header"])

const STATUS_TEXTS: ReadonlyMap<number, string> = new Map([
  [400, "Bad Request"], [431, "Request Header Fields Too Large"], [501, "Not Implemented"],
  [505, "HTTP Version Not Supported"]
])

const DIALECT: Dialect = {
  limits: { startLine: HEADER_MOST, fieldLine: HEADER_MOST, fields: HEADER_MOST, fieldCount: Infinity },
  refuse({ status: cause, what }) {
    // One limit for the whole head: a long target is too large as well.
    const status = cause === 414 ? 431 : cause
    const plain = `${status} ${STATUS_TEXTS.get(status) ?? "Bad Request"}`
    if (status === 501) return ascii(`HTTP/1.1 ${plain}${ERROR_FIELDS}${what}`)
    const line = status === 505 || (status === 400 && PUBLIC.has(what)) ? `${plain}: ${what}` : plain
    return ascii(`HTTP/1.1 ${line}${ERROR_FIELDS}${line}`)
  },
  lingers: ({ status }) => status === 431 || status === 414
}

export type GoHandler = (response: GoResponse, request: GoRequest) => void

export class GoRequest {
  readonly exchange: Exchange
  readonly target: Target

  constructor(exchange: Exchange, target: Target) {
    this.exchange = exchange
    this.target = target
  }

  get method(): string {
    return this.exchange.request.method
  }

  get path(): string {
    return this.target.path
  }

  get query(): Values {
    return parseQuery(this.target.rawQuery)
  }

  get host(): string {
    return this.target.host ?? this.exchange.request.fields.get("Host") ?? ""
  }

  get proto(): string {
    return `HTTP/1.${this.exchange.request.minor}`
  }

  get userAgent(): string {
    return this.exchange.request.fields.get("User-Agent") ?? ""
  }

  get remoteAddr(): string {
    const { remote, remotePort } = this.exchange.connection.socket
    return hostPort(remote, remotePort)
  }

  /**
   * The whole body; null when it is longer than `most`, broken, or the client left. `silently`: something was
   * written before, so who waits for 100 Continue gets none.
   */
  body(most: number, then: (body: string | null) => void, silently = false): void {
    let text = ""
    let tooLong = false
    this.exchange.readBody((bytes, at, end) => {
      if (text.length + end - at > most) tooLong = true
      else text += latin1(bytes, at, end)
      if (tooLong) this.exchange.pauseBody()
      if (tooLong) then(null)
    }, (whole) => {
      if (!tooLong) then(whole ? text : null)
    }, silently)
  }

  /** `FormValue`'s values: those of a form in the body before those of the query. */
  form(then: (values: Values) => void): void {
    const { method, query } = this
    const type = this.exchange.request.fields.get("Content-Type") ?? ""
    const isForm = /^application\/x-www-form-urlencoded *(;|$)/i.test(type)
    if (!["POST", "PUT", "PATCH"].includes(method) || !isForm) return then(query)
    this.body(FORM_MOST, (body) => {
      const values = new Map<string, ReadonlyArray<string>>(parseQuery(body ?? ""))
      for (const [key, list] of query) values.set(key, [...values.get(key) ?? [], ...list])
      then(values)
    })
  }
}

/** `http.ListenAndServe`. */
export function goServer(host: Host, handler: GoHandler): HttpServer {
  return new HttpServer(host, {
    dialect: DIALECT,
    tune: goTune,
    handler(exchange) {
      const { request } = exchange
      const response = new GoResponse(exchange, () => host.engine.nowNs)
      const target = parseTarget(request.method === "CONNECT" ? `http://${request.target}` : request.target)
      const expect = request.fields.get("Expect")
      if (target === null) {
        exchange.write(ascii(`HTTP/1.1 400 Bad Request${ERROR_FIELDS}400 Bad Request`))
        exchange.end(false)
      } else if (expect !== null && !request.fields.tokens("Expect").includes("100-continue")) {
        response.header.set("Connection", "close")
        response.status(417)
        response.finish()
      } else if (target.path === "*") answerStar(response, request.method)
      else {
        handler(response, new GoRequest(exchange, target))
        if (!response.held) response.finish()
      }
    }
  })
}

/** net.TCPConn's: no delay, and keep-alive probes as net.KeepAliveConfig has them by default. */
export function goTune(socket: TcpSocket): void {
  socket.noDelay = true
  socket.keepAlive = true
  socket.keepIdleSeconds = 15
  socket.keepIntervalSeconds = 15
  socket.keepCount = 9
}

/** serverHandler and globalOptionsHandler: what no mux sees. */
function answerStar(response: GoResponse, method: string): void {
  if (method === "OPTIONS") response.header.set("Content-Length", "0")
  else {
    response.header.set("Connection", "close")
    response.status(400)
  }
  response.finish()
}
