/**
 * From a URL's host to addresses: --connect-to, --resolve, what this curl has looked up before, literals,
 * localhost (which curl answers itself), then the host's own names (lib/hostip.c of 8.14).
 */
import { family, format, type Ip, LOOPBACK4, LOOPBACK6, parse as parseIp } from "@podwire/wire/ip"
import type { Host } from "../process.ts"
import { lookup } from "../resolve.ts"
import type { Config } from "./config.ts"
import type { Pool } from "./pool.ts"
import { Fault } from "./response.ts"
import type { Trace } from "./trace.ts"
import { portOf, type Url } from "./url.ts"
import { Code } from "./words.ts"

export class Names {
  readonly #host: Host
  readonly #pool: Pool
  readonly #config: Config
  readonly #trace: Trace
  #takeBack: (() => void) | null = null
  /** Questions so far: an answer to one that was taken back is nobody's. */
  #asked = 0

  constructor(host: Host, pool: Pool, config: Config, trace: Trace) {
    this.#host = host
    this.#pool = pool
    this.#config = config
    this.#trace = trace
  }

  /** --resolve's entries, anew for each transfer as curl takes them. */
  load(): Fault | null {
    const { nowNs } = this.#host.engine
    for (const entry of this.#config.resolves) {
      if (entry.fault !== null) {
        if (entry.fault !== "") this.#trace.note(entry.fault)
        const text = `Couldn't parse CURLOPT_RESOLVE entry '${entry.text}'`
        this.#trace.note(text)
        return new Fault(Code.SETOPT_OPTION_SYNTAX, text)
      }
      if (entry.addresses.length === 0) {
        this.#pool.forget(entry.host, entry.port)
        continue
      }
      const [host, port] = [entry.host.includes(":") ? `[${entry.host}]` : entry.host, entry.port]
      if (this.#pool.remember(entry.host, port, entry.addresses, nowNs, entry.ages)) {
        this.#trace.note(`RESOLVE ${host}:${port} - old addresses discarded`)
      }
      const ages = entry.ages ? " (non-permanent)" : ""
      this.#trace.note(`Added ${host}:${port}:${entry.addressText} to DNS cache${ages}`)
      if (host === "*") this.#trace.note(`RESOLVE *:${port} using wildcard`)
    }
    return null
  }

  /** The host and port to connect to, which --connect-to may change. */
  destination(url: Url): { readonly host: string; readonly port: number } {
    const port = portOf(url)
    const entry = this.#config.connectTos.find((one) =>
      (one.host === "" || one.host.toLowerCase() === url.host.toLowerCase()) &&
      (one.port === null || one.port === port)
    )
    if (entry === undefined) return { host: url.host, port }
    if (entry.toHost !== "") this.#trace.note(`Connecting to hostname: ${entry.toHost}`)
    if (entry.toPort !== null) this.#trace.note(`Connecting to port: ${entry.toPort}`)
    return { host: entry.toHost === "" ? url.host : entry.toHost, port: entry.toPort ?? port }
  }

  /** None is an unknown name. */
  find(host: string, port: number, answer: (addresses: ReadonlyArray<Ip>) => void): void {
    const known = this.#pool.known(host, port, this.#host.engine.nowNs)
    if (known !== null) {
      this.#trace.note(`Hostname ${host} was found in DNS cache`)
      return answer(known)
    }
    const literal = parseIp(host)
    if (literal !== null) {
      this.#pool.remember(host, port, [literal], this.#host.engine.nowNs, true)
      return answer([literal])
    }
    const found = (addresses: ReadonlyArray<Ip>) => answer(this.#resolved(host, port, addresses))
    if (/(^|\.)localhost\.?$/i.test(host)) return found([LOOPBACK6, LOOPBACK4])
    const question = ++this.#asked
    this.#takeBack = lookup(this.#host, host, this.#config.only, (addresses) => {
      if (question === this.#asked) found(addresses)
    })
  }

  cancel(): void {
    this.#asked++
    this.#takeBack?.()
    this.#takeBack = null
  }

  #resolved(host: string, port: number, addresses: ReadonlyArray<Ip>): ReadonlyArray<Ip> {
    const { only } = this.#config
    const own = addresses.filter((ip) => only === null || family(ip) === only)
    if (own.length === 0) return own
    const list = (version: 4 | 6) =>
      own.filter((ip) => family(ip) === version).map(format).join(", ") || "(none)"
    this.#trace.note(`Host ${host}:${port} was resolved.`)
    this.#trace.note(`IPv6: ${list(6)}`)
    this.#trace.note(`IPv4: ${list(4)}`)
    this.#pool.remember(host, port, own, this.#host.engine.nowNs, true)
    return own
  }
}
