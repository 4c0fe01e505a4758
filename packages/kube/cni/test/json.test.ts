import { compact, parse, print } from "@podwire/cni/json"
import fc from "fast-check"
import { expect, it } from "vitest"

/** The right column is what a binary built with Go's encoding/json said to the left one. */
it.each([
  ["", "unexpected end of JSON input"],
  ["{", "unexpected end of JSON input"],
  ["x", "invalid character 'x' looking for beginning of value"],
  ["{\"a\":1,}", "invalid character '}' looking for beginning of object key string"],
  ["{a:1}", "invalid character 'a' looking for beginning of object key string"],
  ["{\"a\" 1}", "invalid character '1' after object key"],
  ["{\"a\":1 \"b\":2}", "invalid character '\"' after object key:value pair"],
  ["[1 2]", "invalid character '2' after array element"],
  ["{} x", "invalid character 'x' after top-level value"],
  ["{\"a\":01}", "invalid character '1' after object key:value pair"],
  ["{\"a\":-}", "invalid character '}' in numeric literal"],
  ["{\"a\":1.}", "invalid character '}' after decimal point in numeric literal"],
  ["{\"a\":1e}", "invalid character '}' in exponent of numeric literal"],
  ["{\"a\":trux}", "invalid character 'x' in literal true (expecting 'e')"],
  ["tru", "invalid character ' ' in literal true (expecting 'e')"],
  ["\"\\x\"", "invalid character 'x' in string escape code"],
  ["\"\\u12g4\"", "invalid character 'g' in \\u hexadecimal character escape"],
  ["\"a\nb\"", "invalid character '\\n' in string literal"],
  ["'a'", "invalid character '\\'' looking for beginning of value"],
  ["é", "invalid character 'Ã' looking for beginning of value"]
])("%j: %s", (text, why) => {
  expect(parse(text)).toBe(why)
})

it("reads back whatever it or anybody writes", () => {
  fc.assert(fc.property(fc.jsonValue(), (value) => {
    const plain = JSON.parse(JSON.stringify(value))
    for (const text of [JSON.stringify(value), compact(plain), print(plain)]) {
      expect(JSON.parse(JSON.stringify(parse(text)))).toEqual({ value: plain })
    }
  }), { seed: 3, numRuns: 200 })
})

it("never throws, and agrees with JSON.parse on what is JSON", () => {
  const piece = fc.constantFrom("{", "}", "[", "]", ",", ":", "\"", "\\", "u", "0", "12", "-", ".", "e", "true", "null", " ", "a")
  fc.assert(fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
    const text = pieces.join("")
    let sound = true
    try {
      JSON.parse(text)
    } catch {
      sound = false
    }
    expect(typeof parse(text) !== "string").toBe(sound)
  }), { seed: 3, numRuns: 3000 })
})

it("writes with four spaces, and keeps HTML's characters escaped", () => {
  expect(print({ a: [], b: {}, c: ["<&>", 1, true, null] })).toBe(
    "{\n    \"a\": [],\n    \"b\": {},\n    \"c\": [\n        \"\\u003c\\u0026\\u003e\",\n        1,\n        true,\n        null\n    ]\n}")
})
