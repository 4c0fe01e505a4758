/** Any capture that the writers can write, as calls, and what a reader must find. */
import fc from "fast-check"
import { type PacketOptions, PcapngWriter, PcapWriter, type SectionOptions } from "pcap-writer"

export function collect(write: (sink: { write(chunk: Uint8Array): void }) => void): Uint8Array {
  const chunks: Array<Buffer> = []
  write({ write: (chunk) => chunks.push(Buffer.from(chunk)) })
  return new Uint8Array(Buffer.concat(chunks))
}

const count = fc.maxSafeNat()
const text = fc.string({ unit: "grapheme", maxLength: 20 })
const optional = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: null })

export const anyPacket = fc.record({
  bytes: fc.uint8Array({ maxLength: 200 }), more: fc.nat(1000), atNs: fc.maxSafeNat(),
  flags: optional(fc.nat(0xffff)), dropCount: optional(count), packetId: optional(count),
  verdict: optional(fc.record({ by: fc.constantFrom(0, 1, 2), value: fc.nat(255) })),
  comments: fc.array(text, { maxLength: 3 }), on: fc.nat()
})
export type AnyPacket = typeof anyPacket extends fc.Arbitrary<infer T> ? T : never

export const anyCapture = fc.record({
  bigEndian: fc.boolean(), bufferBytes: fc.integer({ min: 64, max: 4096 }),
  interfaces: fc.array(fc.record({
    name: text, description: optional(text), mac: optional(fc.nat(2 ** 48 - 1)), speed: optional(count)
  }), { minLength: 1, maxLength: 4 }),
  packets: fc.array(anyPacket, { maxLength: 20 })
})
export type AnyCapture = typeof anyCapture extends fc.Arbitrary<infer T> ? T : never

function given<T extends object>(fields: T): { [K in keyof T]: NonNullable<T[K]> } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null)) as never
}

/** The interfaces come when their first packet does, as in a run. */
export function writePcapng(capture: AnyCapture, more: Partial<SectionOptions> = {}): Uint8Array {
  return collect((sink) => {
    const { bigEndian, bufferBytes } = capture
    const writer = new PcapngWriter(sink, { application: "test", bigEndian, bufferBytes, ...more })
    const ids = new Map<number, number>()
    for (const { on, atNs, bytes, more, comments, ...rest } of capture.packets) {
      const index = on % capture.interfaces.length
      let id = ids.get(index)
      if (id === undefined) ids.set(index, id = writer.interface(given(capture.interfaces[index]!)))
      const originalLength = bytes.length + more
      const options: PacketOptions = { ...given(rest), comment: comments, originalLength }
      writer.packet(id, atNs, bytes, 0, bytes.length, options)
    }
    writer.flush()
  })
}

export function writePcap(capture: AnyCapture, nanosecond: boolean): Uint8Array {
  return collect((sink) => {
    const { bigEndian, bufferBytes } = capture
    const writer = new PcapWriter(sink, { nanosecond, bigEndian, bufferBytes })
    for (const { atNs, bytes, more } of capture.packets) {
      writer.packet(atNs, bytes, 0, bytes.length, bytes.length + more)
    }
    writer.flush()
  })
}
