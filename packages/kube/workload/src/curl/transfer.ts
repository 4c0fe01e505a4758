/**
 * One URL from curl's start to its end: name, connection, request and response, and again for each redirect and for a
 * connection that had died unseen. Its notes and texts are those of lib/multi.c, url.c and http.c of 8.14.
 */
import { CallbackTimer, MILLISECOND, type Ns, SECOND } from "@podwire/engine"
import { Errno } from "@podwire/netdev"
import type { TcpSocket } from "@podwire/tcp"
import { utf8Decode } from "@podwire/wire/bytes"
import { family, format, type Ip, LOOPBACK4, LOOPBACK6, parse as parseIp } from "@podwire/wire/ip"
import type { Host } from "../process.ts"
import { lookup } from "../resolve.ts"
import type { Config } from "./config.ts"
import { Exchange, type ExchangeEvents } from "./exchange.ts"
import { Eyeballs, type EyeballsEvents, failedText } from "./eyeballs.ts"
import type { Connection, Pool } from "./pool.ts"
import { makeRequest, methodOf } from "./request.ts"
import { Fault, type Response } from "./response.ts"
import { Stats } from "./stats.ts"
import type { Trace } from "./trace.ts"
import { href, parseUrl, portOf, resolveUrl, type Url, UrlFault } from "./url.ts"
import { Code } from "./words.ts"

/** CONNECT_TIMEOUT_DEFAULT; CONN_MAX_RETRIES. */
const CONNECT_TIMEOUT_NS = 300 * SECOND
const DEAD_MOST = 5

export interface TransferEvents {
  line(text: string): void
  body(bytes: Uint8Array, at: number, end: number): Fault | null
  ended(transfer: Transfer): void
}

export class Transfer implements ExchangeEvents, EyeballsEvents {
  readonly #host: Host
  readonly #pool: Pool
  readonly #config: Config
  readonly #trace: Trace
  readonly #events: TransferEvents
  readonly #total: CallbackTimer
  readonly #opening: CallbackTimer
  readonly #speed: CallbackTimer
  readonly stats: Stats
  /** Set when it has ended: the code, its text and the socket's errno behind it. */
  code: Code = Code.OK
  text = ""
  errno: Errno = Errno.OK

  #url: Url | null = null
  #body: Uint8Array | null
  #referer: string | null
  #firstUrl: Url | null = null
  #isFollow = false
  #noExpect = false
  #deadCount = 0
  /** Where the response leads; null when nowhere. */
  #next: Url | UrlFault | null = null
  #keepsFor417 = false
  #connection: Connection | null = null
  #eyeballs: Eyeballs | null = null
  #exchange: Exchange | null = null
  #cancelLookup: (() => void) | null = null
  #phase: "resolving" | "connecting" | "asking" = "resolving"
  #isOver = false
  #slowSeconds = 0
  #bytesBefore = 0

  constructor(host: Host, pool: Pool, config: Config, trace: Trace, id: number, events: TransferEvents) {
    this.#host = host
    this.#pool = pool
    this.#config = config
    this.#trace = trace
    this.#events = events
    this.#body = config.body
    this.#referer = config.referer
    this.stats = new Stats(host.engine, id)
    this.#total = new CallbackTimer(() => this.#timedOut())
    this.#opening = new CallbackTimer(() => this.#timedOut())
    this.#speed = new CallbackTimer(() => this.#tooSlow())
  }

  start(text: string): void {
    if (this.#config.maxTimeNs > 0) this.#host.engine.arm(this.#total, this.#config.maxTimeNs)
    if (!this.#loadResolves()) return
    this.stats.effectiveUrl = text
    const url = parseUrl(text, { pathAsIs: this.#config.pathAsIs, isRedirect: false })
    if (url instanceof UrlFault) return this.#refuse(Code.URL_MALFORMAT, `URL rejected: ${url.text}`)
    this.#firstUrl = url
    this.#begin(this.#withQuery(url))
  }

  /** No event follows. */
  cancel(): void {
    this.#isOver = true
    this.#disarm()
    this.#connection?.close()
  }

  /** Where a redirect that is not followed leads. */
  get redirectUrl(): string {
    if (this.#next === null) return ""
    return this.#next instanceof UrlFault ? "" : href(this.#next)
  }

  get method(): string {
    return methodOf(this.#config, this.#body)
  }

  get response(): Response | null {
    return this.#exchange?.response ?? null
  }

  get connection(): Connection | null {
    return this.#connection
  }

  #withQuery(url: Url): Url {
    const { useGet, data, query } = this.#config
    const added = [...query === null ? [] : [query], ...useGet && data !== null ? [textOf(data)] : []]
    if (added.length === 0) return url
    return { ...url, query: [...url.query === null || url.query === "" ? [] : [url.query], ...added].join("&") }
  }

  #begin(url: Url): void {
    const { engine } = this.#host
    this.#url = url
    this.#phase = "resolving"
    this.stats.effectiveUrl = href(url)
    this.stats.scheme = url.scheme
    this.stats.begin()
    engine.arm(this.#opening, this.#config.connectTimeoutNs > 0 ? this.#config.connectTimeoutNs : CONNECT_TIMEOUT_NS)
    if (url.scheme !== "http") {
      const tls = url.scheme === "https" ? ": TLS is not modelled in Podwire" : ""
      return this.#refuse(Code.UNSUPPORTED_PROTOCOL, `Protocol "${url.scheme}" not supported${tls}`)
    }
    const proxy = proxyVariable(this.#host, this.#config, url)
    if (proxy !== null) {
      return this.#refuse(Code.COULDNT_RESOLVE_PROXY, `Proxies are not modelled in Podwire: ${proxy} is set`)
    }
    this.#connect(url)
  }

  #connect(url: Url): void {
    const [host, port] = this.#destination(url)
    const key = `${url.host.toLowerCase()} ${portOf(url)} ${host.toLowerCase()} ${port}`
    const used = this.#pool.take(key, this.#trace)
    if (used !== null) {
      this.#connection = used
      this.#trace.note(`Re-using existing http: connection with host ${used.urlHost}`)
      this.stats.connected()
      this.#host.engine.disarm(this.#opening)
      this.#ask()
      return
    }
    this.#connection = this.#pool.make(key, url.host, host)
    this.#resolve(host, port)
  }

  /** The host and port to connect to, which --connect-to may change. */
  #destination(url: Url): [host: string, port: number] {
    const port = portOf(url)
    const entry = this.#config.connectTos.find((one) =>
      (one.host === "" || one.host.toLowerCase() === url.host.toLowerCase()) &&
      (one.port === null || one.port === port)
    )
    if (entry === undefined) return [url.host, port]
    if (entry.toHost !== "") this.#trace.note(`Connecting to hostname: ${entry.toHost}`)
    if (entry.toPort !== null) this.#trace.note(`Connecting to port: ${entry.toPort}`)
    return [entry.toHost === "" ? url.host : entry.toHost, entry.toPort ?? port]
  }

  #loadResolves(): boolean {
    const { nowNs } = this.#host.engine
    for (const entry of this.#config.resolves) {
      if (entry.fault !== null) {
        if (entry.fault !== "") this.#trace.note(entry.fault)
        const text = `Couldn't parse CURLOPT_RESOLVE entry '${entry.text}'`
        this.#trace.note(text)
        this.#end(new Fault(Code.SETOPT_OPTION_SYNTAX, text))
        return false
      }
      if (entry.addresses.length === 0) {
        this.#pool.forget(entry.host, entry.port)
        continue
      }
      const [host, port] = [entry.host.includes(":") ? `[${entry.host}]` : entry.host, entry.port]
      if (this.#pool.remember(entry.host, port, entry.addresses, nowNs, entry.ages)) {
        this.#trace.note(`RESOLVE ${host}:${port} - old addresses discarded`)
      }
      this.#trace.note(`Added ${host}:${port}:${entry.addressText} to DNS cache${entry.ages ? " (non-permanent)" : ""}`)
      if (host === "*") this.#trace.note(`RESOLVE *:${port} using wildcard`)
    }
    return true
  }

  #resolve(host: string, port: number): void {
    const known = this.#pool.known(host, port, this.#host.engine.nowNs)
    if (known !== null) {
      this.#trace.note(`Hostname ${host} was found in DNS cache`)
      return this.#open(known, port)
    }
    const literal = parseIp(host)
    if (literal !== null) {
      this.#pool.remember(host, port, [literal], this.#host.engine.nowNs, true)
      return this.#open([literal], port)
    }
    const { only } = this.#config
    if (/(^|\.)localhost\.?$/i.test(host)) return this.#resolved(host, port, [LOOPBACK6, LOOPBACK4])
    this.#cancelLookup = lookup(this.#host, host, only, (addresses) => {
      this.#cancelLookup = null
      if (!this.#isOver) this.#resolved(host, port, addresses)
    })
  }

  #resolved(host: string, port: number, addresses: ReadonlyArray<Ip>): void {
    const { only } = this.#config
    const own = addresses.filter((ip) => only === null || family(ip) === only)
    if (own.length === 0) {
      return this.#fail(new Fault(Code.COULDNT_RESOLVE_HOST, `Could not resolve host: ${host}`), "shutting down")
    }
    const list = (version: 4 | 6) => own.filter((ip) => family(ip) === version).map(format).join(", ") || "(none)"
    this.#trace.note(`Host ${host}:${port} was resolved.`)
    this.#trace.note(`IPv6: ${list(6)}`)
    this.#trace.note(`IPv4: ${list(4)}`)
    this.#pool.remember(host, port, own, this.#host.engine.nowNs, true)
    this.#open(own, port)
  }

  #open(addresses: ReadonlyArray<Ip>, port: number): void {
    this.stats.resolved()
    this.#phase = "connecting"
    this.#connection!.remotePort = port
    const deadlineNs = this.#total.armed
      ? Math.min(this.#total.deadlineNs, this.#opening.deadlineNs) : this.#opening.deadlineNs
    this.#eyeballs = new Eyeballs(this.#host, this.#config, this.#trace, port, deadlineNs, this)
    if (!this.#eyeballs.start(addresses)) this.#fail(new Fault(Code.COULDNT_CONNECT, ""), "closing", false)
  }

  connected(socket: TcpSocket, ip: Ip): void {
    const connection = this.#connection!
    this.#host.engine.disarm(this.#opening)
    connection.socket = socket
    connection.remote = ip
    connection.local = socket.local
    connection.localPort = socket.localPort
    this.stats.connects++
    this.stats.connected()
    const port = connection.remotePort
    this.#trace.note(`Connected to ${connection.hostName} (${format(ip)}) port ${port}`)
    this.#trace.note("using HTTP/1.x")
    this.#ask()
  }

  failed(code: Code, errno: Errno): void {
    const { hostName, remotePort } = this.#connection!
    const told = failedText(hostName, remotePort, this.stats.sinceBeginNs, code)
    this.#trace.note(told)
    this.errno = errno
    const fault = this.#eyeballs!.fault ??
      new Fault(errno === Errno.ETIMEDOUT ? Code.OPERATION_TIMEDOUT : code, told)
    this.#fail(fault, "closing", false)
  }

  #ask(): void {
    this.#phase = "asking"
    const config = this.#config
    const connection = this.#connection!
    const url = this.#url!
    const request = makeRequest(config, {
      url, body: this.#body, referer: this.#referer, noExpect: this.#noExpect,
      http10: config.http10 || connection.sawHttp10,
      firstHost: this.#isFollow ? this.#firstUrl!.host : null, trusted: this.#isTrusted(url)
    })
    if (request.note !== null) this.#trace.note(request.note)
    const options = {
      noBody: config.isHead, http09: config.http09, ignoreLength: config.ignoreLength, raw: config.raw,
      sizeMost: config.sizeMost
    }
    this.#next = null
    this.#keepsFor417 = false
    this.#exchange = new Exchange(this.#host.engine, connection, request, options, this.#trace, this)
    this.stats.asking(request.head.length)
    if (config.speedTimeNs > 0) this.#host.engine.arm(this.#speed, SECOND)
    this.#exchange.start(config.expectTimeoutNs)
  }

  /** The same host, port and scheme as at first, or --location-trusted. */
  #isTrusted(url: Url): boolean {
    const first = this.#firstUrl!
    return this.#config.trustRedirects ||
      (first.host.toLowerCase() === url.host.toLowerCase() && portOf(first) === portOf(url) &&
        first.scheme === url.scheme)
  }

  status(response: Response): void {
    if (response.minor === 0) this.#connection!.sawHttp10 = true
    this.stats.status = response.status
    this.stats.minor = response.minor
  }

  field(name: string, _value: string, response: Response): void {
    if (name.toLowerCase() !== "location" || !this.#config.follow || this.#exchange!.bodySent === 0) return
    const first = response.fields.filter(([other]) => other.toLowerCase() === "location").length === 1
    if (first && response.status >= 300 && response.status < 400) {
      this.#trace.note("Need to rewind upload for next request")
    }
  }

  line(text: string): void {
    this.stats.headBytes += text.length
    this.#events.line(text)
  }

  started(): void {
    this.stats.started()
  }

  sent(): void {
    this.stats.sent()
  }

  body(bytes: Uint8Array, at: number, end: number): Fault | null {
    return this.#events.body(bytes, at, end)
  }

  headEnds(response: Response): Fault | null {
    const { status } = response
    const config = this.#config
    if (config.failOnError && status >= 400) {
      const fault = new Fault(Code.HTTP_RETURNED_ERROR, `The requested URL returned error: ${status}`, true)
      this.#trace.note(fault.text)
      return fault
    }
    const location = response.field("location")
    if (status >= 300 && status < 400 && location !== null && location !== "") {
      this.#next = resolveUrl(this.#url!, location, config.pathAsIs)
    }
    if (status >= 300 && this.#body !== null) this.#unsentBody(response)
    if (this.#follows) {
      if (response.closes) response.isDone = true
      else {
        response.ignoresBody = true
        this.#trace.note("Ignoring the response-body")
      }
    }
    return null
  }

  /** An answer that is no success came before the body was sent. */
  #unsentBody(response: Response): void {
    const exchange = this.#exchange!
    if (exchange.isSent) return
    if (response.status === 417 && exchange.isWaiting) {
      this.#trace.note("Got HTTP failure 417 while waiting for a 100")
      this.#noExpect = true
      this.#keepsFor417 = true
    } else {
      this.#trace.note("HTTP error before end of send, stop sending")
      response.closes = true
    }
    exchange.abortSending()
  }

  get #follows(): boolean {
    return this.#keepsFor417 || (this.#config.follow && this.#next !== null)
  }

  ended(fault: Fault | null, died: boolean): void {
    const exchange = this.#exchange!
    this.#host.engine.disarm(this.#speed)
    this.stats.uploaded = exchange.bodySent
    this.stats.downloaded = exchange.response.bodyBytes
    if (died) return this.#again()
    if (fault !== null) {
      if (!fault.isTold) this.#trace.note(fault.text)
      return this.#fail(fault, fault.code === Code.GOT_NOTHING ? "shutting down" : "closing", false)
    }
    this.#release(exchange.response)
    if (this.#follows) this.#follow(exchange.response.status)
    else this.#end(null)
  }

  /** A connection that was kept had ended meanwhile: the same once more on a new one. */
  #again(): void {
    const connection = this.#connection!
    if (this.#deadCount++ >= DEAD_MOST) {
      const text = `Connection died, tried ${DEAD_MOST} times before giving up`
      return this.#fail(new Fault(Code.SEND_ERROR, text), "closing")
    }
    this.#trace.note(`Connection died, retrying a fresh connect (retry count: ${this.#deadCount})`)
    this.#trace.note(`shutting down connection #${connection.id}`)
    connection.close()
    this.#trace.note(`Issue another request to this URL: '${href(this.#url!)}'`)
    this.#isFollow = true
    this.#begin(this.#url!)
  }

  #release(response: Response): void {
    const connection = this.#connection!
    if (!response.closes) {
      this.#trace.note(`Connection #${connection.id} to host ${connection.hostName} left intact`)
      this.#pool.keep(connection)
    } else {
      this.#trace.note(`shutting down connection #${connection.id}`)
      connection.close()
    }
  }

  #follow(status: number): void {
    const config = this.#config
    if (!this.#keepsFor417) {
      if (this.stats.redirects >= config.redirectsMost) {
        const fault = new Fault(Code.TOO_MANY_REDIRECTS, `Maximum (${config.redirectsMost}) redirects followed`)
        this.#trace.note(fault.text)
        return this.#end(fault)
      }
      this.stats.redirects++
    }
    const before = this.#url!
    const next = this.#keepsFor417 ? before : this.#next!
    const fault = next instanceof UrlFault ? next.text
      : next.scheme === "http" ? null
      : `Unsupported URL scheme${next.scheme === "https" ? ": TLS is not modelled in Podwire" : ""}`
    if (next instanceof UrlFault || fault !== null) {
      const text = `The redirect target URL could not be parsed: ${fault}`
      this.#trace.note(text)
      return this.#end(new Fault(next instanceof UrlFault ? Code.URL_MALFORMAT : Code.UNSUPPORTED_PROTOCOL, text))
    }
    if (portOf(next) !== portOf(before)) {
      this.#trace.note(`Clear auth, redirects to port from ${portOf(before)} to ${portOf(next)}`)
    }
    this.#trace.note(`Issue another request to this URL: '${href(next)}'`)
    if (config.autoReferer) this.#referer = href({ ...before, user: null, password: null, fragment: null })
    const turns = status === 301 || status === 302 || status === 303
    if (turns && !config.keepPost.includes(status)) this.#body = null
    this.stats.redirected()
    this.#isFollow = true
    this.#begin(next)
  }

  #timedOut(): void {
    const { nowNs } = this.#host.engine
    const ms = (ns: Ns) => Math.floor(ns / MILLISECOND)
    let text: string
    if (this.#phase !== "asking") {
      const what = this.#phase === "resolving" ? "Resolving" : "Connection"
      text = `${what} timed out after ${ms(this.stats.sinceBeginNs)} milliseconds`
    } else {
      const { size, bodyBytes } = this.#exchange!.response
      const of = size < 0 ? "" : ` out of ${size}`
      text = `Operation timed out after ${ms(nowNs - this.stats.startNs)} milliseconds ` +
        `with ${bodyBytes}${of} bytes received`
    }
    this.#fail(new Fault(Code.OPERATION_TIMEDOUT, text), "closing")
  }

  /** Every second: for how many of them fewer octets came and went than --speed-limit asks for. */
  #tooSlow(): void {
    const { speedLimit, speedTimeNs } = this.#config
    const bytes = this.#exchange!.response.bodyBytes + this.#exchange!.bodySent
    this.#slowSeconds = bytes - this.#bytesBefore < speedLimit ? this.#slowSeconds + 1 : 0
    this.#bytesBefore = bytes
    if (this.#slowSeconds * SECOND < speedTimeNs) return this.#host.engine.arm(this.#speed, SECOND)
    const text = `Operation too slow. Less than ${speedLimit} bytes/sec transferred the last ` +
      `${speedTimeNs / SECOND} seconds`
    this.#fail(new Fault(Code.OPERATION_TIMEDOUT, text), "closing")
  }

  /** Before there is a connection. */
  #refuse(code: Code, text: string): void {
    this.#trace.note(text)
    this.#trace.note("closing connection #-1")
    this.#end(new Fault(code, text))
  }

  #fail(fault: Fault, how: "closing" | "shutting down", tell = true): void {
    const connection = this.#connection!
    if (tell && fault.text !== "") this.#trace.note(fault.text)
    this.#exchange?.cancel()
    this.#trace.note(`${how} connection #${connection.id}`)
    connection.close()
    this.#end(fault)
  }

  #end(fault: Fault | null): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#disarm()
    this.stats.end()
    this.code = fault?.code ?? Code.OK
    this.text = fault?.text ?? ""
    this.#events.ended(this)
  }

  #disarm(): void {
    const { engine } = this.#host
    engine.disarm(this.#total)
    engine.disarm(this.#opening)
    engine.disarm(this.#speed)
    this.#cancelLookup?.()
    this.#cancelLookup = null
    this.#eyeballs?.cancel()
    this.#exchange?.cancel()
  }
}

/** Octets of -d as they stand in a query: one character an octet when they are no UTF-8. */
function textOf(data: Uint8Array): string {
  return utf8Decode(data, 0, data.length)
}

/** The variable that would send this request through a proxy, or null. curl reads http_proxy in small letters only. */
function proxyVariable(host: Host, config: Config, url: Url): string | null {
  const name = ["http_proxy", "all_proxy", "ALL_PROXY"].find((one) => (host.env.get(one) ?? "") !== "")
  if (name === undefined) return null
  const direct = config.noProxy ?? host.env.get("no_proxy") ?? host.env.get("NO_PROXY") ?? ""
  const wanted = url.host.toLowerCase()
  const isDirect = direct.split(/[\s,]+/).some((word) => {
    const suffix = word.toLowerCase().replace(/^\./, "")
    return word === "*" || (suffix !== "" && (wanted === suffix || wanted.endsWith(`.${suffix}`)))
  })
  return isDirect ? null : name
}
