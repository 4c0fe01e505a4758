import * as vlan from "@podwire/wire/vlan"
import fc from "fast-check"
import { expect, it } from "vitest"
import { FRAMES } from "./support/frames.ts"

const run = { seed: 7, numRuns: 300 }
const tag = fc.record({ tpid: fc.constantFrom(0x8100, 0x88a8), priority: fc.nat({ max: 7 }), dropEligible: fc.boolean(), vid: fc.nat({ max: 4095 }) })

it("tags go on outermost and come off in reverse, and the frame is as it was", () => {
  fc.assert(fc.property(fc.array(tag, { maxLength: 4 }), fc.nat({ max: FRAMES.length - 1 }), (tags, which) => {
    const plain = FRAMES[which]!.bytes
    const bytes = new Uint8Array(32 + plain.length)
    bytes.set(plain, 32)
    let at = 32
    for (const { tpid, priority, dropEligible, vid } of tags) {
      at = vlan.insert(bytes, at, tpid, vlan.control(priority, dropEligible, vid))
      expect(vlan.read(bytes, at + 12)).toMatchObject({ tpid, priority, dropEligible, vid })
      expect(bytes.subarray(at, at + 12)).toEqual(plain.subarray(0, 12))
      expect(vlan.isTagged(bytes, at, bytes.length)).toBe(true)
    }
    for (const _ of tags) at = vlan.strip(bytes, at)
    expect(at).toBe(32)
    expect(bytes.subarray(at)).toEqual(plain)
  }), run)
})

it("a tag reads as it was written", () => {
  fc.assert(fc.property(tag, fc.nat({ max: 0xffff }), (fields, etherType) => {
    const bytes = new Uint8Array(6)
    expect(vlan.write(bytes, 0, { ...fields, etherType })).toBe(6)
    expect(vlan.read(bytes, 0)).toEqual({ ...fields, etherType })
  }), run)
})
