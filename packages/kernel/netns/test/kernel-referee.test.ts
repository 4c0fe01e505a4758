/**
 * The same frames into a real namespace and an emulated one of the same configuration, as a host and as a
 * router: what comes back must be the same, octet by octet, but for what two correct runs do not share
 * (identification where it is not zero, flow labels, timestamps). Needs root, python3, iproute2 and
 * /dev/net/tun; says so and does nothing where these are missing.
 */
import { type ChildProcess, execFileSync, spawn, spawnSync } from "node:child_process"
import { accessSync, constants } from "node:fs"
import { createInterface } from "node:readline"
import { fileURLToPath } from "node:url"
import { get16, hex, set16, unhex } from "@podwire/wire/bytes"
import { finish, sum } from "@podwire/wire/checksum"
import { line } from "@podwire/wire/print"
import { afterAll, describe, expect, it } from "vitest"
import { A, B, C, LL, type Probe, PROBES, TAP0, TAP1 } from "./probes.ts"
import { isReport, Rig } from "./rig.ts"

const SETUP = [
  "link set lo up", "link set tap0 up", "link set tap1 up mtu 1400",
  "addr add 10.0.0.1/24 brd + dev tap0", "addr add 10.0.0.11/24 brd + dev tap0", "addr add fd00::1/64 dev tap0 nodad",
  "addr add 10.0.1.1/24 brd + dev tap1", "addr add fd01::1/64 dev tap1 nodad",
  "addr add 10.0.7.7/32 dev lo", "addr add fd07::7/128 dev lo",
  "route add unreachable 10.9.1.0/24", "route add prohibit 10.9.2.0/24", "route add blackhole 10.9.3.0/24",
  "route add 10.9.4.0/24 via 10.0.0.3", "route add throw 10.9.5.0/24",
  "route add unreachable fd09:1::/64", "route add prohibit fd09:2::/64", "route add blackhole fd09:3::/64",
  "route add fd09:4::/64 via fe80::3 dev tap0",
  ...[["10.0.0.2", A], ["10.0.0.3", C], ["fd00::2", A], ["fd00::3", C], ["fe80::2", A], ["fe80::3", C]].map(([ip, mac]) =>
    `neigh add ${ip} lladdr ${mac} dev tap0 nud permanent`),
  `neigh add 10.0.1.2 lladdr ${B} dev tap1 nud permanent`, `neigh add fd01::2 lladdr ${B} dev tap1 nud permanent`
]

const settings = (forwarding: number): Readonly<Record<string, number>> => ({
  "net.ipv6.conf.all.accept_dad": 0, "net.ipv6.conf.default.accept_dad": 0,
  "net.ipv6.conf.default.router_solicitations": 0,
  "net.ipv4.conf.all.rp_filter": 0, "net.ipv4.conf.default.rp_filter": 0,
  "net.ipv4.ip_forward": forwarding, "net.ipv6.conf.all.forwarding": forwarding,
  "net.ipv4.icmp_ratelimit": 0, "net.ipv6.icmp.ratelimit": 0,
  "net.ipv4.icmp_msgs_per_sec": 100_000, "net.ipv4.icmp_msgs_burst": 100_000
})

const why = missing()
if (why !== null) console.log(`skipped: no referee for the network stack, ${why}`)

function missing(): string | null {
  if (process.platform !== "linux" || process.getuid?.() !== 0) return "it takes root on Linux"
  try {
    accessSync("/dev/net/tun", constants.R_OK | constants.W_OK)
    execFileSync("python3", ["-c", "import fcntl"], { stdio: "pipe" })
    for (const verb of ["add", "del"]) execFileSync("ip", ["netns", verb, `pw-ref-${process.pid}`], { stdio: "pipe" })
    return null
  } catch (error) {
    return `namespaces, ip, python3 or /dev/net/tun are missing: ${String(error).split("\n")[0]}`
  }
}

/** A namespace with somebody in it who speaks for us. */
class Kernel {
  readonly #name: string
  readonly #child: ChildProcess
  readonly #lines: AsyncIterator<string>

  constructor(role: string, before: Readonly<Record<string, number>>) {
    this.#name = `pw-ref-${process.pid}-${role}`
    execFileSync("ip", ["netns", "add", this.#name])
    const helper = fileURLToPath(new URL("kernel-referee.py", import.meta.url))
    this.#child = spawn("ip", ["netns", "exec", this.#name, "python3", helper], { stdio: ["pipe", "pipe", "inherit"] })
    this.#lines = createInterface({ input: this.#child.stdout! })[Symbol.asyncIterator]()
    this.#write({ before, taps: { tap0: TAP0, tap1: TAP1 }, setup: SETUP })
  }

  async ready(): Promise<void> {
    expect((await this.#lines.next()).value).toBe("ready")
  }

  async ask(probe: Probe): Promise<string> {
    this.#write({ frames: probe.frames.map(([dev, bytes]) => [dev, hex(bytes)]), ms: probe.ms })
    const answers = JSON.parse((await this.#lines.next()).value) as ReadonlyArray<readonly [string, string]>
    return render(answers.map(([dev, bytes]) => ({ dev, bytes: unhex(bytes) })))
  }

  end(): void {
    this.#child.kill("SIGKILL")
    spawnSync("ip", ["netns", "del", this.#name])
  }

  #write(message: object): void {
    this.#child.stdin!.write(`${JSON.stringify(message)}\n`)
  }
}

function emulated(before: Readonly<Record<string, number>>): Rig {
  const rig = new Rig().sysctl(before)
  const tap0 = rig.card("tap0", TAP0, "10.0.0.1/24", "10.0.0.11/24", "fd00::1/64")
  const tap1 = rig.card("tap1", TAP1, "10.0.1.1/24", "fd01::1/64")
  rig.ns.setMtu(tap1, 1400)
  rig.loopback("10.0.7.7/32", "fd07::7/128")
  rig.route("10.9.1.0/24", null, "unreachable")
  rig.route("10.9.2.0/24", null, "prohibit")
  rig.route("10.9.3.0/24", null, "blackhole")
  rig.route("10.9.4.0/24", "10.0.0.3")
  rig.route("10.9.5.0/24", null, "throw")
  rig.route("fd09:1::/64", null, "unreachable")
  rig.route("fd09:2::/64", null, "prohibit")
  rig.route("fd09:3::/64", null, "blackhole")
  rig.route("fd09:4::/64", "fe80::3", "unicast", tap0)
  for (const [ip, mac] of [["10.0.0.2", A], ["10.0.0.3", C], ["fd00::2", A], ["fd00::3", C], ["fe80::2", A], ["fe80::3", C]] as const) {
    rig.neigh(tap0, ip, mac)
  }
  rig.neigh(tap1, "10.0.1.2", B)
  rig.neigh(tap1, "fd01::2", B)
  rig.run(3000)
  return rig
}

function answer(rig: Rig, probe: Probe): string {
  rig.mark()
  for (const [dev, bytes] of probe.frames) rig.inject(rig.ns.links.byName(dev)!, bytes)
  rig.run(probe.ms)
  return render(rig.sent)
}

/** Questions that an earlier probe began are asked again later, in the middle of whatever probe is there then. */
class Asked {
  readonly #before = new Set<string>()

  fresh(probe: string): string {
    const frames = probe.split(/\n(?=tap)/)
    const questions = frames.filter((frame) => /who has|who-has/.test(frame))
    const rest = frames.filter((frame) => !this.#before.has(frame))
    for (const question of questions) this.#before.add(question)
    return rest.join("\n") || "nothing"
  }
}

/** What counts of the answers, with the octets behind it. */
function render(frames: ReadonlyArray<{ readonly dev: string; readonly bytes: Uint8Array }>): string {
  return frames.filter(({ bytes }) => !isReport(bytes)).map(({ dev, bytes }) => {
    const masked = mask(bytes.slice())
    return `${dev} ${line(bytes, 0, bytes.length).replace(/ (org|recv|xmit) [\d:.]+/g, "").replace(/flowlabel 0x[0-9a-f]+, /, "")}\n    ${hex(masked)}`
  }).join("\n") || "nothing"
}

/** Blank what is random; a checksum over it becomes 0 when it was right. */
function mask(bytes: Uint8Array): Uint8Array {
  const type = get16(bytes, 12)
  if (type === 0x86dd) {
    bytes[15]! &= 0xf0
    set16(bytes, 16, 0)
  }
  if (type !== 0x0800) return bytes
  const header = (bytes[14]! & 15) * 4
  const right = finish(sum(bytes, 14, 14 + header)) === 0
  if (get16(bytes, 18) !== 0) set16(bytes, 18, 1)
  for (let i = 34; i < 14 + header;) {
    if (bytes[i] === 0) break
    if (bytes[i] === 1) {
      i++
      continue
    }
    if (bytes[i] === 68) {
      const step = (bytes[i + 3]! & 15) === 0 ? 4 : 8
      for (let k = i + 4 + step - 4; k + 4 <= i + bytes[i + 2]! - 1; k += step) bytes.fill(0, k, k + 4)
    }
    i += bytes[i + 1]!
  }
  if (right) set16(bytes, 24, 0)
  const l4 = 14 + header
  if (bytes[23] === 1 && bytes[l4] === 14) {
    if (finish(sum(bytes, l4, bytes.length)) === 0) set16(bytes, l4 + 2, 0)
    bytes.fill(0, l4 + 12, l4 + 20)
  }
  // Errors quote timestamps that we stamped before.
  if (bytes[23] === 1 && [3, 5, 11, 12].includes(bytes[l4]!) && (bytes[l4 + 8]! & 15) > 5 && bytes[l4 + 28] === 68) {
    bytes.fill(0, l4 + 2, l4 + 4)
    bytes.fill(0, l4 + 18, l4 + 20)
    bytes.fill(0, l4 + 28, l4 + 28 + bytes[l4 + 29]!)
  }
  return bytes
}

/** Differences that the README lists, by probe. */
const KNOWN: ReadonlySet<string> = new Set<string>([
  "echo from 10.0.0.255", "record route, bad pointer", "record route, pointer in the middle",
  "timestamp option, full", "timestamp option, overflow full", "closed UDP port with record route",
  "forward a malformed option", "forward an unknown ICMP type with TTL 1", "forward 1500 with options",
  "forward record route with TTL 1", "ARP request from 0.1.2.3", "ARP for IEEE 802 hardware",
  "option over the end of its header", "routing header 4, 1 left", "authentication header", "fragment6 far out",
  "fragment header cut short"
])

describe.skipIf(why !== null)("what a real kernel answers", () => {
  const kernels: Array<Kernel> = []
  afterAll(() => kernels.forEach((kernel) => kernel.end()))

  it.each([["host", 0], ["router", 1]] as const)("as a %s", async (role, forwarding) => {
    expect(LL).toBe("fe80::ff:fe00:1")
    const kernel = new Kernel(role, settings(forwarding))
    kernels.push(kernel)
    await kernel.ready()
    const rig = emulated(settings(forwarding))
    const there: Array<string> = []
    const here: Array<string> = []
    const [askedThere, askedHere] = [new Asked(), new Asked()]
    for (const probe of PROBES) {
      if (KNOWN.has(probe.name)) continue
      there.push(`${probe.name}: ${askedThere.fresh(await kernel.ask(probe))}`)
      here.push(`${probe.name}: ${askedHere.fresh(answer(rig, probe))}`)
    }
    const different = there.flatMap((text, i) => text === here[i] ? [] : [`Linux ${text}\n  we ${here[i]}`])
    expect(different.join("\n")).toBe("")
    rig.run(120_000)
    expect(rig.atRest).toEqual({ inFlight: 0, balance: null })
  })
})
