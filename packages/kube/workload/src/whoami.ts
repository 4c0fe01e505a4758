/**
 * `traefik/whoami`: who answers and what was asked, as text, and as JSON at /api (its app.go). /health
 * answers with the code that was last posted to it; /bench with a digit.
 * Approximated: a body longer than 1 MiB is left out. Not supported: /data, /echo (WebSocket), TLS: 501 and a
 * word.
 */
import { format } from "@podwire/wire/ip"
import { accessDate } from "./clock.ts"
import { parseBool, parseGoFlags } from "./go/flags.ts"
import type { GoHandler, GoRequest } from "./go/http.ts"
import { mux } from "./go/mux.ts"
import { GoProcess } from "./go/process.ts"
import { requestText, sorted } from "./go/request-text.ts"
import { atoi, encode, json, parseDuration } from "./go/text.ts"
import { first } from "./go/url.ts"
import { Finished, type Host, type Program } from "./process.ts"

const FLAGS = { cert: "", key: "", cacert: "", port: "", name: "", verbose: false, "allowed-origins": "" }
/** Of a body that is written out again. */
const BODY_MOST = 1 << 20

export const whoami: Program = {
  name: "whoami",
  synopsis: "whoami [-port=PORT] [-name=NAME]",
  start(host, argv) {
    const flags = parseGoFlags(argv.slice(1), FLAGS)
    if (typeof flags === "string") return new Finished(host, argv, 2, "", `${flags}\n`)
    const { cert, key, port, name, verbose } = flags.values
    if (cert !== "" && key !== "") return new Finished(host, argv, 1, "", "TLS is not modelled\n")
    const origins = flags.values["allowed-origins"] || (host.env.get("WHOAMI_ALLOWED_ORIGINS") ?? "*")
    return new Whoami(host, argv, verbose, origins, port || (host.env.get("WHOAMI_PORT_NUMBER") ?? "80"),
      encode(name || (host.env.get("WHOAMI_NAME") ?? "")))
  }
}

class Whoami extends GoProcess {
  readonly #name: string
  #health = 200

  readonly #origins: string

  constructor(
    host: Host, argv: ReadonlyArray<string>, verbose: boolean, origins: string, port: string, name: string
  ) {
    super(host, argv)
    this.#name = name
    this.#origins = origins
    this.log(`Starting up on port ${port}`)
    const number = /^\d{1,5}$/.test(port) ? Number(port) : Infinity
    if (number > 65_535) this.fatal(`listen tcp: address ${port}: invalid port`)
    else {
      const routes = this.#routes()
      const logged: GoHandler = (response, request) => {
        routes(response, request)
        const { remoteAddr, method, path, proto } = request
        const date = accessDate(this.host.engine.nowNs)
        this.log(`${remoteAddr} - - [${date}] "${method} ${path} ${proto}" - -`)
      }
      if (this.http(number, verbose ? logged : routes) === null) this.fatal(this.problem)
    }
  }

  #routes(): GoHandler {
    const missing: GoHandler = (response) => response.error("not modelled", 501)
    return mux({
      "/data": missing,
      "/echo": missing,
      "/bench": (response) => {
        response.header.set("Connection", "keep-alive")
        response.header.set("Content-Type", "text/plain")
        response.write("1")
      },
      "/api": (response, request) => {
        response.header.set("Access-Control-Allow-Origin", this.#origins)
        response.header.set("Access-Control-Allow-Methods", "*")
        response.header.set("Content-Type", "application/json")
        response.write(`${json(this.#data(request))}\n`)
      },
      "/health": (response, request) => {
        if (request.method !== "POST") return void response.status(this.#health)
        response.hold()
        request.body(1024, (body) => {
          const code = atoi((body ?? "").trim())
          if (code === null) response.error("invalid character in literal", 400)
          else this.#health = code
          response.finish()
        })
      }
    }, (response, request) => {
      const waitNs = parseDuration(first(request.query, "wait")) ?? 0
      response.hold()
      const answer = () =>
        request.body(BODY_MOST, (body) => {
          response.write(this.#text(request, body ?? ""))
          response.finish()
        }, true)
      if (waitNs > 0) this.after(waitNs, answer)
      else answer()
    })
  }

  #text(request: GoRequest, body: string): string {
    const name = this.#name === "" ? "" : `Name: ${this.#name}\n`
    const ips = this.#ips().map((ip) => `IP: ${ip}\n`).join("")
    return `${name}Hostname: ${encode(this.host.hostname)}\n${ips}RemoteAddr: ${request.remoteAddr}\n` +
      requestText(request, body) + this.#environ(request).map(([key, value]) => `${key}=${value}\n`).join("")
  }

  #data(request: GoRequest): object {
    const headers = new Map<string, Array<string>>()
    const fields = sorted(request.exchange.request.fields.list)
    for (const { name, value } of fields) {
      if (name !== "Host") headers.set(name, [...headers.get(name) ?? [], value])
    }
    const environ = this.#environ(request)
    return {
      hostname: encode(this.host.hostname), ip: this.#ips(),
      ...fields.length > 1 ? { headers: Object.fromEntries(headers) } : {},
      url: request.exchange.request.target, host: request.host, method: request.method,
      ...this.#name === "" ? {} : { name: this.#name },
      remoteAddr: request.remoteAddr,
      ...environ.length === 0 ? {} : {
        environ: Object.fromEntries(environ.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)))
      }
    }
  }

  #environ(request: GoRequest): Array<[string, string]> {
    if (parseBool(first(request.query, "env")) !== true) return []
    return [...this.host.env].map(([key, value]) => [encode(key), encode(value)])
  }

  #ips(): ReadonlyArray<string> {
    return this.host.netns.addresses().map((address) => format(address.cidr.ip))
  }
}
