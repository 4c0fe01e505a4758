/**
 * How the body of a message is delimited (RFC 9112, section 6.3). Anything that two readers could understand
 * in two ways is refused, not repaired: Transfer-Encoding with Content-Length, Content-Lengths that differ, a
 * coding after chunked, Transfer-Encoding in HTTP/1.0.
 * Not supported: transfer codings other than chunked (501; RFC 9112, 6.1).
 */
import { type Fields, lower, trim } from "./fields.ts"
import type { Framing, HttpError } from "./message.ts"

export interface Delimited {
  readonly framing: Framing
  readonly length: number
}

const NONE: Delimited = { framing: "none", length: 0 }
const CHUNKED: Delimited = { framing: "chunked", length: 0 }

export function requestFraming(minor: number, fields: Fields): Delimited | HttpError {
  return fieldFraming(minor, fields) ?? NONE
}

/** `method` is the request's: a response to HEAD has no body whatever it says. */
export function responseFraming(
  method: string, minor: number, status: number, fields: Fields
): Delimited | HttpError {
  if (status === 101 || (method === "CONNECT" && status >= 200 && status < 300)) {
    return { framing: "tunnel", length: 0 }
  }
  if (method === "HEAD" || status < 200 || status === 204 || status === 304) return NONE
  const framing = fieldFraming(minor, fields)
  if (framing === null) return { framing: "close", length: 0 }
  return "status" in framing ? { status: 502, what: framing.what } : framing
}

function fieldFraming(minor: number, fields: Fields): Delimited | HttpError | null {
  const codings = fields.all("Transfer-Encoding")
  const lengths = fields.all("Content-Length")
  if (codings.length > 0) {
    if (minor === 0) return { status: 400, what: "Transfer-Encoding in HTTP/1.0" }
    if (lengths.length > 0) return { status: 400, what: "both Transfer-Encoding and Content-Length" }
    return transferFraming(codings)
  }
  if (lengths.length === 0) return null
  // "5, 5" is one value that an intermediary joined (RFC 9110, 8.6); "5, 6" nobody can read.
  const values = lengths.flatMap((line) => line.split(",")).map(trim)
  const [first] = values
  if (!values.every((value) => /^[0-9]+$/.test(value))) return { status: 400, what: "bad Content-Length" }
  if (values.some((value) => value !== first)) return { status: 400, what: "Content-Lengths that differ" }
  const length = Number(first)
  if (!Number.isSafeInteger(length)) return { status: 400, what: "bad Content-Length" }
  return { framing: "length", length }
}

function transferFraming(lines: ReadonlyArray<string>): Delimited | HttpError {
  const codings = lines.flatMap((line) => line.split(",")).map((word) => lower(trim(word)))
  if (codings.at(-1) !== "chunked" || codings.indexOf("chunked") !== codings.length - 1) {
    return { status: 400, what: "chunked is not the one last transfer coding" }
  }
  if (codings.includes("")) return { status: 400, what: "empty transfer coding" }
  return codings.length === 1 ? CHUNKED : { status: 501, what: "Unsupported transfer encoding" }
}
