import { hex } from "@podwire/wire/bytes"
import * as tcpOptions from "@podwire/wire/tcp-options"
import fc from "fast-check"
import { expect, it } from "vitest"

const { Fault, Options } = tcpOptions
const word = fc.integer({ min: -0x80000000, max: 0x7fffffff })

const options = fc.record({
  maxSegment: fc.constantFrom(-1, 0, 536, 1460, 65495), windowScale: fc.integer({ min: -1, max: 14 }),
  sackPermitted: fc.boolean(), hasTimestamps: fc.boolean(), tsValue: word, tsEcho: word,
  sack: fc.array(fc.tuple(word, word), { maxLength: 4 })
}).map(({ sack, tsValue, tsEcho, ...rest }) => {
  const made = Object.assign(new Options(), rest)
  if (made.hasTimestamps) Object.assign(made, { tsValue, tsEcho })
  made.sack.set(sack.flat())
  made.sackCount = sack.length
  return made
})

it("what was written is read again, words aligned, at most 40 octets; only SACK blocks may be left out", () => {
  fc.assert(fc.property(options, (wanted) => {
    const bytes = new Uint8Array(44).fill(0xee)
    const length = tcpOptions.write(bytes, 0, wanted)
    expect(length).toBe(tcpOptions.byteLength(wanted))
    expect(length % 4).toBe(0)
    expect(length).toBeLessThanOrEqual(tcpOptions.BYTES_MAX)
    const got = new Options()
    expect(tcpOptions.read(bytes, 0, length, got)).toBe(Fault.None)
    const blocks = got.sackCount
    expect(blocks).toBeLessThanOrEqual(wanted.sackCount)
    if (blocks < wanted.sackCount) expect(length + 8).toBeGreaterThan(tcpOptions.BYTES_MAX)
    const plain = (o: tcpOptions.Options) => ({ ...o, sackCount: 0, sack: [...o.sack.subarray(0, 2 * blocks)] })
    expect(plain(got)).toEqual(plain(wanted))
  }), { seed: 7, numRuns: 500 })
})

it("a SYN's options stand as Linux writes them", () => {
  const syn = Object.assign(new Options(), {
    maxSegment: 1460, sackPermitted: true, hasTimestamps: true, tsValue: 1, windowScale: 7
  })
  const bytes = new Uint8Array(40)
  const write = (o: tcpOptions.Options) => hex(bytes, 0, tcpOptions.write(bytes, 0, o))
  expect(write(syn)).toBe("020405b4" + "0402080a0000000100000000" + "01030307")
  expect(write(Object.assign(syn, { hasTimestamps: false }))).toBe("020405b4" + "01010402" + "01030307")
  const ack = Object.assign(new Options(), { hasTimestamps: true, tsValue: 1, tsEcho: 2, sackCount: 1 })
  ack.sack.set([3, 4])
  expect(write(ack)).toBe("0101080a0000000100000002" + "0101050a0000000300000004")
})

it.each([
  ["02040218 08", Fault.Truncated, { maxSegment: 536 }],
  ["02040218 0800", Fault.Length, { maxSegment: 536 }],
  ["02040218 080a0000", Fault.Length, { maxSegment: 536, hasTimestamps: false }],
  ["020302 030307", Fault.Size, { maxSegment: -1, windowScale: 7 }],
  ["050b0000000000000000000000 01", Fault.Size, { sackCount: 0 }],
  ["03030f", Fault.None, { windowScale: 14 }],
  ["00 020405b4", Fault.None, { maxSegment: -1 }],
  ["fe041234 1e02", Fault.None, { unknown: 2 }]
])("%s", (text, fault, wanted) => {
  const bytes = Uint8Array.from(text.replaceAll(" ", "").match(/../g)!.map((octet) => parseInt(octet, 16)))
  const got = new Options()
  expect(tcpOptions.read(bytes, 0, bytes.length, got)).toBe(fault)
  expect(got).toMatchObject(wanted)
})
