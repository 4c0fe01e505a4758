import { canonical, generateName, safeEncode, suffix, templateHash } from "@podwire/api/name"
import { Prng } from "@podwire/engine"
import { expect, it } from "vitest"

it("draws suffixes without vowels, the same from the same seed", () => {
  const draw = () => {
    const prng = new Prng(7, "names")
    return Array.from({ length: 200 }, () => suffix(prng))
  }
  expect(draw()).toEqual(draw())
  expect(draw().every((text) => /^[bcdfghjklmnpqrstvwxz2456789]{5}$/.test(text))).toBe(true)
  expect(new Set(draw()).size).toBe(200)
})

it("cuts a prefix so that the name stays a label", () => {
  const prng = new Prng(7, "names")
  expect(generateName("web-", prng)).toMatch(/^web-.{5}$/)
  const long = generateName("x".repeat(80), prng)
  expect(long).toHaveLength(63)
  expect(long.slice(0, 58)).toBe("x".repeat(58))
})

// rand.SafeEncodeString of the digits, as every pod-template-hash is made of.
it("writes digits in the alphabet of a pod-template-hash", () => {
  expect(safeEncode("0123456789")).toBe("456789bcdf")
})

it("hashes what a template says, not how it is written", () => {
  const a = { metadata: { labels: { app: "web", tier: "x" } }, spec: { containers: [{ name: "c", image: "i" }] } }
  const b = { spec: { containers: [{ image: "i", name: "c" }] }, metadata: { labels: { tier: "x", app: "web" } } }
  expect(canonical(a)).toBe('{"metadata":{"labels":{"app":"web","tier":"x"}},"spec":{"containers":[{"image":"i","name":"c"}]}}')
  expect(templateHash(a)).toBe(templateHash(b))
  expect(templateHash(a)).toMatch(/^[bcdfghjklmnpqrstvwxz2456789]{1,10}$/)
  expect(templateHash(a)).not.toBe(templateHash({ ...a, spec: { containers: [{ name: "c", image: "j" }] } }))
  expect(templateHash({ b: [{ c: "x", d: undefined }] })).toBe(templateHash({ b: [{ c: "x" }] }))
  expect(new Set([templateHash({}), templateHash({}, 0), templateHash({}, 1), templateHash([])]).size).toBe(4)
})
