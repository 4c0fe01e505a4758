/**
 * A router that is a real kernel, in a namespace that ends with its process: its mangle table writes into
 * each packet's TTL how connection tracking classed it, so one packet out tells of one packet in.
 */
import { execFileSync, spawnSync } from "node:child_process"
import { accessSync, constants } from "node:fs"
import { fileURLToPath } from "node:url"
import { hex, unhex } from "@podwire/wire/bytes"

export type KernelEvent =
  | { readonly kind: "packet", readonly from: 0 | 1, readonly packet: Uint8Array }
  | { readonly kind: "wait", readonly seconds: number }
  | { readonly kind: "sysctl", readonly name: string, readonly value: number }
  | { readonly kind: "list" }

export interface KernelAnswer {
  /** By packet name (identification or flow label): its class, as `stateOf` spells it. */
  readonly states: ReadonlyMap<number, string>
  readonly lists: ReadonlyArray<{ readonly tool: string, readonly proc: string, readonly stats: string }>
  /** Lines of `conntrack -E`. */
  readonly heard: ReadonlyArray<string>
  /** Seconds that it took. */
  readonly elapsed: number
}

const CLASSES = ["INVALID", "NEW", "ESTABLISHED", "RELATED", "UNTRACKED"]
const TTL_BASE = 100
const REPLY = 50

/** Why there is no referee, or null. */
export function missing(): string | null {
  if (process.platform !== "linux" || process.getuid?.() !== 0) return "it takes root on Linux"
  try {
    accessSync("/dev/net/tun", constants.R_OK | constants.W_OK)
    const match = "-m conntrack --ctstate NEW -m tos --tos 16"
    const probe = `iptables-legacy -t mangle -A FORWARD ${match} -j TTL --ttl-set 9 && conntrack -C`
    execFileSync("unshare", ["-n", "sh", "-c", probe], { stdio: "pipe" })
    return null
  } catch (error) {
    return `unshare, iptables-legacy, conntrack or /dev/net/tun are missing: ${String(error).split("\n")[0]}`
  }
}

function rules(target: string): string {
  const lines = CLASSES.map((name, i) =>
    `-A FORWARD -m conntrack --ctstate ${name} -j ${target}-set ${TTL_BASE + 10 * i}`)
  return [
    "*mangle", ...lines, `-A FORWARD -m conntrack --ctdir REPLY -j ${target}-inc ${REPLY}`, "COMMIT",
    "*filter", "-A FORWARD -m tos --tos 0x10 -j DROP", "COMMIT", ""
  ].join("\n")
}

const SETUP = [
  "link set lo up", "link set tap0 address 02:00:00:00:00:01 up", "link set tap1 address 02:00:00:00:00:02 up",
  ...[1, 2].flatMap((i) => [
    `addr add 10.0.${i}.1/24 dev tap${i - 1}`, `addr add fd00:${i}::1/64 dev tap${i - 1} nodad`,
    `neigh add 10.0.${i}.2 lladdr 02:00:00:00:0${i}:02 dev tap${i - 1} nud permanent`,
    `neigh add fd00:${i}::2 lladdr 02:00:00:00:0${i}:02 dev tap${i - 1} nud permanent`,
    `route add 10.${i}.0.0/16 via 10.0.${i}.2`, `route add fd0${i}::/64 via fd00:${i}::2`
  ])
]

export function play(events: ReadonlyArray<KernelEvent>, sysctls: Readonly<Record<string, number>> = {}): KernelAnswer {
  const plan = {
    before: {
      "net.ipv6.conf.all.accept_dad": 0, "net.ipv6.conf.default.accept_dad": 0,
      "net.ipv6.conf.default.router_solicitations": 0, "net.ipv4.conf.all.rp_filter": 0,
      "net.ipv4.conf.default.rp_filter": 0, "net.ipv4.ip_forward": 1, "net.ipv6.conf.all.forwarding": 1,
      "net.ipv4.conf.all.send_redirects": 0
    },
    setup: SETUP, rules4: rules("TTL --ttl"), rules6: rules("HL --hl"),
    after: Object.fromEntries(Object.entries(sysctls).map(([name, value]) => [`net.netfilter.${name}`, value])),
    events: events.map((event) => {
      if (event.kind === "packet") {
        const type = event.packet[0]! >>> 4 === 6 ? "86dd" : "0800"
        return ["frame", event.from, `02000000000${event.from + 1}02000000990${event.from + 1}${type}${hex(event.packet)}`]
      }
      if (event.kind === "wait") return ["sleep", event.seconds]
      return event.kind === "list" ? ["list"] : ["sysctl", `net.netfilter.${event.name}`, event.value]
    })
  }
  const helper = fileURLToPath(new URL("kernel.py", import.meta.url))
  const { stdout, stderr, status } = spawnSync("unshare", ["-n", "python3", helper], {
    input: `${JSON.stringify(plan)}\n`, encoding: "utf8", maxBuffer: 1 << 28, timeout: 60_000
  })
  if (status !== 0) throw new Error(`the referee failed: ${stderr}`)
  const answer = JSON.parse(stdout) as {
    frames: ReadonlyArray<string>, lists: ReadonlyArray<string>, heard: string, elapsed: number
  }
  const states = new Map<number, string>()
  for (const text of answer.frames) {
    const bytes = unhex(text)
    const six = bytes[12] === 0x86
    const ttl = bytes[six ? 21 : 22]!
    const name = six ? ((bytes[15]! & 15) << 16) | (bytes[16]! << 8) | bytes[17]! : (bytes[18]! << 8) | bytes[19]!
    // What the router says for itself (listener reports, discovery) has no name.
    if (name === 0 || ttl < TTL_BASE) continue
    states.set(name, stateName(ttl))
  }
  const lists = answer.lists.map((texts) => {
    const [tool, proc, stats] = texts.split("\0") as [string, string, string]
    return { tool, proc, stats: summed(stats) }
  })
  const { elapsed } = answer
  const heard = answer.heard.split("\n").map((line) => line.trimEnd()).filter((line) => line !== "")
  return { states, lists, elapsed, heard }
}

/** One line of counters for all processors. */
function summed(stats: string): string {
  const totals = new Map<string, number>()
  for (const [, name, value] of stats.matchAll(/(\w+)=(\d+)/g)) {
    totals.set(name!, name === "cpu" ? 0 : (totals.get(name!) ?? 0) + Number(value))
  }
  return [...totals].map(([name, value]) => `${name}=${value}${name === "cpu" ? "   \t" : " "}`).join("")
}

/** FORWARD sets it behind the routing, so that it goes out as it was written. */
function stateName(ttl: number): string {
  const above = ttl - TTL_BASE
  const reply = above >= REPLY
  return `${CLASSES[Math.floor((reply ? above - REPLY : above) / 10)]}${reply ? " reply" : ""}`
}

/** Lines whose seconds left agree to what a slow machine may lose are made the same; then in one order. */
export function compareLists(there: string, here: string): { readonly there: string, readonly here: string } {
  const sort = (text: string): Array<string> => text.split("\n").filter((line) => line !== "").sort((a, b) => {
    const [x, y] = [bare(a), bare(b)]
    return x < y ? -1 : x > y ? 1 : 0
  })
  const [left, right] = [sort(there), sort(here)]
  return { there: likened(left, right).join("\n"), here: right.join("\n") }
}

/** Lines that differ by no more seconds than a slow machine may lose become the others. */
export function likened(there: ReadonlyArray<string>, here: ReadonlyArray<string>): ReadonlyArray<string> {
  return there.map((line, i) => {
    const other = here[i]
    if (other === undefined || bare(other) !== bare(line)) return line
    const [t, h] = [seconds(line), seconds(other)]
    return t <= h && h - t <= 4 ? other : line
  })
}

const SECONDS = /^(\s*(?:\[[A-Z]+\] )?(?:ipv[46] +\d+ )?\S+ +\d+ )(\d+) /

function bare(line: string): string {
  return line.replace(SECONDS, "$1")
}

function seconds(line: string): number {
  return Number(SECONDS.exec(line)?.[2] ?? NaN)
}
