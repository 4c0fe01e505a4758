/** What holds for any octets: nothing throws, cuts change nothing, what is written is read as it was. */
import {
  chunk, Event, Fields, isFieldValue, isToken, lastChunk, requestHead, RequestParser, responseHead,
  ResponseParser
} from "@podwire/workload/http/index"
import { ascii } from "@podwire/wire/bytes"
import fc from "fast-check"
import { expect, it } from "vitest"
import { events } from "./events.ts"

const SEED = 2026
const RUNS = 400

const name = fc.stringMatching(/^[!#-'*+.^_`|~0-9A-Za-z-]{1,12}$/)
  .filter((text) => !/^(transfer-encoding|content-length|host|connection)$/i.test(text))
const value = fc.stringMatching(/^[\t\x20-\x7e\x80-\xff]{0,20}$/).map((text) => text.replace(/^[ \t]+|[ \t]+$/g, ""))
const pairs = fc.array(fc.tuple(name, value), { maxLength: 5 })
const target = fc.stringMatching(/^[!-~]{1,20}$/)
const body = fc.uint8Array({ maxLength: 60 })
const cuts = fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1, maxLength: 5 })

interface Message {
  readonly octets: Uint8Array
  readonly text: string
}

function join(...parts: ReadonlyArray<Uint8Array>): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => [...part]))
}

/** A request as it is written, and as `events` must show it. */
const request: fc.Arbitrary<Message> = fc.record({
  method: fc.stringMatching(/^[A-Z]{1,8}$/), target, pairs, body, trailers: pairs,
  chunked: fc.boolean(), size: fc.integer({ min: 1, max: 30 })
}).map(({ method, target, pairs, body, trailers, chunked, size }) => {
  const framed = Fields.of(["Host", "a"], ...pairs,
    chunked ? ["Transfer-Encoding", "chunked"] : ["Content-Length", String(body.length)])
  const chunks: Array<Uint8Array> = []
  for (let at = 0; at < body.length; at += size) chunks.push(chunk(body, at, Math.min(at + size, body.length)))
  const after = Fields.of(...trailers)
  const show = (fields: Fields, what: string) =>
    fields.list.map(({ name, value }) => `  ${what}${name}: ${value}\n`).join("")
  const data = String.fromCharCode(...body)
  return {
    octets: join(requestHead(method, target, framed), ...chunked ? [...chunks, lastChunk(after)] : [body]),
    text: `${method} ${target} 1.1 ${chunked ? "chunked" : `length ${body.length}`}\n${show(framed, "")}` +
      (body.length > 0 ? `  data ${JSON.stringify(data)}\n` : "") + (chunked ? show(after, "trailer ") : "") + "  end\n"
  }
})

it("requests in a row are read as they were written, in any cuts", () => {
  fc.assert(fc.property(fc.array(request, { maxLength: 3 }), cuts, (messages, cuts) => {
    const stream = join(...messages.map((message) => message.octets))
    expect(events(new RequestParser(), stream, cuts, true)).toBe(messages.map((message) => message.text).join(""))
  }), { seed: SEED, numRuns: RUNS })
})

it("a response is read as it was written, and written again octet by octet", () => {
  fc.assert(fc.property(fc.integer({ min: 200, max: 999 }), value, pairs, cuts, (status, reason, pairs, cuts) => {
    const octets = responseHead(status, reason, Fields.of(...pairs))
    const parser = new ResponseParser()
    expect(events(parser, octets, cuts)).toContain(`${status} ${reason} 1.1`)
    const { head } = parser
    expect(responseHead(head!.status, head!.reason, head!.fields, head!.minor)).toEqual(octets)
  }), { seed: SEED, numRuns: RUNS })
})

/** Near enough to HTTP that a mutation reaches every state. */
const GRIST = [
  "GET ", "/", " HTTP/1.1\r\n", "HTTP/1.1 200 OK\r\n", "HTTP/1.0 ", "Host: a\r\n", "\r\n", "\r\n\r\n",
  "\r", "\n", " ", "\t", ":", ";", "Content-Length: ", "Transfer-Encoding: chunked\r\n",
  "Connection: close\r\n",
  "5", "a", "0\r\n\r\n", "3\r\nabc\r\n", "\0", "\xff", "ffffffffffffffff"
]
const noise = fc.array(fc.oneof(
  { weight: 9, arbitrary: fc.constantFrom(...GRIST).map(ascii) },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 4 }) }
), { maxLength: 25 }).map((parts) => join(...parts))
const head = fc.constantFrom(
  "", "POST / HTTP/1.1\r\nHost: a\r\n", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n",
  "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n",
  "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
).map(ascii)

it("no octets throw, cuts change nothing, and an error is the last word", () => {
  let good = 0
  fc.assert(fc.property(head, noise, cuts, fc.boolean(), (head, noise, cuts, ends) => {
    const bytes = join(head, noise)
    const small = { startLine: 40, fieldLine: 30, fields: 60, fieldCount: 4 }
    for (const make of [() => new RequestParser(small), () => new ResponseParser(small)]) {
      const parser = make()
      const whole = events(parser, bytes, [Infinity], ends)
      expect(events(make(), bytes, cuts, ends)).toBe(whole)
      if (whole.includes("  end\n")) good++
      if (parser.event !== Event.ERROR) continue
      expect(parser.feed(ascii("GET / HTTP/1.1\r\n\r\n"))).toBe(0)
      expect(parser.event).toBe(Event.ERROR)
    }
  }), { seed: SEED, numRuns: 2000 })
  // The noise is not all noise.
  expect(good).toBeGreaterThan(100)
})

it("no field that was taken can begin a line of its own", () => {
  const text = fc.oneof(fc.string(), fc.stringMatching(/^[a-c:\r\n\0 \xff]{0,6}$/))
  fc.assert(fc.property(text, text, (name, value) => {
    const fields = new Fields()
    const taken = fields.add(name, value)
    expect(taken).toBe(isToken(name) && isFieldValue(value))
    expect(fields.set(name, value)).toBe(taken)
    const lines = String.fromCharCode(...responseHead(200, "OK", fields)).split("\r\n")
    expect(lines.length).toBe(taken ? 4 : 3)
    expect(lines.join("")).not.toMatch(/[\r\n\0]/)
  }), { seed: SEED, numRuns: RUNS })
})
