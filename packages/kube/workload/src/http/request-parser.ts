/**
 * Requests (RFC 9112, section 3). An HTTP/1.1 request names its host in exactly one well-formed Host field,
 * else it is refused (3.2); texts of errors are those that Go's server prints where it prints any.
 */
import { type Fields, isTarget, isToken } from "./fields.ts"
import { requestFraming } from "./framing.ts"
import type { Request } from "./message.ts"
import { MessageParser } from "./parser.ts"

export class RequestParser extends MessageParser<Request> {
  protected override readonly cutStatus = 400
  /** RFC 9112, 2.2: of clients that send a line end after a body. */
  protected override readonly skipsEmptyLine = true
  protected override readonly longStartStatus = 414

  protected override checkStart(line: string): boolean {
    const [method, target, version, ...more] = line.split(" ")
    const numbers = /^HTTP\/([0-9])\.[0-9]$/.exec(version ?? "")
    if (more.length > 0 || numbers === null || !isToken(method!) || !isTarget(target!)) {
      this.fail(400, "malformed request line")
      return false
    }
    if (numbers[1] !== "1") {
      this.fail(505, "unsupported protocol version")
      return false
    }
    return true
  }

  protected override parseHead(line: string, fields: Fields): Request | null {
    const [method, target, version] = line.split(" ") as [string, string, string]
    const minor = Number(version.at(-1))
    const hosts = fields.all("Host")
    const problem = hosts.length === 0 && minor > 0 ? "missing required Host header"
      : hosts.length > 1 ? "too many Host headers"
      : hosts.length === 1 && !isHost(hosts[0]!) ? "malformed Host header" : null
    if (problem !== null) {
      this.fail(400, problem)
      return null
    }
    const framing = requestFraming(minor, fields)
    if ("status" in framing) {
      this.fail(framing.status, framing.what)
      return null
    }
    return { method, target, minor, fields, ...framing }
  }
}

/**
 * `uri-host [ ":" port ]` of RFC 3986 by its characters; the empty one stands for a target without authority.
 */
function isHost(text: string): boolean {
  return /^(?:\[[0-9A-Za-z:.%_~\-]+\]|[0-9A-Za-z\-._~!$&'()*+,;=%]*)(?::[0-9]*)?$/.test(text)
}
