/**
 * A request as Go's `Request.Write` writes it again (net/http/request.go, transfer.go): Host, User-Agent,
 * what delimits the body, then the other fields in the order of their canonical names.
 */
import { type Field, lower } from "../http/fields.ts"
import { persists } from "../http/message.ts"
import type { GoRequest } from "./http.ts"

const APART = new Set(["host", "user-agent", "content-length", "transfer-encoding", "trailer"])
const DEFAULT_AGENT = "Go-http-client/1.1"

export function requestText(request: GoRequest, body: string): string {
  const head = request.exchange.request
  const closes = !persists(head)
  const target = request.target.host === null ? head.target : head.target.replace(/^[^:]*:\/\/[^/?]*/, "")
  const agent = head.fields.get("User-Agent") ?? DEFAULT_AGENT
  const chunked = head.framing === "chunked"
  const counted = head.framing === "length" &&
    (head.length > 0 || ["POST", "PUT", "PATCH"].includes(head.method))
  const others = sorted(head.fields.list)
    .filter(({ name }) => !APART.has(lower(name)) && !(closes && name === "Connection"))
  return `${head.method} ${target === "" ? "/" : target} HTTP/1.1\r\nHost: ${request.host}\r\n` +
    (agent === "" ? "" : `User-Agent: ${agent}\r\n`) +
    (closes ? "Connection: close\r\n" : "") +
    (counted ? `Content-Length: ${head.length}\r\n` : chunked ? "Transfer-Encoding: chunked\r\n" : "") +
    `${others.map(({ name, value }) => `${name}: ${value}\r\n`).join("")}\r\n` +
    (!chunked ? body : `${body === "" ? "" : `${body.length.toString(16)}\r\n${body}\r\n`}0\r\n\r\n`)
}

/** With canonical names, in their order; the lines of one name in the order in which they came. */
export function sorted(fields: ReadonlyArray<Field>): Array<Field> {
  return fields.map(({ name, value }) => ({ name: canonical(name), value }))
    .sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0))
}

/** `textproto.CanonicalMIMEHeaderKey`. */
function canonical(name: string): string {
  return lower(name).replace(/(^|-)[a-z]/g, (start) => start.toUpperCase())
}
