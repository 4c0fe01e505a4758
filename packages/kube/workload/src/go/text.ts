/**
 * Small things that Go programs share: durations, numbers, quoted text, JSON, as package time, strconv and
 * encoding/json print and read them. Go's strings are octets: here one character an octet, decoded only where
 * somebody reads them.
 */
import { type Ns, SECOND } from "@podwire/engine"
import { type Errno, strerror } from "@podwire/netdev"
import { ascii, latin1, utf8Decode, utf8Encode } from "@podwire/wire/bytes"

const UNITS: Readonly<Record<string, number>> = {
  ns: 1, us: 1e3, "\u00c2\u00b5s": 1e3, ms: 1e6, s: 1e9, m: 60e9, h: 3600e9
}

/** Octets to the text that they are in UTF-8. */
export function decode(octets: string): string {
  const bytes = ascii(octets)
  return utf8Decode(bytes, 0, bytes.length)
}

/** Text to octets. */
export function encode(text: string): string {
  const bytes = utf8Encode(text)
  return latin1(bytes, 0, bytes.length)
}

/** `time.ParseDuration`: null is an error. */
export function parseDuration(text: string): Ns | null {
  const [, sign, body] = /^([-+]?)(.*)$/.exec(text)!
  if (body === "0") return 0
  if (!/^(?:(?:\d+\.?\d*|\.\d+)(?:ns|us|\u00c2\u00b5s|ms|s|m|h))+$/.test(body!)) return null
  let sum = 0
  for (const [, number, unit] of body!.matchAll(/(\d+\.?\d*|\.\d+)(ns|us|\u00c2\u00b5s|ms|s|m|h)/g)) {
    sum += Math.round(Number(number) * UNITS[unit!]!)
  }
  return sign === "-" ? -sum : sum
}

/** `time.Duration.String`. */
export function durationText(ns: Ns): string {
  if (ns === 0) return "0s"
  const sign = ns < 0 ? "-" : ""
  const size = ns < 0 ? -ns : ns
  if (size < 1e3) return `${sign}${size}ns`
  if (size < 1e6) return `${sign}${size / 1e3}\u00b5s`
  if (size < SECOND) return `${sign}${size / 1e6}ms`
  const hours = Math.floor(size / 3600e9)
  const minutes = Math.floor(size / 60e9) % 60
  const rest = size % 60e9
  const fraction = String(rest % SECOND).padStart(9, "0").replace(/0+$/, "")
  const seconds = `${Math.floor(rest / SECOND)}${fraction === "" ? "" : `.${fraction}`}s`
  return `${sign}${hours > 0 ? `${hours}h` : ""}${size >= 60e9 ? `${minutes}m` : ""}${seconds}`
}

/** `strconv.Atoi`: null is an error. */
export function atoi(text: string): number | null {
  if (!/^[-+]?\d+$/.test(text)) return null
  const number = Number(text)
  return Number.isSafeInteger(number) ? number + 0 : null
}

/** `%q`: text between quotes with Go's escapes. */
export function quote(octets: string): string {
  let out = ""
  for (const char of decode(octets)) {
    const code = char.codePointAt(0)!
    out += char === "\"" || char === "\\" ? `\\${char}`
      : "\x07\b\t\n\v\f\r".includes(char) ? `\\${"abtnvfr"["\x07\b\t\n\v\f\r".indexOf(char)]}`
      : code < 0x20 || code === 0x7f ? `\\x${code.toString(16).padStart(2, "0")}` : char
  }
  return encode(`"${out}"`)
}

/** `json.Marshal` of strings, lists and maps (in the order of their keys): octets. */
export function json(value: unknown, indent = ""): string {
  const text = JSON.stringify(value, (_, inner: unknown) =>
    typeof inner === "string" ? decode(inner) : inner, indent)
  return encode(text.replace(/[<>&\u2028\u2029]/g, (char) =>
    `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`))
}

/** Go's syscall.Errno texts: glibc's in lower case. */
export function errnoText(errno: Errno): string {
  const text = strerror(errno)
  return text.slice(0, 1).toLowerCase() + text.slice(1)
}
