/** Talks of every kind: links, hosts and programs as bad as they may be. */
import type { LinkSpec } from "@podwire/netdev"
import fc from "fast-check"
import type { Ending, Side, Talk } from "./talk.ts"

const MILLISECOND = 1_000_000

/** Very few are as likely as many. */
const upTo = (most: number) =>
  fc.oneof(fc.nat(Math.min(most, 9)), fc.nat(most), fc.integer({ min: most >> 1, max: most }))

/** Loss up to `lossMax` in a million; the rest as bad as can be. */
export function link(lossMax: number): fc.Arbitrary<Partial<LinkSpec>> {
  const ppm = (most: number) => fc.oneof(fc.constant(0), fc.nat(most))
  return fc.record({
    delayNs: fc.oneof(fc.constant(0), fc.nat(300)).map((ms) => ms * MILLISECOND),
    jitterMs: fc.oneof(fc.constant(0), fc.nat(20), fc.nat(150)),
    lossPpm: ppm(lossMax), duplicatePpm: ppm(100_000), reorderPpm: ppm(100_000), corruptPpm: ppm(30_000),
    rate: fc.oneof(fc.constant(0), fc.integer({ min: 64_000, max: 100_000_000 })),
    queuePackets: fc.integer({ min: 3, max: 100 })
  }).map(({ jitterMs, rate, ...spec }) => ({
    ...spec,
    jitterNs: Math.min(jitterMs * MILLISECOND, spec.delayNs),
    reorderPpm: spec.delayNs === 0 ? 0 : spec.reorderPpm,
    rateBps: rate,
    queuePackets: rate === 0 ? 1000 : spec.queuePackets
  }))
}

/**
 * Without cookies for everybody: what comes late after the end would open another connection, as on Linux.
 * And without tcp_shrink_window: a small buffer full of what came early shuts the window before what is
 * missing, for ever.
 */
const sysctls = fc.record({
  tcp_sack: fc.constantFrom(1, 1, 0), tcp_timestamps: fc.constantFrom(1, 1, 0, 2),
  tcp_window_scaling: fc.constantFrom(1, 1, 0), tcp_dsack: fc.constantFrom(1, 1, 0),
  tcp_recovery: fc.constantFrom(1, 1, 0, 3),
  tcp_congestion_control: fc.constantFrom("cubic", "reno"), tcp_early_retrans: fc.constantFrom(3, 3, 0),
  tcp_frto: fc.constantFrom(2, 0), tcp_slow_start_after_idle: fc.constantFrom(1, 0),
  tcp_syncookies: fc.constantFrom(1, 1, 0), tcp_moderate_rcvbuf: fc.constantFrom(1, 0)
})

export function side(ending: Ending, octets: fc.Arbitrary<number>): fc.Arbitrary<Side> {
  return fc.record({
    octets, ending: fc.constant(ending),
    writeMax: fc.oneof(fc.integer({ min: 1, max: 64 }), fc.integer({ min: 1, max: 20_000 })),
    readMax: fc.oneof(fc.integer({ min: 1, max: 64 }), fc.integer({ min: 1, max: 20_000 })),
    rests: fc.oneof(fc.constant(0), fc.nat(60)),
    restNs: fc.constantFrom(10, 500, 3000).map((ms) => ms * MILLISECOND),
    rcvbuf: buffer(2304), sndbuf: buffer(4608),
    noDelay: fc.boolean(), mtu: fc.oneof(fc.constant(1500), fc.integer({ min: 1280, max: 9000 })), sysctls
    // Who writes octet by octet does not write many.
  }).map((given) => ({ ...given, octets: Math.min(given.octets, given.writeMax * 500) }))
}

/** Automatic, tiny, or any; at least what the kernel makes of 0. */
function buffer(min: number): fc.Arbitrary<number> {
  return fc.oneof(fc.constant(0), fc.integer({ min, max: 16_384 }), fc.integer({ min, max: 4_000_000 }))
}

const ENDINGS: ReadonlyArray<readonly [Ending, Ending]> = [
  ["shutdown", "shutdown"], ["shutdown", "after"], ["after", "shutdown"], ["close", "shutdown"],
  ["shutdown", "close"], ["close", "after"], ["after", "close"]
]

/** Who closes at once has nobody talk to it: that would be a reset. */
export function talk(lossMax: number, octetsMax: number): fc.Arbitrary<Talk> {
  const none = fc.constant(0)
  const some = upTo(octetsMax)
  return fc.constantFrom(...ENDINGS).chain(([one, other]) =>
    fc.record({
      seed: fc.nat(0xffff_ffff), family: fc.constantFrom(4, 6), forth: link(lossMax), back: link(lossMax),
      a: side(one, other === "close" ? none : some), b: side(other, one === "close" ? none : some)
    })
  )
}
