/**
 * What a table does with a packet: verdicts, counters, jumps, and what matches and targets see and change.
 */
import { Engine } from "@podwire/engine"
import { Checksum, Dummy, FramePool } from "@podwire/netdev"
import { get16, set16, set32 } from "@podwire/wire/bytes"
import { check4 } from "@podwire/wire/tcp"
import * as ipv4 from "@podwire/wire/ipv4"
import fc from "fast-check"
import { expect, it } from "vitest"
import { FORWARD, type Hook, INPUT, OUTPUT, PREROUTING } from "../../src/hook.ts"
import { Conntrack } from "../../src/conntrack/conntrack.ts"
import { FrameView } from "../../src/conntrack/view.ts"
import type { ConntrackView, Environment } from "../../src/xtables/environment.ts"
import { restore } from "../../src/xtables/restore.ts"
import { Ruleset } from "../../src/xtables/ruleset.ts"
import type { TableName } from "../../src/xtables/table.ts"
import { Verdict } from "../../src/verdict.ts"
import { table } from "./arbitrary.ts"
import { frameOf, type Shape, TCP_SYN } from "./frames.ts"
import { full } from "./full.ts"

const engine = new Engine(1)
const eth0 = new Dummy(engine, new FramePool(engine), "eth0", 1)

function rules(text: string, table: TableName = "filter", env: Environment = full(), family: 4 |
  6 = 4): Ruleset {
  const ruleset = new Ruleset(family, env)
  expect(restore(ruleset, `*${table}\n${text}\nCOMMIT\n`)).toBe(null)
  return ruleset
}

const counted = (ruleset: Ruleset) =>
  ruleset.save({ counters: true }).split("\n").filter((line) => line.includes("-A") || /^:[IA]/.test(line))

function verdict(text: string, shape: Partial<Shape> = {}, hook: Hook = INPUT): number {
  const family = shape.family ?? 4
  return rules(text, "filter", full(), family).evaluate("filter", frameOf({ ...TCP_SYN, ...shape }), hook,
    eth0, null)
}

it("jumps, gotos, returns and policies, with the counters of the kernel", () => {
  const ruleset = rules([
    ":INPUT DROP [0:0]", ":A - [0:0]", ":B - [0:0]", ":C - [0:0]", "-A INPUT -p tcp -j A",
    "-A INPUT -p udp -g B",
    "-A INPUT -p icmp -j RETURN", "-A INPUT -p tcp -m mark --mark 7 -j ACCEPT",
    "-A INPUT -j MARK --set-mark 3",
    "-A A -s 10.0.0.9 -j RETURN", "-A A -g C", "-A A -j DROP", "-A B -j C", "-A B -s 10.0.0.1 -j RETURN",
    "-A B -j ACCEPT", "-A C -j MARK --set-mark 7"
  ].join("\n"))
  const walk = (shape: Partial<Shape>) => {
    const frame = frameOf({ ...TCP_SYN, ...shape })
    return [ruleset.evaluate("filter", frame, INPUT, eth0, null), frame.mark]
  }
  expect(walk({})).toEqual([Verdict.Accept, 7])
  expect(walk({ src: 9 })).toEqual([Verdict.Drop, 3])
  expect(walk({ protocol: 17 })).toEqual([Verdict.Drop, 7])
  expect(walk({ protocol: 17, src: 2 })).toEqual([Verdict.Accept, 7])
  expect(walk({ protocol: 1 })).toEqual([Verdict.Drop, 0])
  expect(counted(ruleset)).toEqual([
    ":INPUT DROP [3:132]", ":A - [0:0]", "[2:88] -A INPUT -p tcp -j A", "[2:88] -A INPUT -p udp -g B",
    "[1:44] -A INPUT -p icmp -j RETURN", "[1:44] -A INPUT -p tcp -m mark --mark 0x7 -j ACCEPT",
    "[1:44] -A INPUT -j MARK --set-xmark 0x3/0xffffffff", "[1:44] -A A -s 10.0.0.9/32 -j RETURN",
    "[1:44] -A A -g C",
    "[0:0] -A A -j DROP", "[2:88] -A B -j C", "[1:44] -A B -s 10.0.0.1/32 -j RETURN", "[1:44] -A B -j ACCEPT",
    "[3:132] -A C -j MARK --set-xmark 0x7/0xffffffff"
  ])
})

it("counters survive a restore that does not name their rules", () => {
  const ruleset = rules("-A INPUT -p tcp\n-A INPUT -p udp -j DROP")
  ruleset.evaluate("filter", frameOf(TCP_SYN), INPUT, eth0, null)
  expect(restore(ruleset, "*filter\n-A INPUT -p icmp\nCOMMIT\n", { noflush: true })).toBe(null)
  ruleset.evaluate("filter", frameOf(TCP_SYN), INPUT, eth0, null)
  expect(counted(ruleset)).toEqual([
    ":INPUT ACCEPT [1:44]", "[2:88] -A INPUT -p tcp", "[0:0] -A INPUT -p udp -j DROP",
    "[0:0] -A INPUT -p icmp"
  ])
})

it("selectors and matches that look at the frame", () => {
  const drops: ReadonlyArray<readonly [string, Partial<Shape>, Partial<Shape>]> = [
    ["-s 10.0.0.1", {}, { src: 2 }], ["! -s 10.0.0.1", { src: 2 }, {}], ["-d 10.0.0.0/30", {}, { dst: 4 }],
    ["-d 10.0.0.1/255.0.0.1", { dst: 3 }, {}], ["-i eth0", {}, { family: 4, protocol: 255, cut: 25 }],
    ["-i eth+", {}, { cut: 45 }],
    ["-p tcp", {}, { protocol: 17 }], ["! -p tcp", { protocol: 17 }, {}], ["-f", { fragment: 3 }, {}],
    ["! -f", {}, { fragment: 3 }],
    ["-p tcp --dport 80", {}, { dport: 81 }], ["-p tcp ! --dport 80:90", { dport: 91 }, { dport: 90 }],
    ["-p tcp --sport 1000", {}, { sport: 1 }], ["-p udp --dport 80", { protocol: 17 }, {}],
    ["-p tcp --syn", {}, { flags: 0x12 }], ["-p tcp ! --syn", { flags: 0x10 }, {}],
    ["-p tcp --tcp-flags ALL FIN,PSH", { flags: 9 }, {}],
    ["-p tcp ! --tcp-flags NONE SYN", {}, { protocol: 17 }],
    ["-p tcp --dport 80", { fragment: 1 }, { fragment: 2 }],
    ["-p tcp --dport 80", { cut: 5 }, { cut: 4, dport: 1 }],
    ["-p icmp --icmp-type 8", { protocol: 1, sport: 0x0800 }, { protocol: 1 }],
    ["-p icmp --icmp-type any", { protocol: 1 }, {}],
    ["-p icmp --icmp-type 3/4", { protocol: 1, sport: 0x0304 }, { protocol: 1, sport: 0x0303 }],
    ["-p tcp -m multiport --dports 1,70:80", {}, { dport: 81 }],
    ["-p tcp -m multiport ! --ports 80,90", { dport: 5 }, {}],
    ["-m length --length 44", {}, { cut: 1 }], ["-m length --length 200:100", { family: 4, cut: 45 }, {}],
    ["-m ttl --ttl-eq 64", {}, { cut: 45 }], ["-m ttl --ttl-lt 65", {}, { cut: 45 }]
  ]
  for (const [match, hit, miss] of drops) {
    // A frame that is cut below its header is dropped before any rule: no use as a miss.
    if ((hit.cut ?? 0) <= 24) expect([match, verdict(`-A INPUT ${match} -j DROP`, hit)]).toEqual([match,
      Verdict.Drop])
    if ((miss.cut ?? 0) <= 24) expect([match, verdict(`-A INPUT ${match} -j DROP`, miss)]).toEqual([match,
      Verdict.Accept])
  }
  // No flag of none is ever set, whether the rule is walked or asked through the index.
  for (const match of ["-p tcp", "-m mark --mark 0 -p tcp"]) {
    expect(verdict(`-A INPUT ${match} --tcp-flags NONE SYN -j DROP`, { flags: 2 })).toBe(Verdict.Accept)
  }
})

it("IPv6: addresses, fragments, hop limit, a chain of headers that breaks off", () => {
  const six = { family: 6 as const }
  expect(verdict("-A INPUT -s fd00::1 -j DROP", six)).toBe(Verdict.Drop)
  expect(verdict("-A INPUT -s fd00::/127 -j DROP", { ...six, src: 2 })).toBe(Verdict.Accept)
  expect(verdict("-A INPUT -p tcp --dport 80 -j DROP", six)).toBe(Verdict.Drop)
  expect(verdict("-A INPUT -p tcp --dport 80 -j DROP", { ...six, fragment: 2 })).toBe(Verdict.Accept)
  expect(verdict("-A INPUT -p tcp -j DROP", { ...six, fragment: 2 })).toBe(Verdict.Drop)
  expect(verdict("-A INPUT -m hl --hl-gt 63 -j DROP", six)).toBe(Verdict.Drop)
  expect(verdict("-A INPUT -p ipv6-icmp --icmpv6-type 128 -j DROP",
    { ...six, protocol: 58, sport: 0x8000 })).toBe(Verdict.Drop)
  // Routing header, longer than the packet: with a protocol in the rule it is dropped, without one it is not asked.
  expect(verdict("-A INPUT -p tcp -j ACCEPT", { ...six, protocol: 43, sport: 0x06ff })).toBe(Verdict.Drop)
  expect(verdict("-A INPUT -s fd00::1 -j ACCEPT",
    { ...six, protocol: 43, sport: 0x06ff })).toBe(Verdict.Accept)
})

it("nth counts, chance is drawn, a limit runs out", () => {
  const hits = (match: string, count: number) => {
    const ruleset = rules(`-A INPUT ${match} -j DROP`)
    return Array.from({ length: count },
      () => ruleset.evaluate("filter", frameOf(TCP_SYN), INPUT, eth0, null) === Verdict.Drop ? "x"
        : ".").join("")
  }
  expect(hits("-m statistic --mode nth --every 3 --packet 0", 7)).toBe("x..x..x")
  expect(hits("-m statistic --mode nth --every 3 --packet 2", 7)).toBe("..x..x.")
  expect(hits("-m statistic --mode nth ! --every 3 --packet 1", 7)).toBe("x.xx.xx")
  expect(hits("-m statistic --mode random --probability 1", 3)).toBe("xxx")
  expect(hits("-m statistic --mode random --probability 0", 3)).toBe("...")
  expect(hits("-m limit --limit 1/min --limit-burst 2", 4)).toBe("xx..")
})

it("targets that change the frame keep its checksums right", () => {
  const frame = frameOf({ ...TCP_SYN, sport: 7 })
  const { bytes, l3 } = frame
  bytes[l3 + 32] = 0x60
  set32(bytes, l3 + 40, 0x020405b4)
  ipv4.updateChecksum(bytes, l3)
  const finish = () => {
    set16(bytes, l3 + 36, 0)
    for (let sum = 0; sum < 0x10000; sum++) {
      set16(bytes, l3 + 36, sum)
      if (check4(bytes, l3 + 20, frame.tail, 0x0a000001, 0x0a000002) === 0) return
    }
  }
  finish()
  const walk = (rule: string) =>
    rules(`-A FORWARD ${rule}`, "mangle").evaluate("mangle", frame, FORWARD, eth0, eth0)
  walk("-p tcp --syn -j TCPMSS --clamp-mss-to-pmtu")
  expect([get16(bytes, l3 + 42),
    check4(bytes, l3 + 20, frame.tail, 0x0a000001, 0x0a000002)]).toEqual([1360, 0])
  walk("-p tcp --syn -j TCPMSS --set-mss 9000")
  expect(get16(bytes, l3 + 42)).toBe(1360)
  walk("-j TTL --ttl-dec 5")
  expect([bytes[l3 + 8], ipv4.check(bytes, l3, frame.tail)]).toEqual([59, 0])
  walk("-j TTL --ttl-inc 250")
  expect([bytes[l3 + 8], ipv4.check(bytes, l3, frame.tail)]).toEqual([255, 0])
  walk("-j CLASSIFY --set-class 1:10")
  expect(frame.priority).toBe(0x10010)
  frame.csum = Checksum.Partial
  const sum = get16(bytes, l3 + 36)
  walk("-p tcp --syn -j TCPMSS --set-mss 1000")
  expect([get16(bytes, l3 + 42), get16(bytes, l3 + 36)]).toEqual([1000, sum])
})

/** Few values, so that rules and packets meet; enough rules for an index. */
const shape = (family: 4 | 6) => fc.record({
  family: fc.constant(family), src: fc.integer({ min: 1, max: 4 }), dst: fc.integer({ min: 1, max: 6 }),
  protocol: fc.constantFrom(6, 6, 6, 17, 17, 132, 1, 58), sport: fc.integer({ min: 1, max: 3 }),
  dport: fc.integer({ min: 80, max: 84 }),
  fragment: fc.constantFrom(0, 0, 0, 0, 1, 2, 185), cut: fc.constantFrom(0, 0, 0, 0, 4, 5, 13, 20, 24),
  flags: fc.constantFrom(2, 16, 18, 0)
})

const KUBE = (family: 4 | 6) => {
  const ip = (last: number) => family === 4 ? `10.0.0.${last}` : `fd00::${last}`
  const dst = fc.integer({ min: 1, max: 6 }).map((last) => `-d ${ip(last)}`)
  const proto = fc.constantFrom("tcp", "udp", "sctp")
  const port = fc.integer({ min: 80, max: 84 })
  const before = fc.constantFrom("", "", "-m comment --comment x", "-m mark --mark 1",
    "-m statistic --mode nth --every 2 --packet 0", "-m limit --limit 1/min --limit-burst 3",
    "-m addrtype --dst-type LOCAL")
  const ports = fc.oneof(
    fc.tuple(proto, port).map(([p, n]) => `-p ${p} -m ${p} --dport ${n}`), fc.constant(""),
    fc.tuple(proto, port, port).map(([p, n, m]) => `-p ${p} -m multiport --dports ${n},${m}`),
    fc.tuple(proto, port).map(([p, n]) => `-p ${p} -m ${p} ! --dport ${n}`),
      fc.constant("-p tcp --syn --dport 81"),
    fc.constant("-p tcp --tcp-option 2 --dport 82"),
      fc.constant("-p tcp -m tcp --sport 1 -m tcp --dport 83"), fc.constant("! -p tcp"),
        fc.constant("-p icmp")
  )
  const target = fc.constantFrom("-j U", "-j U", "-g U", "-j V", "-j MARK --set-mark 1",
    "-j MARK --xor-mark 2", "-j RETURN", "-j ACCEPT", "-j DROP", "")
  const rule = fc.tuple(fc.oneof(dst, dst, fc.constant(""),
    fc.integer({ min: 1, max: 4 }).map((n) => `! -s ${ip(n)}`),
      fc.integer({ min: 1, max: 4 }).map((n) => `-s ${ip(n)}`)), before, ports, target)
    .map((all) => all.filter((part) => part !== "").join(" "))
  return fc.record({
    base: fc.array(rule, { minLength: 8, maxLength: 30 }),
    user: fc.array(rule.map((one) => one.replace("-j U", "-j V").replace("-g U", "-g V")),
      { minLength: 8, maxLength: 20 }),
    packets: fc.array(shape(family), { minLength: 10, maxLength: 30 })
  }).map(({ base, user, packets }) => ({
    text: ["*filter", ":U - [0:0]", ":V - [0:0]", ...base.map((one) => `-A INPUT ${one}`),
      ...user.map((one) => `-A U ${one}`), "-A V -j MARK --xor-mark 4", "COMMIT", ""].join("\n"),
    packets
  }))
}

for (const family of [4, 6] as const) {
  it(`long chains by index: the verdicts, marks and counters of the linear walk, IPv${family}`, () => {
    fc.assert(fc.property(KUBE(family), ({ text, packets }) => {
      const [linear, indexed] = [false, true].map((dispatch) => {
        const ruleset = new Ruleset(family, full(), { dispatch })
        expect(restore(ruleset, text)).toBe(null)
        const seen = packets.map((packet) => {
          const frame = frameOf(packet)
          return [ruleset.evaluate("filter", frame, INPUT, eth0, null), frame.mark]
        })
        return { seen, save: ruleset.save({ counters: true }) }
      })
      expect(indexed).toEqual(linear)
    }), { seed: 9, numRuns: 300 })
  })

  it(`any table and any octets: no crash, the same by index, IPv${family}`, () => {
    const hooks: Readonly<Record<string,
      Hook>> = { raw: PREROUTING, mangle: FORWARD, nat: OUTPUT, filter: FORWARD }
    const noise = fc.uint8Array({ minLength: 0, maxLength: 120 })
    fc.assert(fc.property(table(family), fc.array(fc.tuple(shape(family), noise), { maxLength: 6 }),
      (text, packets) => {
      const name = text.match(/^\*(\w+)/)![1] as TableName
      const [linear, indexed] = [false, true].map((dispatch) => {
        const ruleset = new Ruleset(family, full(), { dispatch })
        restore(ruleset, text)
        for (const [one, octets] of packets) {
          const frame = frameOf(one)
          frame.bytes.set(octets, frame.l3 + 20)
          ruleset.evaluate(name, frame, hooks[name]!, eth0, eth0)
          frame.bytes.set(octets, frame.l3)
          ruleset.evaluate(name, frame, hooks[name]!, eth0, eth0)
        }
        return ruleset.save({ counters: true })
      })
      expect(indexed).toBe(linear)
    }), { seed: 10, numRuns: 150 })
  })
}

it("conntrack's view of a frame is what rules ask for", () => {
  const view: ConntrackView = new FrameView(new Conntrack(engine))
  const ruleset = rules("-A INPUT -m conntrack --ctstate INVALID -j DROP", "filter", { conntrack: view })
  expect(ruleset.evaluate("filter", frameOf(TCP_SYN), INPUT, eth0, null)).toBe(Verdict.Drop)
})
