/** URLs, globs and text in pieces: what holds for all of them. */
import { utf8Encode } from "@podwire/wire/bytes"
import { expandGlob } from "@podwire/workload/curl/glob"
import { base64 } from "@podwire/workload/curl/request"
import { href, parseUrl, resolveUrl, UrlFault } from "@podwire/workload/curl/url"
import { TextStream } from "@podwire/workload/text-stream"
import fc from "fast-check"
import { expect, it } from "vitest"

const OPTIONS = { pathAsIs: false, isRedirect: false }

it("a URL that was read and written is read the same", () => {
  const word = fc.string({ unit: fc.constantFrom("a", "Z", "0", "-", "%41", ".", "~"), minLength: 1, maxLength: 4 })
  const parts = fc.record({
    login: fc.option(word, { nil: "" }), host: fc.constantFrom("h", "a.b", "10.1", "[fd00::1]", "0x7f.1"),
    port: fc.option(fc.nat(65_535), { nil: null }), path: fc.array(word, { maxLength: 3 }), query: fc.option(word)
  })
  fc.assert(fc.property(parts, ({ login, host, port, path, query }) => {
    const text = `http://${login === "" ? "" : `${login}@`}${host}${port === null ? "" : `:${port}`}` +
      `${path.map((one) => `/${one}`).join("")}${query === null ? "" : `?${query}`}`
    const url = parseUrl(text, OPTIONS)
    if (url instanceof UrlFault) throw new Error(`${text}: ${url.text}`)
    const plain = { ...url, user: null }
    expect(parseUrl(href(plain), OPTIONS)).toEqual(plain)
  }), { seed: 1, numRuns: 300 })
})

it("a Location is read as browsers read it", () => {
  const base = parseUrl("http://user@h:81/a/b/c?q#f", OPTIONS)
  if (base instanceof UrlFault) throw new Error(base.text)
  const to = (location: string) => {
    const url = resolveUrl(base, location, false)
    return url instanceof UrlFault ? url.text : href(url)
  }
  expect([
    "d", "./d", "../d", "../../../d", "/d", "//other/d", "http://x/y z?a b", "?r", "#s", "d?x=/../y",
      "d/../e/.", "\u00c3\u00a4"
  ].map((location) => `${location} -> ${to(location)}`)).toMatchInlineSnapshot(`
    [
      "d -> http://user@h:81/a/b/d",
      "./d -> http://user@h:81/a/b/d",
      "../d -> http://user@h:81/a/d",
      "../../../d -> http://user@h:81/d",
      "/d -> http://user@h:81/d",
      "//other/d -> http://other/d",
      "http://x/y z?a b -> http://x/y%20z?a+b",
      "?r -> http://user@h:81/a/b/c?r",
      "#s -> http://user@h:81/a/b/c?q#s",
      "d?x=/../y -> http://user@h:81/a/b/d?x=/../y",
      "d/../e/. -> http://user@h:81/a/b/e/",
      "Ã¤ -> http://user@h:81/a/b/%C3%A4",
    ]
  `)
})

it("a glob is all its choices in order, the last one fastest", () => {
  const words = fc.array(fc.stringMatching(/^[a-z]{0,3}$/), { minLength: 2, maxLength: 4 })
  fc.assert(fc.property(words, words, (first, second) => {
    const matches = expandGlob(`http://h/{${first.join(",")}}-{${second.join(",")}}`)
    expect(matches).toEqual(first
      .flatMap((a) => second.map((b) => ({ url: `http://h/${a}-${b}`, chosen: [a, b] }))))
  }), { seed: 1, numRuns: 100 })
})

it("text in any pieces is the text", () => {
  fc.assert(fc.property(fc.string({ unit: "grapheme" }), fc.array(fc.nat(12)), (text, cuts) => {
    const bytes = utf8Encode(text)
    const stream = new TextStream()
    let out = ""
    let at = 0
    for (const cut of [...cuts, bytes.length]) {
      const end = Math.min(bytes.length, at + cut)
      out += stream.append(bytes, at, end)
      at = end
    }
    expect(out + stream.finish()).toBe(new TextDecoder().decode(bytes))
  }), { seed: 1, numRuns: 200 })
})

it("base64 is Node's", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 20 }), (bytes) => {
    expect(base64(bytes)).toBe(Buffer.from(bytes).toString("base64"))
  }), { seed: 1, numRuns: 200 })
})
