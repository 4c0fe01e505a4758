/**
 * Two packets of one flow, both drafted before either was confirmed, as two processors would: which of them
 * the clash costs. NAT is played by hand: it changes the answer that a draft waits for.
 */
import { expect, it } from "vitest"
import type { Frame } from "@podwire/netdev"
import { confirm } from "../../src/conntrack/confirm.ts"
import { tupleTaken } from "../../src/conntrack/conntrack.ts"
import { statsLine } from "../../src/conntrack/print.ts"
import { Status } from "../../src/conntrack/status.ts"
import { attach, track } from "../../src/conntrack/track.ts"
import * as tuples from "../../src/conntrack/tuple.ts"
import { PREROUTING } from "../../src/hook.ts"
import { Verdict } from "../../src/verdict.ts"
import { F, icmp, tcp, udp } from "./packets.ts"
import { Rig, stateOf } from "./rig.ts"

const A = { src: "10.0.0.1", dst: "10.96.0.10" }

function draft(rig: Rig, packet: Uint8Array): Frame {
  const frame = rig.frame(packet)
  track(rig.conntrack, frame, PREROUTING)
  return frame
}

/** What DNAT to `server` does to the draft that a frame carries. */
function dnat(rig: Rig, frame: Frame, server: number): void {
  const { table } = rig.conntrack
  const reply = table.tuple(frame.ct, 1, tuples.create())
  reply[tuples.SRC] = server
  table.setReply(frame.ct, reply)
  table.status[frame.ct]! |= Status.DST_NAT | Status.DST_NAT_DONE
}

function outcome(rig: Rig, ...frames: ReadonlyArray<Frame>): string {
  const verdicts = frames.map((frame) => confirm(rig.conntrack, frame) === Verdict.Drop ? "lost" : stateOf(frame))
  const { insert_failed, drop, clash_resolve } = rig.conntrack.stats
  expect(rig.conntrack.check()).toBeNull()
  return `${verdicts.join(", ")}; insert_failed=${insert_failed} drop=${drop} clash_resolve=${clash_resolve}`
}

const query = udp(A, 4000, 53, 30)
const SERVER = 0x0a000105

it("the same flow twice: the second joins the first", () => {
  const rig = new Rig({ nf_conntrack_acct: 1 })
  const [first, second] = [draft(rig, query), draft(rig, query)]
  expect(first.ct).not.toBe(second.ct)
  expect(outcome(rig, first, second)).toBe("NEW, NEW; insert_failed=0 drop=0 clash_resolve=1")
  expect(second.ct).toBe(first.ct)
  expect(rig.list()).toContain("packets=2 bytes=116 [UNREPLIED]")
  expect(rig.conntrack.count).toBe(1)
})

it("the same flow sent to one server twice: likewise", () => {
  const rig = new Rig()
  const [first, second] = [draft(rig, query), draft(rig, query)]
  for (const frame of [first, second]) dnat(rig, frame, SERVER)
  expect(outcome(rig, first, second)).toBe("NEW, NEW; insert_failed=0 drop=0 clash_resolve=1")
})

it("both ends began at once: the second is of the first's flow, turned around", () => {
  const rig = new Rig()
  const [first, second] = [draft(rig, query), draft(rig, udp({ src: A.dst, dst: A.src }, 53, 4000, 30))]
  expect(outcome(rig, first, second)).toBe("NEW, NEW; insert_failed=0 drop=0 clash_resolve=1")
  expect(second.ct).toBe(first.ct)
})

it("the same query sent to two servers: the second entry hears its answer for a second, unlisted by its query", () => {
  const rig = new Rig()
  const [first, second] = [draft(rig, query), draft(rig, query)]
  dnat(rig, first, SERVER)
  dnat(rig, second, SERVER + 1)
  expect(outcome(rig, first, second)).toBe("NEW, NEW; insert_failed=0 drop=0 clash_resolve=1")
  expect(second.ct).not.toBe(first.ct)
  const answer = (last: number): string => rig.send(udp({ src: `10.0.1.${last}`, dst: A.src }, 53, 4000, 9))
  expect([answer(5), answer(6)]).toEqual(["ESTABLISHED reply", "ESTABLISHED reply"])
  // The query itself is the first one's for good.
  expect(draft(rig, query).ct).toBe(first.ct)
  rig.wait(1)
  expect([answer(5), answer(6)]).toEqual(["ESTABLISHED reply", "NEW"])
  expect(rig.conntrack.check()).toBeNull()
})

it("another flow took the answer in the meantime: the packet is lost", () => {
  const rig = new Rig()
  const first = draft(rig, query)
  const second = draft(rig, udp({ src: "10.0.0.2", dst: "10.96.0.10" }, 4000, 53, 30))
  const { table } = rig.conntrack
  table.setReply(second.ct, table.tuple(first.ct, 1, tuples.create()))
  expect(outcome(rig, first, second)).toBe("NEW, lost; insert_failed=1 drop=1 clash_resolve=0")
  rig.pool.free(second)
  expect([rig.conntrack.check(), rig.conntrack.count]).toEqual([null, 1])
})

it.each([
  ["TCP", tcp(A, { sport: 4000, dport: 80, flags: F.SYN, seq: 1 })],
  ["ICMP", icmp(A, 8, 0, 1 << 16, new Uint8Array(4))]
])("%s has a state: the second packet is lost, and its like are of the first from then on", (_, packet) => {
  const rig = new Rig()
  expect(outcome(rig, draft(rig, packet), draft(rig, packet))).toBe("NEW, lost; insert_failed=1 drop=1 clash_resolve=0")
  expect(rig.send(packet)).toBe("NEW")
  expect(statsLine(rig.conntrack)).toContain("insert_failed=1 drop=1 ")
})

it("an answer of this host to a draft is not its confirmation", () => {
  const rig = new Rig()
  const frame = draft(rig, query)
  const answer = rig.frame(udp({ src: A.dst, dst: A.src }, 53, 4000, 0))
  attach(answer, frame)
  expect([stateOf(answer), confirm(rig.conntrack, answer), rig.list()]).toEqual(["RELATED reply", Verdict.Accept, ""])
})

it("a tuple is taken by another flow, not by itself nor by its own twin", () => {
  const rig = new Rig()
  const [first, twin] = [draft(rig, query), draft(rig, query)]
  const other = draft(rig, udp({ src: "10.0.0.2", dst: "10.96.0.10" }, 4000, 53, 30))
  const tuple = rig.conntrack.table.tuple(first.ct, 1, tuples.create())
  expect(tupleTaken(rig.conntrack, tuple, other.ct)).toBe(false)
  confirm(rig.conntrack, first)
  expect([first, twin, other].map(({ ct }) => tupleTaken(rig.conntrack, tuple, ct))).toEqual([false, false, true])
  expect(rig.conntrack.stats.found).toBe(1)
})
