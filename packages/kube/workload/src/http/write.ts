/**
 * Messages as octets (RFC 9112, sections 2.1 and 7.1). Text is one character an octet; who writes text beyond
 * ASCII encodes it first. What `Fields` holds cannot break a line; method and target are checked with
 * `isToken` and `isTarget` by whoever took them from outside.
 */
import { ascii, copy } from "@podwire/wire/bytes"
import type { Fields } from "./fields.ts"

const CRLF = Uint8Array.of(0x0d, 0x0a)
const NO_FIELDS: Pick<Fields, "list"> = { list: [] }

export function requestHead(
  method: string, target: string, fields: Pick<Fields, "list">, minor = 1
): Uint8Array {
  return ascii(`${method} ${target} HTTP/1.${minor}\r\n${fieldLines(fields)}\r\n`)
}

/** The space after the status stays when the reason is empty. */
export function responseHead(
  status: number, reason: string, fields: Pick<Fields, "list">, minor = 1
): Uint8Array {
  return ascii(`HTTP/1.${minor} ${status} ${reason}\r\n${fieldLines(fields)}\r\n`)
}

/** One chunk with its line ends; of no octets it is nothing, for an empty chunk would end the body. */
export function chunk(bytes: Uint8Array, at = 0, end = bytes.length): Uint8Array {
  if (at >= end) return new Uint8Array(0)
  const line = ascii(`${(end - at).toString(16)}\r\n`)
  const out = new Uint8Array(line.length + end - at + CRLF.length)
  copy(out, 0, line, 0, line.length)
  copy(out, line.length, bytes, at, end - at)
  copy(out, out.length - CRLF.length, CRLF, 0, CRLF.length)
  return out
}

export function lastChunk(trailers: Pick<Fields, "list"> = NO_FIELDS): Uint8Array {
  return ascii(`0\r\n${fieldLines(trailers)}\r\n`)
}

function fieldLines(fields: Pick<Fields, "list">): string {
  return fields.list.map(({ name, value }) => `${name}: ${value}\r\n`).join("")
}
