/**
 * `traefik/whoami`: who answers and what was asked, as text, and as JSON at /api (its app.go). /health answers
 * with the code that was last posted to it; /bench with a digit.
 * Not supported: /data, /echo (WebSocket), TLS: 501 and a word.
 */
import { format } from "@podwire/wire/ip"
import { parseBool, parseGoFlags } from "./go/flags.ts"
import type { GoHandler, GoRequest } from "./go/http.ts"
import { mux } from "./go/mux.ts"
import { GoProcess } from "./go/process.ts"
import { atoi, encode, json, parseDuration } from "./go/text.ts"
import { first } from "./go/url.ts"
import { lower } from "./http/fields.ts"
import { Finished, type Host, type Program } from "./process.ts"

const FLAGS = { cert: "", key: "", cacert: "", port: "", name: "", verbose: false, "allowed-origins": "" }
/** What Go puts before the other fields when it writes a request, or leaves out. */
const APART = new Set(["host", "user-agent", "content-length", "transfer-encoding", "trailer"])

export const whoami: Program = {
  name: "whoami",
  synopsis: "whoami [-port=PORT] [-name=NAME]",
  start(host, argv) {
    const flags = parseGoFlags(argv.slice(1), FLAGS)
    if (typeof flags === "string") return new Finished(host, argv, 2, "", `${flags}\n`)
    const { cert, key, port, name } = flags.values
    if (cert !== "" && key !== "") return new Finished(host, argv, 1, "", "TLS is not modelled\n")
    return new Whoami(host, argv, port || (host.env.get("WHOAMI_PORT_NUMBER") ?? "80"),
      encode(name || (host.env.get("WHOAMI_NAME") ?? "")))
  }
}

class Whoami extends GoProcess {
  readonly #name: string
  #health = 200

  constructor(host: Host, argv: ReadonlyArray<string>, port: string, name: string) {
    super(host, argv)
    this.#name = name
    this.log(`Starting up on port ${port}`)
    const number = /^\d{1,5}$/.test(port) ? Number(port) : Infinity
    if (number > 65_535) this.fatal(`listen tcp: address ${port}: invalid port`)
    else if (this.http(number, this.#routes()) === null) this.fatal(this.problem)
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
        response.header.set("Access-Control-Allow-Origin", "*")
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
      const answer = () => response.write(this.#text(request))
      if (waitNs <= 0) return answer()
      response.hold()
      this.after(waitNs, () => {
        answer()
        response.finish()
      })
    })
  }

  #text(request: GoRequest): string {
    const { fields } = request.exchange.request
    const name = this.#name === "" ? "" : `Name: ${this.#name}\n`
    const ips = this.#ips().map((ip) => `IP: ${ip}\n`).join("")
    const agent = request.userAgent === "" ? "" : `User-Agent: ${request.userAgent}\r\n`
    const others = [...fields.list].filter((field) => !APART.has(lower(field.name)))
      .map((field) => ({ name: canonical(field.name), value: field.value }))
      .sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0))
      .map((field) => `${field.name}: ${field.value}\r\n`).join("")
    return `${name}Hostname: ${encode(this.host.hostname)}\n${ips}RemoteAddr: ${request.remoteAddr}\n` +
      `${request.method} ${request.exchange.request.target} HTTP/1.1\r\nHost: ${request.host}\r\n` +
      `${agent}${others}\r\n${this.#environ(request).map(([key, value]) => `${key}=${value}\n`).join("")}`
  }

  #data(request: GoRequest): object {
    const headers: Record<string, Array<string>> = {}
    const sorted = [...request.exchange.request.fields.list]
      .map((field) => ({ name: canonical(field.name), value: field.value }))
      .sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0))
    for (const { name, value } of sorted) if (name !== "Host") (headers[name] ??= []).push(value)
    const environ = this.#environ(request)
    return {
      hostname: encode(this.host.hostname), ip: this.#ips(),
      ...sorted.length > 1 ? { headers } : {},
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

/** textproto.CanonicalMIMEHeaderKey. */
function canonical(name: string): string {
  return lower(name).replace(/(^|-)[a-z]/g, (start) => start.toUpperCase())
}
