/**
 * Drawn conversations through a router that is a real kernel and through our tracker: every packet must be
 * classed the same, and in the end the same connections must be listed, in the same states, with the same
 * counts and lifetimes; the same must have been counted and told. A fixed seed and one new one each run,
 * which is printed. Needs root, unshare, iptables-legacy, conntrack and /dev/net/tun; says so and does
 * nothing where these are missing.
 */
import { describe, expect, it } from "vitest"
import { EventLog, procLine, statsLine } from "../../src/conntrack/print.ts"
import type { ConntrackConf } from "../../src/conntrack/conf.ts"
import { conversations } from "./drawn.ts"
import { compareLists, type KernelAnswer, type KernelEvent, likened, missing, play } from "./kernel.ts"
import { Rig } from "./rig.ts"

const why = missing()
if (why !== null) console.log(`skipped: no referee for connection tracking, ${why}`)

function referee(seed: number, count: number, sysctls: Partial<ConntrackConf>): number {
  const all = conversations(seed, count)
  const rig = new Rig(sysctls)
  const log = new EventLog(rig.conntrack)
  const events: Array<KernelEvent> = []
  const here: Array<ReadonlyArray<string>> = []
  for (const { steps } of all) {
    here.push(steps.map(({ from, packet, filtered }) => {
      events.push({ kind: "packet", from, packet })
      return rig.send(packet, filtered)
    }))
  }
  const ask = (): KernelAnswer => play([...events, { kind: "list" }], sysctls as Readonly<Record<string, number>>)
  // Ours takes no time. Where theirs took so much that a UDP flow became a stream, once more.
  let answer = ask()
  for (let again = 0; answer.elapsed > 1.9 && again < 3; again++) answer = ask()
  let packets = 0
  const different = all.flatMap(({ name, steps }, i) => {
    const there = steps.map(({ packet, filtered }) => {
      return answer.states.get(nameOf(packet)) ?? (filtered ? "filtered" : "DROP")
    })
    packets += steps.length
    if (there.every((state, k) => state === here[i]![k])) return []
    const rows = steps.map(({ text }, k) => `  ${text}: ${there[k]}${there[k] === here[i]![k] ? "" : `, WE ${here[i]![k]}`}`)
    return [`${name}\n${rows.join("\n")}`]
  })
  expect(different.slice(0, 5).join("\n"), `seed ${seed}: ${different.length} of ${count}`).toBe("")
  const tool = compareLists(answer.lists[0]!.tool, rig.list())
  expect(tool.here, `seed ${seed}`).toBe(tool.there)
  const proc = [...rig.conntrack.entries()].map((ct) => procLine(rig.conntrack, ct)).join("\n")
  const files = compareLists(answer.lists[0]!.proc, proc)
  expect(files.here, `seed ${seed}`).toBe(files.there)
  expect(statsLine(rig.conntrack), `seed ${seed}`).toBe(answer.lists[0]!.stats)
  expect(log.lines.join("\n"), `seed ${seed}`).toBe(likened(answer.heard, log.lines).join("\n"))
  expect(rig.conntrack.check()).toBeNull()
  return packets
}

/** Lifetimes of a second or far more, so that a short wait ends some flows and not others, and every packet again. */
function again(seed: number, count: number, sysctls: Partial<ConntrackConf>, seconds: number): void {
  const rig = new Rig(sysctls)
  const events: Array<KernelEvent> = []
  const here: Array<string> = []
  const once = (): void => {
    for (const { name, steps } of conversations(seed, count)) {
      for (const { from, packet, filtered, text } of steps) {
        const named = packet.slice()
        // The second time they go by other names.
        if (events.some(({ kind }) => kind === "wait")) rename(named)
        events.push({ kind: "packet", from, packet: named })
        here.push(`${name} ${text}: ${rig.send(named, filtered)}`)
      }
    }
  }
  once()
  events.push({ kind: "wait", seconds })
  rig.wait(seconds)
  once()
  const ask = (): KernelAnswer => play(events, sysctls as Readonly<Record<string, number>>)
  let answer = ask()
  for (let tries = 0; answer.elapsed - seconds > 0.8 && tries < 3; tries++) answer = ask()
  const sent = events.flatMap((event) => event.kind === "packet" ? [event.packet] : [])
  const there = here.map((text, i) => {
    const ours = text.slice(text.lastIndexOf(": ") + 2)
    const state = answer.states.get(nameOf(sent[i]!)) ?? (ours === "filtered" ? "filtered" : "DROP")
    return `${text.slice(0, text.lastIndexOf(": "))}: ${state}`
  })
  const wrong = there.flatMap((text, i) => text === here[i] ? [] : [`${text}, WE ${here[i]!.split(": ").at(-1)}`])
  expect(wrong.slice(0, 10).join("\n"), `seed ${seed}`).toBe("")
}

function nameOf(packet: Uint8Array): number {
  const six = packet[0]! >>> 4 === 6
  return six ? ((packet[1]! & 15) << 16) | (packet[2]! << 8) | packet[3]! : (packet[4]! << 8) | packet[5]!
}

/** Identification or flow label plus 2^14; the header's sum by the difference. */
function rename(packet: Uint8Array): void {
  if (packet[0]! >>> 4 === 6) packet[2]! += 0x40
  else {
    packet[4]! += 0x40
    const sum = ((packet[10]! << 8) | packet[11]!) - 0x4000
    const folded = sum < 0 ? sum + 0xffff : sum
    packet[10] = folded >>> 8
    packet[11] = folded
  }
}

describe.skipIf(why !== null)("what a real kernel makes of drawn conversations", () => {
  it("as it is by default, counting", () => {
    const fresh = Date.now() % 1_000_000
    const packets = referee(1, 400, { nf_conntrack_acct: 1 }) + referee(fresh, 300, { nf_conntrack_acct: 1 })
    console.log(`conntrack: ${packets} packets classed as Linux does, seeds 1 and ${fresh}`)
  }, 30_000)

  it("liberal", () => referee(2, 150, { nf_conntrack_tcp_be_liberal: 1 }), 30_000)
  it("not picking up what it did not see begin", () => referee(3, 150, { nf_conntrack_tcp_loose: 0 }), 30_000)
  it("again after a wait that ended some of them", () => {
    again(6, 150, {
      nf_conntrack_udp_timeout: 1, nf_conntrack_icmp_timeout: 1, nf_conntrack_generic_timeout: 1,
      nf_conntrack_tcp_timeout_syn_sent: 1, nf_conntrack_tcp_timeout_syn_recv: 1,
      nf_conntrack_tcp_timeout_close: 1, nf_conntrack_tcp_timeout_last_ack: 1,
      nf_conntrack_tcp_timeout_unacknowledged: 1
    }, 1.5)
  }, 30_000)
  it("with other limits", () => {
    referee(4, 150, {
      nf_conntrack_tcp_max_retrans: 1, nf_conntrack_checksum: 0, nf_conntrack_tcp_ignore_invalid_rst: 1,
      nf_conntrack_tcp_timeout_max_retrans: 77, nf_conntrack_tcp_timeout_unacknowledged: 88
    })
  }, 30_000)
})
