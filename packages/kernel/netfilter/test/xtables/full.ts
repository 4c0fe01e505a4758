/**
 * An environment in which every rule can be committed: what it has is simple, repeatable and the same for
 * everybody.
 */
import type { ConntrackView, Environment, RecentList } from "../../src/xtables/environment.ts"
import { Verdict } from "../../src/verdict.ts"

const conntrack: ConntrackView = {
  tracked: (frame) => frame.ct >= 0,
  untracked: (frame) => frame.ct < 0 && frame.ctinfo === 7,
  info: (frame) => frame.ctinfo % 3,
  dir: (frame) => frame.ctinfo >= 3 ? 1 : 0,
  status: (frame) => frame.ct,
  protocol: () => 6,
  src: () => 0x0a000001,
  dst: () => 0x0a000002,
  srcPort: () => 1000,
  dstPort: () => 80,
  expiresSec: () => 10,
  mark: () => 5,
  setMark: () => {},
  untrack: () => {},
  zone: () => {}
}

function list(): RecentList {
  return {
    find: (bytes, at) => bytes[at + 3]! % 2 === 0 ? 0 : -1, add: () => {}, touch: () => {}, remove: () => {},
    seen: () => true, reap: () => {}
  }
}

/** The n-th draw is always the same. */
export function full(): Environment {
  let draw = 1
  return {
    conntrack,
    routing: {
      addressType: (_family, bytes, at) => bytes[at]! % 3 === 0 ? 2 : 1,
      reversePath: () => true,
      mtuBytes: () => 1400
    },
    nat: { nat: () => Verdict.Accept, masquerade: () => Verdict.Accept, redirect: () => Verdict.Accept },
    random31() {
      draw = Math.imul(draw, 0x41c64e6d) + 12345
      return draw >>> 1
    },
    limit({ burst }) {
      let left = burst
      return { take: () => left-- > 0 }
    },
    hashLimit({ burst }) {
      let left = burst
      return { take: () => left-- > 0 }
    },
    recent: list,
    set: (name) => !name.startsWith("have") ? null
      : { dimensions: 1, contains: (packet) => packet.bytes[packet.dstAt + 3]! < 128 },
    account: (name) => !name.startsWith("have") ? null : { add: () => {} },
    reject: () => {},
    log: () => {}
  }
}
