/**
 * What stands before a body: a request's or a response's start line and fields, and how its body is delimited
 * (RFC 9112, sections 3, 4 and 6.3).
 */
import type { Fields } from "./fields.ts"

/**
 * How the body ends: there is `none`, after `length` octets, with the `chunked` coding's last chunk, with the
 * connection's end (`close`, responses only). `tunnel`: no message follows, the octets belong to another
 * protocol.
 */
export type Framing = "none" | "length" | "chunked" | "close" | "tunnel"

export interface Request {
  readonly method: string
  /** As sent; one character an octet. */
  readonly target: string
  /** Of HTTP/1.x. */
  readonly minor: number
  readonly fields: Fields
  readonly framing: Framing
  /** Octets of the body when `framing` is "length", else 0. */
  readonly length: number
}

export interface Response {
  readonly minor: number
  readonly status: number
  readonly reason: string
  readonly fields: Fields
  readonly framing: Framing
  readonly length: number
}

/** Why a message is refused, and what a server answers then (a gateway that reads a response: 502). */
export interface HttpError {
  readonly status: number
  readonly what: string
}

/** `what` of a message that its sender did not finish. */
export const CUT_SHORT = "the stream ended inside a message"

export interface Limits {
  /** Octets of the start line without its end: else 414 for a request. */
  readonly startLine: number
  /** Octets of one field line without its end: else 431. */
  readonly fieldLine: number
  /** Octets of all field lines with their ends, and how many: else 431. Trailers count anew. */
  readonly fields: number
  readonly fieldCount: number
}

/**
 * RFC 9112, section 3, asks for 8000 octets of request line at least; the rest as generous as usual servers.
 */
export const LIMITS: Limits = { startLine: 8192, fieldLine: 8192, fields: 65_536, fieldCount: 200 }

/** Whether the connection outlives the message, as far as its sender is concerned (RFC 9112, 9.3). */
export function persists(head: Pick<Request, "minor" | "fields" | "framing">): boolean {
  if (head.framing === "close" || head.framing === "tunnel") return false
  const options = head.fields.tokens("Connection")
  if (options.includes("close")) return false
  return head.minor >= 1 || options.includes("keep-alive")
}

const REASONS: ReadonlyMap<number, string> = new Map([
  [100, "Continue"], [101, "Switching Protocols"], [102, "Processing"], [103, "Early Hints"], [200, "OK"],
  [201, "Created"], [202, "Accepted"], [203, "Non-Authoritative Information"], [204, "No Content"],
  [205, "Reset Content"], [206, "Partial Content"], [207, "Multi-Status"], [208, "Already Reported"],
  [226, "IM Used"], [300, "Multiple Choices"], [301, "Moved Permanently"], [302, "Found"], [303, "See Other"],
  [304, "Not Modified"], [305, "Use Proxy"], [307, "Temporary Redirect"], [308, "Permanent Redirect"],
  [400, "Bad Request"], [401, "Unauthorized"], [402, "Payment Required"], [403, "Forbidden"],
  [404, "Not Found"],
  [405, "Method Not Allowed"], [406, "Not Acceptable"], [407, "Proxy Authentication Required"],
  [408, "Request Timeout"], [409, "Conflict"], [410, "Gone"], [411, "Length Required"],
  [412, "Precondition Failed"], [413, "Request Entity Too Large"], [414, "Request URI Too Long"],
  [415, "Unsupported Media Type"], [416, "Requested Range Not Satisfiable"], [417, "Expectation Failed"],
  [418, "I'm a teapot"], [421, "Misdirected Request"], [422, "Unprocessable Entity"], [423, "Locked"],
  [424, "Failed Dependency"], [425, "Too Early"], [426, "Upgrade Required"], [428, "Precondition Required"],
  [429, "Too Many Requests"], [431, "Request Header Fields Too Large"],
  [451, "Unavailable For Legal Reasons"], [500, "Internal Server Error"], [501, "Not Implemented"],
  [502, "Bad Gateway"], [503, "Service Unavailable"], [504, "Gateway Timeout"],
  [505, "HTTP Version Not Supported"], [506, "Variant Also Negotiates"], [507, "Insufficient Storage"],
  [508, "Loop Detected"], [510, "Not Extended"], [511, "Network Authentication Required"]
])

/** As Go's `http.StatusText` has them; the empty text for what it does not know. */
export function reasonOf(status: number): string {
  return REASONS.get(status) ?? ""
}
