/**
 * `agnhost netexec`, the server of Kubernetes' network tests: an HTTP server and a UDP server with the same
 * few commands (test/images/agnhost/netexec/netexec.go: its paths, texts and codes).
 * Not supported: TLS and SCTP, which end it with a word; /shell, which answers that there is no shell;
 * --delay-shutdown, which is said, as containers end at once: /readyz never tells of a shutdown.
 */
import type { Datagram } from "@podwire/netns"
import { ascii, latin1 } from "@podwire/wire/bytes"
import { type Ip, parse } from "@podwire/wire/ip"
import { goTime } from "../clock.ts"
import { type GoHandler, GoRequest } from "../go/http.ts"
import { mux, redirect } from "../go/mux.ts"
import { GoProcess, peerOf } from "../go/process.ts"
import type { GoResponse } from "../go/response.ts"
import { atoi, durationText, encode, json, parseDuration, quote } from "../go/text.ts"
import { first, parseTarget, type Values } from "../go/url.ts"
import type { HttpServer } from "../http/server.ts"
import type { Host } from "../process.ts"
import { lower } from "../http/fields.ts"
import { dial } from "./dial.ts"
import { upload } from "./upload.ts"

export const NETEXEC_FLAGS = {
  "http-port": 8080, "udp-port": 8081, "sctp-port": -1, "tls-cert-file": "", "tls-private-key-file": "",
  "http-override": "", "udp-listen-addresses": "", "delay-shutdown": 0
}
/** What net/http takes out of a request's Header. */
const NO_HEADER: ReadonlySet<string> = new Set(["host", "transfer-encoding", "trailer"])
/** What is read of a datagram. */
const UDP_OCTETS = 2048
export type NetexecFlags = typeof NETEXEC_FLAGS

export class Netexec extends GoProcess {
  readonly #startNs: number
  readonly #hostname: string
  #server: HttpServer | null = null
  #udpReady = false

  constructor(host: Host, argv: ReadonlyArray<string>, flags: NetexecFlags) {
    super(host, argv)
    this.#startNs = host.engine.nowNs
    this.#hostname = encode(host.hostname)
    this.#begin(flags)
  }

  #begin(flags: NetexecFlags): void {
    if (flags["tls-cert-file"] !== "") return this.#notModelled("TLS")
    if (flags["sctp-port"] !== -1) return this.#notModelled("SCTP")
    if (flags["delay-shutdown"] > 0) this.log("--delay-shutdown is not modelled: the container ends at once")
    if (flags["udp-port"] !== -1) this.#listenUdp(flags["udp-listen-addresses"], flags["udp-port"])
    if (!this.running) return
    const routes = this.#routes()
    this.log(`Started HTTP server on port ${flags["http-port"]}`)
    const override = flags["http-override"]
    this.#server = this.http(flags["http-port"], override === "" ? routes : overridden(override, routes))
    if (this.#server === null) this.fatal(this.problem)
  }

  #notModelled(what: string): void {
    this.fatal(`${what} is not modelled`)
  }

  #listenUdp(list: string, port: number): void {
    const addresses = [...new Set(list.split(","))].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0))
    for (const address of addresses) {
      const ip: Ip | null = address === "" ? null : parse(address)
      if (address !== "" && ip === null) return this.fatal(`parseAddress: invalid address ${address}`)
      if (this.udp(ip, port, (datagram) => this.#answerUdp(datagram)) === null) {
        const what = `failed to create listener for UDP address ${address}:${port}`
        return this.fatal(`Error occurred: ${what}:${this.problem}`)
      }
      this.log(`Started UDP server on port ${address} ${port}`)
      this.#udpReady = true
    }
  }

  #answerUdp(datagram: Datagram): Uint8Array | null {
    const { payload } = datagram
    const text = lower(latin1(payload, 0, Math.min(payload.length, UDP_OCTETS)))
      .replace(/^[\t-\r ]+|[\t-\r ]+$/g, "")
    if (text === "hostname") {
      this.log("Sending udp hostName response")
      return ascii(this.#hostname)
    }
    if (text.startsWith("echo ")) {
      this.log(`Echoing ${text.slice(5)} to UDP client ${peerOf(datagram)}\n`)
      return ascii(text.slice(5))
    }
    if (text === "clientip") {
      this.log(`Sending clientip back to UDP client ${peerOf(datagram)}\n`)
      return ascii(peerOf(datagram))
    }
    if (text !== "") this.log(`Unknown UDP command received from ${peerOf(datagram)}: ${text}\n`)
    return null
  }

  #routes(): GoHandler {
    const form = (then: (values: Values, response: GoResponse, request: GoRequest) => void): GoHandler =>
      (response, request) => {
        response.hold()
        request.form((values) => {
          response.held = false
          then(values, response, request)
          if (!response.held) response.finish()
        })
      }
    const hostname = (name: string): GoHandler => (response) => {
      this.log(`GET /${name}`)
      response.write(this.#hostname)
    }
    return mux({
      "/clientip": (response, request) => {
        this.log("GET /clientip")
        response.write(request.remoteAddr)
      },
      "/header": form((values, response, request) => this.#header(values, response, request)),
      "/dial": (response, request) => dial(this, response, request),
      "/echo": form((values, response) => this.#echo(values, response)),
      "/exit": form((values, response) => this.#exit(values, response)),
      "/healthz": (response) => {
        this.log("GET /healthz")
        response.status(this.#udpReady ? 200 : 412)
      },
      "/readyz": (response) => {
        this.log("GET /readyz")
        if (this.#udpReady) response.write("ok")
        else response.status(412)
      },
      "/hostname": hostname("hostname"),
      "/hostName": hostname("hostName"),
      "/redirect": form((values, response, request) => this.#redirect(values, response, request)),
      "/shell": form((values, response) => {
        const command = first(values, "shellCommand") || first(values, "cmd")
        this.log(`GET /shell?cmd=${command}`)
        response.write(json({ error: "not modelled: nothing real is executed" }))
      }),
      "/shutdown": () => {
        this.log("GET /shutdown")
        this.leave(0)
      },
      "/upload": (response, request) => upload(this, response, request)
    }, (response) => {
      this.log("GET /")
      response.write(`NOW: ${goTime(this.host.engine.nowNs, this.#startNs)}`)
    })
  }

  #echo(values: Values, response: GoResponse): void {
    const message = first(values, "msg")
    const codeText = first(values, "code")
    this.log(`GET /echo?msg=${message}&code=${codeText}`)
    if (codeText !== "") {
      const code = atoi(codeText)
      if (code === null) {
        return response.write(`argument 'code' must be an integer or empty, got ${quote(codeText)}\n`)
      }
      if (!response.status(code)) {
        return this.log(`http: panic serving: invalid WriteHeader code ${code}`)
      }
    }
    response.write(message)
  }

  /** One field's first value, or all as JSON with Go's names; without those that Go keeps elsewhere. */
  #header(values: Values, response: GoResponse, request: GoRequest): void {
    const key = first(values, "key")
    this.log(key === "" ? "GET /header" : `GET /header?key=${key}`)
    const fields = request.exchange.request.fields.list.filter(({ name }) => !NO_HEADER.has(lower(name)))
    if (key !== "") {
      return response.write(fields.find(({ name }) => lower(name) === lower(key))?.value ?? "")
    }
    const header = new Map<string, Array<string>>()
    for (const { name, value } of fields) {
      const canonical = lower(name).replace(/(^|-)[a-z]/g, (letter) => letter.toUpperCase())
      header.set(canonical, [...header.get(canonical) ?? [], value])
    }
    const sorted = [...header].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
    response.write(json(Object.fromEntries(sorted)))
  }

  #redirect(values: Values, response: GoResponse, request: GoRequest): void {
    const location = first(values, "location")
    const codeText = first(values, "code")
    this.log(`${request.method} /redirect?msg=${location}&code=${codeText}`)
    const code = codeText === "" ? 302 : atoi(codeText)
    if (code === null) {
      return response.write(`argument 'code' must be an integer or empty, got ${quote(codeText)}\n`)
    }
    redirect(response, request, location, code)
  }

  #exit(values: Values, response: GoResponse): void {
    const [waitText, timeoutText, codeText] =
      [first(values, "wait"), first(values, "timeout"), first(values, "code")]
    this.log(`GET /exit?code=${codeText}&timeout=${timeoutText}&wait=${waitText}`)
    const [timeoutNs, waitNs] = [timeoutText, waitText].map((text) => (text === "" ? 0 : parseDuration(text)))
    const code = codeText === "" ? 0 : atoi(codeText)
    const wrong = (name: string, kind: string, text: string) =>
      response.write(`argument '${name}' must be ${kind} or empty, got ${quote(text)}\n`)
    if (timeoutNs === null) return wrong("timeout", "a valid golang duration", timeoutText)
    if (waitNs === null) return wrong("wait", "a valid golang duration", waitText)
    if (code === null) return wrong("code", "an integer [0-127]", codeText)
    this.log(encode(`Will begin shutdown in ${durationText(waitNs!)}, allowing ${durationText(timeoutNs!)} ` +
      `for connections to close, then will exit with ${code}`))
    response.hold()
    this.after(waitNs! > 0 ? waitNs! : 0, () => {
      // An exit code is a byte.
      if (timeoutNs === 0) return this.leave(code & 0xff)
      response.finish()
      this.after(timeoutNs! > 0 ? timeoutNs! : 0, () => this.#shutDown("context deadline exceeded", code))
      this.#server!.shutdown(() => this.#shutDown("<nil>", code))
    })
  }

  #shutDown(error: string, code: number): void {
    if (!this.running) return
    this.log(`Graceful shutdown completed with: ${error}`)
    this.leave(code & 0xff)
  }
}

/** --http-override: every request is a GET of this path. */
function overridden(target: string, routes: GoHandler): GoHandler {
  const parsed = parseTarget(encode(target))
  return (response, request) => {
    if (parsed === null) {
      return response.error(`override request failed: parse ${quote(target)}: invalid URI`, 500)
    }
    routes(response, new GoRequest(request.exchange, parsed))
  }
}
