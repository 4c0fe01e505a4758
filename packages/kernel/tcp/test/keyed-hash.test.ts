import { Prng } from "@podwire/engine"
import { expect, it } from "vitest"
import { KeyedHash } from "../src/keyed-hash.ts"

it("is HalfSipHash-2-4: the authors' vectors for whole words", () => {
  // Key 00 01 .. 07, message 00 01 .. of 0, 4, 8, 12, 16, 20 octets; outputs read little-endian.
  const hash = new KeyedHash(0x0302_0100, 0x0706_0504)
  const words = Int32Array.of(0x0302_0100, 0x0706_0504, 0x0b0a_0908, 0x0f0e_0d0c, 0x1312_1110)
  const of = (count: number) => hash.begin().addAll(words.subarray(0, count)).end() >>> 0
  const got = [0, 1, 2, 3, 4, 5].map((count) => of(count).toString(16))
  expect(got).toEqual(["5b9f35a9", "89466e2a", "8f84b8d0", "2f87f057", "84acb5d9", "45104de3"])
})

it("draws its key from a stream", () => {
  const end = (seed: number) => KeyedHash.drawn(new Prng(seed, "x")).begin().add(1).end()
  expect(end(1)).toBe(end(1))
  expect(end(1)).not.toBe(end(2))
})
