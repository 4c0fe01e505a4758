/**
 * netexec's /dial: real requests to another server, one after the other, and what came of them as JSON
 * (test/images/agnhost/netexec/netexec.go, dialHandler).
 * Not supported: SCTP, which fails each try.
 */
import { SECOND } from "@podwire/engine"
import { Errno } from "@podwire/netdev"
import { ascii, latin1 } from "@podwire/wire/bytes"
import { family, type Ip, parse } from "@podwire/wire/ip"
import { type Got, GoGet } from "../go/client.ts"
import type { GoRequest } from "../go/http.ts"
import type { GoProcess } from "../go/process.ts"
import type { GoResponse } from "../go/response.ts"
import { atoi, errnoText, json, quote } from "../go/text.ts"
import { first } from "../go/url.ts"
import { lower } from "../http/fields.ts"
import { resolve } from "../resolve.ts"
import { hostPort } from "../tcp-listener.ts"

const TIMEOUT_NS = 5 * SECOND
const UDP_OCTETS = 2048

export function dial(process: GoProcess, response: GoResponse, request: GoRequest): void {
  const { query } = request
  const [host, port, what, protocol, tryText] = ["host", "port", "request", "protocol", "tries"]
    .map((key) => first(query, key)) as [string, string, string, string, string]
  process.log(`GET /dial?host=${host}&protocol=${protocol}&port=${port}&request=${what}&tries=${tryText}`)
  const tries = tryText === "" ? 1 : atoi(tryText)
  if (tries === null) {
    const why = `strconv.Atoi: parsing ${quote(tryText)}: invalid syntax`
    return response.error(`tries parameter is invalid. ${why}`, 400)
  }
  if (what === "") return response.error("request parameter not specified. <nil>", 400)
  const kind = lower(protocol) === "" ? "http" : lower(protocol)
  if (!["http", "udp", "sctp"].includes(kind)) return response.error(`unsupported protocol. ${protocol}`, 400)
  const ip = parse(host) ?? resolve(process.host, host, null)
  const number = atoi(port)
  if (ip === null || number === null || number < 0 || number > 65_535) {
    const why = ip === null ? `lookup ${host}: no such host` : `address ${port}: invalid port`
    return response.error(`host and/or port param are invalid. ${why}`, 400)
  }
  response.hold()
  run(process, kind, ip, number, what, tries, response)
}

function run(
  process: GoProcess, kind: string, ip: Ip, port: number, what: string, tries: number, response: GoResponse
): void {
  const responses: Array<string> = []
  const errors: Array<string> = []
  let last = ""
  let left = tries
  const next = (): void => {
    if (left-- <= 0) {
      const output: Record<string, ReadonlyArray<string>> = {}
      if (errors.length > 0) output["errors"] = errors
      if (last !== "") output["responses"] = responses
      response.write(json(output))
      return response.finish()
    }
    once(process, kind, ip, port, what, (got) => {
      last = "body" in got ? got.body : ""
      if ("body" in got) responses.push(got.body)
      else errors.push(got.error)
      // Not from inside the socket's wake: a try begins when the one before has unwound.
      process.after(0, next)
    })
  }
  next()
}

function once(
  process: GoProcess, kind: string, ip: Ip, port: number, what: string, done: (got: Got) => void
): void {
  if (kind === "sctp") return done({ error: "sctp dial failed. err:protocol not supported" })
  if (kind === "udp") return dialUdp(process, ip, port, what, done)
  const url = `http://${hostPort(ip, port)}/${what}`
  const get = new GoGet(process.host, url, TIMEOUT_NS, (got) => {
    process.disowns(get)
    done(got)
  })
  process.owns(get)
  get.start()
}

function dialUdp(process: GoProcess, ip: Ip, port: number, what: string, done: (got: Got) => void): void {
  const socket = process.host.netns.udp(family(ip))
  let over = false
  const cancel = process.after(TIMEOUT_NS, () => broken("i/o timeout"))
  const finish = (got: Got) => {
    if (over) return
    over = true
    cancel()
    process.disowns(socket)
    socket.close()
    done(got)
  }
  const broken = (why: string) => {
    const from = hostPort(socket.local, socket.localPort)
    const between = `read udp ${from}->${hostPort(ip, port)}: ${why}`
    finish({ error: `reading from udp connection failed. err:'${between}'` })
  }
  process.owns(socket)
  const connected = socket.connect(ip, port)
  if (connected !== Errno.OK) {
    const why = `dial udp ${hostPort(ip, port)}: connect: ${errnoText(connected)}`
    return finish({ error: `udp dial failed. err:${why}` })
  }
  socket.onReceive = (_, { payload }) => {
    if (payload.length === 0) return broken("<nil>")
    finish({ body: latin1(payload, 0, Math.min(payload.length, UDP_OCTETS)) })
  }
  socket.onError = () => {
    const errno = socket.takeError()
    if (errno !== Errno.OK) broken(`read: ${errnoText(errno)}`)
  }
  const sent = socket.send(ascii(what))
  if (sent !== Errno.OK) {
    const from = `${hostPort(socket.local, socket.localPort)}->${hostPort(ip, port)}`
    return finish({ error: `udp connection write failed. err:write udp ${from}: write: ${errnoText(sent)}` })
  }
}
