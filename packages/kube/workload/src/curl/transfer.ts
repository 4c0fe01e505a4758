/**
 * One URL from curl's start to its end: name, connection, request and response, and again for each redirect
 * and for a connection that had died unseen. Its notes and texts are those of lib/multi.c, url.c and http.c
 * of 8.14.
 */
import { MILLISECOND, type Ns, SECOND } from "@podwire/engine"
import { Errno } from "@podwire/netdev"
import type { TcpSocket } from "@podwire/tcp"
import { format, type Ip } from "@podwire/wire/ip"
import type { Host } from "../process.ts"
import type { Config } from "./config.ts"
import { Exchange, type ExchangeEvents } from "./exchange.ts"
import { Eyeballs, type EyeballsEvents, failedText } from "./eyeballs.ts"
import { Limits } from "./limits.ts"
import { Names } from "./names.ts"
import type { Connection, Pool } from "./pool.ts"
import { proxyVariable } from "./proxy.ts"
import { makeRequest, methodOf, withData } from "./request.ts"
import { Fault, type Response } from "./response.ts"
import { Stats } from "./stats.ts"
import type { Trace } from "./trace.ts"
import { href, parseUrl, portOf, resolveUrl, type Url, UrlFault } from "./url.ts"
import { Code } from "./words.ts"

/** CONN_MAX_RETRIES. */
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
  readonly #names: Names
  readonly #limits: Limits
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
  #phase: "resolving" | "connecting" | "asking" = "resolving"
  #isOver = false

  constructor(host: Host, pool: Pool, config: Config, trace: Trace, id: number, events: TransferEvents) {
    this.#host = host
    this.#pool = pool
    this.#config = config
    this.#trace = trace
    this.#events = events
    this.#names = new Names(host, pool, config, trace)
    this.#body = config.body
    this.#referer = config.referer
    this.stats = new Stats(host.engine, id)
    this.#limits = new Limits(host.engine, config, () => this.#timedOut(), () => this.#tooSlow(), () =>
      this.#exchange!.response.bodyBytes + this.#exchange!.bodySent)
  }

  start(text: string): void {
    this.#limits.start()
    const fault = this.#names.load()
    if (fault !== null) return this.#end(fault)
    this.stats.effectiveUrl = text
    const url = parseUrl(text, { pathAsIs: this.#config.pathAsIs, isRedirect: false })
    if (url instanceof UrlFault) return this.#refuse(Code.URL_MALFORMAT, `URL rejected: ${url.text}`)
    this.#firstUrl = url
    this.#begin(withData(this.#config, url))
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

  #begin(url: Url): void {
    this.#url = url
    this.#phase = "resolving"
    this.stats.effectiveUrl = href(url)
    this.stats.scheme = url.scheme
    this.stats.begin()
    this.#limits.connecting()
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
    const { host, port } = this.#names.destination(url)
    const key = `${url.host.toLowerCase()} ${portOf(url)} ${host.toLowerCase()} ${port}`
    const used = this.#pool.take(key, this.#trace)
    if (used !== null) {
      this.#connection = used
      this.#trace.note(`Re-using existing http: connection with host ${used.urlHost}`)
      this.stats.connected()
      this.#limits.connected()
      this.#ask()
      return
    }
    this.#connection = this.#pool.make(key, url.host, host)
    this.#names.find(host, port, (addresses) => this.#found(host, port, addresses))
  }

  #found(host: string, port: number, addresses: ReadonlyArray<Ip>): void {
    if (addresses.length > 0) return this.#open(addresses, port)
    this.#fail(new Fault(Code.COULDNT_RESOLVE_HOST, `Could not resolve host: ${host}`), "shutting down")
  }

  #open(addresses: ReadonlyArray<Ip>, port: number): void {
    this.stats.resolved()
    this.#phase = "connecting"
    this.#connection!.remotePort = port
    this.#eyeballs = new Eyeballs(this.#host, this.#config, this.#trace, port, this.#limits.deadlineNs, this)
    if (!this.#eyeballs.start(addresses)) this.#fail(new Fault(Code.COULDNT_CONNECT, ""), "closing", false)
  }

  connected(socket: TcpSocket, ip: Ip): void {
    const connection = this.#connection!
    this.#limits.connected()
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
    this.#limits.asking()
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
    this.#limits.answered()
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
        const text = `Maximum (${config.redirectsMost}) redirects followed`
        this.#trace.note(text)
        return this.#end(new Fault(Code.TOO_MANY_REDIRECTS, text))
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
      const code = next instanceof UrlFault ? Code.URL_MALFORMAT : Code.UNSUPPORTED_PROTOCOL
      return this.#end(new Fault(code, text))
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

  #tooSlow(): void {
    const { speedLimit, speedTimeNs } = this.#config
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
    this.#limits.release()
    this.#names.cancel()
    this.#eyeballs?.cancel()
    this.#exchange?.cancel()
  }
}
