/**
 * Walks against the kernel's: generated tables in raw OUTPUT of a namespace of its own, generated packets
 * out of a raw socket to 127.0.0.x (and dropped again in PREROUTING, so that nobody answers), then the
 * counters of every rule and policy, as iptables-legacy-save -c shows them, against ours. Needs root,
 * `unshare`, python3 and iptables-legacy; where one is missing it says so and skips.
 */
import { spawnSync } from "node:child_process"
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import fc from "fast-check"
import { hex, set32 } from "@podwire/wire/bytes"
import { expect, it } from "vitest"
import { OUTPUT } from "../../src/hook.ts"
import { restore } from "../../src/xtables/restore.ts"
import { Ruleset } from "../../src/xtables/ruleset.ts"
import { frameOf, type Shape } from "./frames.ts"
import { full } from "./full.ts"

const ROUNDS = 60
const SEND = `
import socket, subprocess, sys
subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
s = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
for i in range(int(sys.argv[1])):
    subprocess.run("iptables-legacy-restore -c < %d.in" % i, shell=True, check=True)
    for line in open("%d.packets" % i).read().split():
        packet = bytes.fromhex(line)
        try: s.sendto(packet, (socket.inet_ntoa(packet[16:20]), 0))
        except PermissionError: pass  # dropped
    subprocess.run("iptables-legacy-save -c -t raw > %d.out" % i, shell=True, check=True)
`

const int = (min: number, max: number) => fc.integer({ min, max })
const proto = fc.constantFrom("tcp", "udp", "sctp")
const port = int(80, 83)
const network = fc.oneof(
  int(1, 5).map((n) => `-d 127.0.0.${n}`), int(1, 3).map((n) => `-s 127.0.0.${n}`),
  int(1, 3).map((n) => `! -s 127.0.0.${n}`),
    fc.constantFrom("-d 127.0.0.0/30", "-d 127.0.0.1/255.0.0.1", "", "-f", "! -f")
)
const transport = fc.oneof(
  fc.tuple(proto, port).map(([p, n]) => `-p ${p} -m ${p} --dport ${n}`),
  fc.tuple(proto, port).map(([p, n]) => `-p ${p} -m ${p} ! --dport ${n}:83`),
  fc.tuple(proto, int(1, 3), port).map(([p, n, m]) => `-p ${p} -m multiport --ports ${n},${m}:90`),
  fc.constantFrom(
    "", "! -p tcp", "-p icmp", "-p tcp --syn", "-p tcp --tcp-flags SYN,ACK ACK", "-p tcp --tcp-option 2",
    "-p 17",
    "-p icmp -m icmp --icmp-type 8", "-p icmp -m icmp --icmp-type any", "-p tcp ! --tcp-option 8"
  )
)
const more = fc.constantFrom(
  "", "", "", "-m mark --mark 1/1", "-m mark ! --mark 2/2", "-m statistic --mode nth --every 2 --packet 1",
  "-m length --length 30:42", "-m ttl --ttl-gt 63", "-m comment --comment x"
)
const rule = (chain: string, targets: ReadonlyArray<string>) =>
  fc.tuple(network, transport, more, fc.constantFrom(...targets))
    .map((all) => `-A ${chain} ${all.filter((part) => part !== "").join(" ")}`.trimEnd())
const COMMON = ["-j MARK --set-mark 1", "-j MARK --xor-mark 2", "-j RETURN", "-j ACCEPT", "-j DROP", "", ""]
const table = fc.tuple(
  fc.array(rule("OUTPUT", [...COMMON, "-j U", "-g U", "-j V"]), { minLength: 4, maxLength: 25 }),
  fc.array(rule("U", [...COMMON, "-j V", "-g V"]), { maxLength: 15 }),
  fc.array(rule("V", COMMON), { maxLength: 4 }), fc.constantFrom("ACCEPT", "DROP")
).map(([base, u, v, policy]) => [
  "*raw", ":PREROUTING DROP [0:0]", `:OUTPUT ${policy} [0:0]`, ":U - [0:0]", ":V - [0:0]", ...base, ...u,
  ...v, "COMMIT", ""
].join("\n"))
const packet: fc.Arbitrary<Shape> = fc.record({
  family: fc.constant(4 as const), src: int(1, 3), dst: int(1, 5),
  protocol: fc.constantFrom(6, 6, 6, 17, 17, 132, 1),
  sport: fc.oneof(int(1, 3), fc.constant(0x0800)), dport: int(79, 84),
  fragment: fc.constantFrom(0, 0, 0, 0, 1, 2, 185),
  cut: fc.constantFrom(0, 0, 0, 0, 4, 5, 13, 17, 20, 24), flags: fc.constantFrom(2, 16, 18, 0)
})

function missing(): string | null {
  if (process.getuid?.() !== 0) return "not root"
  for (const words of [["python3", "--version"], ["ip", "-V"], ["iptables-legacy-save", "--version"]]) {
    if (spawnSync(words[0]!, words.slice(1)).status !== 0) return `no ${words[0]}`
  }
  const { status, stderr } =
    spawnSync("unshare", ["-n", "iptables-legacy", "-t", "raw", "-S"], { encoding: "utf8" })
  return status === 0 ? null : `unshare -n iptables-legacy: ${stderr.trim()}`
}

const why = missing()
if (why !== null) process.stderr.write(`walk referee: skipped: ${why}\n`)

it.skipIf(why !== null)("every counter of generated walks is the kernel's", () => {
  const cases = fc.sample(fc.tuple(table, fc.array(packet, { minLength: 30, maxLength: 30 })),
    { seed: 21, numRuns: ROUNDS })
  const folder = mkdtempSync(join(tmpdir(), "pw-walk-"))
  try {
    const ours = cases.map(([text, shapes], i) => {
      const ruleset = new Ruleset(4, full())
      expect(restore(ruleset, text, { counters: true })).toBe(null)
      const packets = shapes.map((shape) => {
        const frame = frameOf(shape)
        const { bytes, l3, tail } = frame
        set32(bytes, l3 + 12, 0x7f000000 | shape.src)
        set32(bytes, l3 + 16, 0x7f000000 | shape.dst)
        const words = hex(bytes, l3, tail)
        ruleset.evaluate("raw", frame, OUTPUT, null, null)
        return words
      })
      writeFileSync(join(folder, `${i}.in`), text)
      writeFileSync(join(folder, `${i}.packets`), packets.join("\n"))
      return ruleset.save({ counters: true }, "raw")
    })
    writeFileSync(join(folder, "send.py"), SEND)
    const { status, stderr } = spawnSync("unshare", ["-n", "python3", "send.py", `${ROUNDS}`], {
      cwd: folder, encoding: "utf8", timeout: 60_000
    })
    expect([status, stderr]).toEqual([0, ""])
    for (const [i, text] of ours.entries()) {
      const lines = readFileSync(join(folder, `${i}.out`),
        "utf8").split("\n").filter((line) => !line.startsWith("#"))
      const bare = (saved: string) => saved.replace(/^:PREROUTING .*$/m, ":PREROUTING")
      expect({ case: cases[i], saved: bare(text) }).toEqual({ case: cases[i], saved: bare(lines.join("\n")) })
    }
    process.stderr.write(`walk referee: ${ROUNDS * 30} packets through ${ROUNDS} tables\n`)
  } finally {
    rmSync(folder, { recursive: true })
  }
})
