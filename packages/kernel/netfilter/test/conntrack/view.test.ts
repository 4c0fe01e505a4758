/** What a rule sees of a frame's connection, in both families. */
import { expect, it } from "vitest"
import { format } from "@podwire/wire/ip"
import { confirm } from "../../src/conntrack/confirm.ts"
import { EventLog } from "../../src/conntrack/print.ts"
import { track } from "../../src/conntrack/track.ts"
import { FrameView } from "../../src/conntrack/view.ts"
import { PREROUTING } from "../../src/hook.ts"
import { icmp, udp } from "./packets.ts"
import { Rig } from "./rig.ts"

it.each([["10.0.0.1", "10.0.0.9"], ["fd00:1:2:3:4:5:6:7", "fd00:9:8:7:6:5:4:3"]])("%s to %s", (src, dst) => {
  const rig = new Rig()
  const log = new EventLog(rig.conntrack)
  const view = new FrameView(rig.conntrack)
  rig.send(udp({ src, dst }, 4000, 53, 0))
  const frame = rig.frame(udp({ src: dst, dst: src }, 53, 4000, 0))
  track(rig.conntrack, frame, PREROUTING)
  view.setMark(frame, 0x8000_0001)
  confirm(rig.conntrack, frame)
  const words = src.includes(":") ? [0, 1, 2, 3] : [0]
  const seen = [0, 1].map((dir) => {
    const ends = [view.src, view.dst].map((end) => format(Int32Array.from(words, (i) => end.call(view, frame, dir as 0 | 1, i))))
    return `${ends[0]} ${view.srcPort(frame, dir as 0 | 1)} ${ends[1]} ${view.dstPort(frame, dir as 0 | 1)}`
  })
  expect(seen).toEqual([`${src} 4000 ${dst} 53`, `${dst} 53 ${src} 4000`])
  expect([view.tracked(frame), view.untracked(frame), view.info(frame), view.dir(frame), view.protocol(frame)])
    .toEqual([true, false, 0, 1, 17])
  expect([view.status(frame), view.expiresSec(frame), view.mark(frame) >>> 0]).toEqual([10, 30, 0x8000_0001])
  expect(log.lines.at(-1)).toMatch(/^ \[UPDATE\] udp .* mark=2147483649$/)
})

it("no connection", () => {
  const rig = new Rig()
  const view = new FrameView(rig.conntrack)
  const bad = rig.frame(icmp({ src: "10.0.0.1", dst: "10.0.0.2" }, 0, 0, 0, new Uint8Array(0)))
  track(rig.conntrack, bad, PREROUTING)
  const told = rig.frame(udp({ src: "10.0.0.1", dst: "10.0.0.2" }, 1, 2, 0))
  view.untrack(told)
  track(rig.conntrack, told, PREROUTING)
  expect([bad, told].map((frame) => [view.tracked(frame), view.untracked(frame)])).toEqual([[false, false], [false, true]])
  expect([rig.conntrack.count, rig.conntrack.stats.invalid]).toEqual([0, 1])
})
