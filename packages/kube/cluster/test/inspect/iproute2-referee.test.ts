/**
 * The same small topology in a real Linux and in the emulator, and the same command lines in both: the
 * texts must be equal. Needs root, iproute2 6.1 and namespaces; says so and does nothing where these are
 * missing.
 *
 * Not compared, because they cannot be equal or are not emulated: names of namespaces against their
 * numbers, counters, timers, ages, snooping; anycast routes (the subnet-router address), the groups that
 * devices listen to, link-local neighbours that Linux learns from router solicitations; the order of
 * hashes.
 */
import { Tcp } from "@podwire/tcp"
import { execFileSync, spawn } from "node:child_process"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { inspect } from "../../src/inspect/inspect.ts"
import { build, COMMANDS, type Place } from "./topology.ts"

const names: Readonly<Record<Place, string>> = {
  pod: `pw-insp-${process.pid}-pod`, node: `pw-insp-${process.pid}-node`, far: `pw-insp-${process.pid}-far`
}
const END = "@@@"

const why = missing()
if (why !== null) console.log(`skipped: no referee for inspectors, ${why}`)

function missing(): string | null {
  if (process.platform !== "linux" || process.getuid?.() !== 0) return "it takes root on Linux"
  try {
    const version = execFileSync("ip", ["-V"], { encoding: "utf8" })
    if (!version.includes("iproute2-6.1.")) return `it takes iproute2 6.1, this is ${version.trim()}`
    // Whether namespaces can be had is known when one was.
    for (const verb of ["add", "del"]) execFileSync("ip", ["netns", verb, names.pod], { stdio: "pipe" })
    return null
  } catch (error) {
    return `namespaces or ip are missing: ${String(error).split("\n")[0]}`
  }
}

const COMMON = [
  "ip addr", "ip a", "ip -4 addr", "ip -6 addr", "ip -br addr", "ip -o addr", "ip -d addr", "ip -s addr",
  "ip -j addr", "ip -j -p addr", "ip -j -br addr", "ip -j -4 addr", "ip -4 -br addr", "ip addr show dev eth0",
  "ip addr show lo", "ip -6 addr show dev eth0", "ip addr show scope link", "ip addr show to 10.244.0.0/16",
  "ip addr show up", "ip addr show secondary", "ip a s eth0", "ip addr ls eth0", "ip -c=auto a", "ip link",
  "ip l", "ip -br link", "ip -o link", "ip -d link", "ip -s link", "ip -s -s link show dev eth0",
  "ip -j link", "ip -j -s link", "ip -j -s -s link show lo", "ip -j -d link", "ip -j -p -d link",
  "ip -j -br link", "ip -d -o link", "ip -6 link", "ip link show type veth", "ip link show type bridge",
  "ip link show up", "ip link show type bridge_slave", "ip link show nomaster", "ip route", "ip r",
  "ip ro ls", "ip -d route", "ip -j route", "ip -j -p route", "ip -o route", "ip route show table local",
  "ip -4 route show table all", "ip -j -d -4 route show table all", "ip -d -4 route show table all",
  "ip route show dev eth0", "ip route show default", "ip route show 10.244.1.0/24",
  "ip route show match 10.244.1.2", "ip route show root 10.244.0.0/16", "ip route show exact 10.244.0.0/16",
  "ip route show proto kernel", "ip route show scope link", "ip route show type local table all",
  "ip route show table main", "ip route show table 254", "ip route show table 77", "ip route show table foo",
  "ip route show metric 50", "ip route show via 192.168.1.11", "ip route show src 10.244.1.1", "ip -6 route",
  "ip -6 -d route", "ip -j -6 route", "ip -6 route show table local", "ip -6 route show table all",
  "ip -6 route show dev eth0", "ip -6 route show default", "ip -6 route show table 77",
  "ip -6 route show proto static", "ip rule", "ip -6 rule", "ip -j rule", "ip -d rule", "ip ru ls",
  "ip neigh", "ip n", "ip -4 neigh", "ip -6 neigh", "ip -j neigh", "ip neigh show dev eth0",
  "ip neigh show nud permanent", "ip neigh show nud stale", "ip neigh show to 192.168.1.0/24",
  "ip neigh get 10.244.1.2 dev cni0", "ip neigh get 10.244.1.99 dev eth0", "ip neigh get 10.244.1.99",
  "bridge link", "bridge -d link", "bridge -j link", "bridge -j -d link", "bridge link show dev veth1234",
  "bridge fdb", "bridge -j fdb", "bridge fdb show br cni0", "bridge fdb show dev veth1234",
  "bridge fdb show dynamic", "bridge fdb show brport veth1234 state permanent",
  // Mistakes.
  "ip addr show dev nope", "ip addr show nope", "ip link show nope", "ip link show dev nope up",
  "ip addr show foo bar", "ip addr show scope foo", "ip addr show dev", "ip link show master nope", "ip foo",
  "ip addr foo", "ip link foo", "ip route foo", "ip rule foo", "ip neigh foo", "ip -Z", "ip -f foo addr",
  "ip route show dev nope", "ip route show foo", "ip route show proto foo", "ip route show scope foo",
  "ip route show type foo", "ip -6 route show 10.0.0.0/8", "ip neigh show dev nope", "ip neigh show nud foo",
  "ip neigh show foo", "ip route get", "ip route get nope", "ip -6 route get 10.1.0.9",
  "ip -4 route get fd00::1", "ip route get 1.2.3.4 oif nope", "bridge foo", "bridge -Z", "bridge fdb foo",
  "bridge link foo", "bridge fdb show br nope", "bridge fdb show dev nope", "bridge link show dev nope",
  "sysctl net.ipv4.ip_forward", "sysctl -n net.ipv4.ip_forward net.ipv4.ip_default_ttl", "sysctl nope.x",
  "sysctl net.ipv4.foo net.ipv4.ip_default_ttl", "sysctl net.ipv4.ip_local_port_range",
  "sysctl net/ipv4/conf/eth0/rp_filter", "sysctl -N net.ipv4.ip_forward", "sysctl -e nope",
  "sysctl net.ipv6.conf.all.forwarding", "cat /proc/sys/net/ipv4/ip_forward", "cat /nope",
  "cat /proc/net/dev", "cat /proc/net/arp", "cat /proc/net/route", "cat /proc/net/if_inet6"
]
const GETS = [
  "10.244.1.2", "10.244.2.5", "10.244.3.5", "10.244.3.70", "10.244.9.1", "10.96.0.1", "10.97.0.1", "8.8.8.8",
  "127.0.0.1", "192.168.1.10", "192.168.1.255", "224.0.0.5", "10.244.2.5 from 10.244.1.1",
  "10.244.2.5 from 1.2.3.4", "8.8.8.8 oif eth0", "to 10.244.1.9 dev eth0", "fibmatch 10.244.2.9",
  "fd00:1::11", "fd00:10:244:2::9", "fd00:10:244:9::9", "fd00:10:96::1", "fd00:10:97::1", "::1",
  "fe80::1 oif eth0", "fd00:10:244:1::1", "fd00:10:244:1::2", "fibmatch fd00:10:244:2::9", "2001:db8::1",
  "10.66.0.9"
].flatMap((words) => [`ip route get ${words}`, `ip -j route get ${words}`, `ip -d -o route get ${words}`])
const NODE_ONLY = [
  "10.244.2.5 from 10.244.1.2 iif cni0", "10.244.1.1 from 10.244.1.2 iif cni0",
  "10.244.1.9 from 8.8.8.8 iif eth0", "10.96.0.1 from 10.244.1.2 iif cni0", "10.244.2.5 iif cni0",
  "10.244.3.99 from 10.244.1.2 iif cni0", "fd00:10:244:2::9 from fd00:10:244:1::2 iif cni0",
  "fd00:10:244:1::1 from fd00:10:244:1::2 iif cni0", "10.9.9.9 oif cni0"
].map((words) => `ip route get ${words}`)
  .concat(
    "ip link show master cni0", "arp -n", "arp -an", "arp -n 192.168.1.11", "arp -n 10.9.9.9",
    "arp -n -i cni0", "arp -n -v", "ip route show table 100"
  )

describe.skipIf(why !== null)("as the real tools print it", () => {
  const emulated = build()
  const real = new Map<string, string>()

  beforeAll(async () => {
    const script = Object.entries(names).map(([place, name]) => `${place}=${name}\n`).join("")
    execFileSync("sh", ["-e", "-c", `${script} for n in $pod $node $far; do ip netns add $n; done\n${COMMANDS}`])
    await settled()
    const both = [...COMMON, ...GETS]
    for (const [place, commands] of [["pod", both], ["node", [...both, ...NODE_ONLY]]] as const) {
      const answers = ask(place, commands)
      for (const [i, command] of commands.entries()) real.set(`${place} ${command}`, answers[i]!)
    }
  }, 20_000)

  afterAll(() => {
    for (const name of Object.values(names)) {
      try {
        execFileSync("ip", ["netns", "del", name], { stdio: "pipe" })
      } catch {
        // It was never made.
      }
    }
  })

  it.each(["pod", "node"] as const)("in the %s", (place) => {
    const wrong: Array<string> = []
    for (const [key, text] of real) {
      if (!key.startsWith(`${place} `)) continue
      const command = key.slice(place.length + 1)
      const { stdout, stderr, exitCode } = inspect(emulated[place], command.split(" "))
      const [ours, theirs] = [normal(command, `${stderr}${stdout}${END} ${exitCode}`), normal(command, text)]
      if (ours !== theirs) wrong.push(`$ ${command}\n${difference(theirs, ours)}`)
    }
    expect(wrong.join("\n\n")).toBe("")
  })

  it("sysctl -a, in Linux's order", () => {
    const names = (text: string) =>
      text.split("\n").filter((line) => line.includes(" = ")).map((line) => line.split(" ")[0]!)
    const theirs = names(ask("pod", ["sysctl -a"])[0]!)
    const ours = names(inspect(emulated.pod, ["sysctl", "-a"]).stdout)
    const known = new Set(theirs)
    const own = new Set(ours)
    expect(ours.filter((name) => known.has(name)).length).toBeGreaterThan(40)
    expect(ours.filter((name) => known.has(name))).toEqual(theirs.filter((name) => own.has(name)))
  })

  it("sockets", async () => {
    const server = spawn("ip", ["netns", "exec", names.node, process.execPath, "-e", SOCKETS], {
      stdio: ["pipe", "pipe", "inherit"]
    })
    await new Promise((resolve) => server.stdout.once("data", resolve))
    const { node } = emulated
    const bind = (version: 4 | 6, ip: Int32Array | null, port: number, v6only = false) => {
      const socket = node.udp(version)
      socket.v6only = v6only
      socket.bind(ip, port)
      return socket
    }
    bind(4, null, 53)
    bind(4, Int32Array.of(0x0af40101), 9999)
    bind(6, null, 5353, true)
    bind(6, null, 5354)
    bind(4, Int32Array.of(0x7f000001), 4000).connect(Int32Array.of(0x7f000001), 53)
    const listen = (version: 4 | 6, ip: Int32Array | null, port: number) => {
      const socket = Tcp.of(node).socket(version)
      socket.bind(ip, port)
      socket.listen(4096)
    }
    listen(4, Int32Array.of(0x7f000001), 80)
    listen(6, null, 443)
    listen(6, Int32Array.of(0, 0, 0, 1), 445)
    const commands = [
      "-tuln", "-tulnp", "-tan", "-uan", "-un", "-tn", "-ulnp", "-H -tuln", "-4tuln", "-6tuln", "-a -n -t -u",
      "-tlnq", "--tcp --listening --numeric"
    ].map((words) => `ss ${words}`)
    const answers = ask("node", commands)
    server.kill()
    for (const [i, command] of commands.entries()) {
      const { stdout, stderr, exitCode } = inspect(node, command.split(" "))
      // Processes are not told, and their column is then narrower; usage is not printed.
      const lines = (text: string) =>
        [command, ...text.replace(/ *users:\S+/g, "").split("\n").map((line) => line.trimEnd()).sort()]
      if (exitCode === 0) expect(lines(`${stdout}${END} 0`)).toEqual(lines(answers[i]!))
      else expect(answers[i]).toMatch(new RegExp(`^${stderr}[^]*${END} ${exitCode}$`))
    }
  })

  /** What each command prints, and its status. */
  function ask(place: Place, commands: ReadonlyArray<string>): ReadonlyArray<string> {
    const lines = commands.map((command) => `${command}; echo "${END} $?"`).join("\n")
    const argv = ["netns", "exec", names[place], "sh", "-c", `exec 2>&1\n${lines}`]
    const text = execFileSync("ip", argv, { encoding: "utf8" })
    return text.split(/(?<=@@@ \d+)\n/).slice(0, -1)
  }

  /** Addresses are usable and links have found each other. */
  async function settled(): Promise<void> {
    for (let i = 0; i < 60; i++) {
      const [addresses = "", links = ""] = ask("node", ["ip -6 addr show tentative", "ip -br link"])
      if (!addresses.includes("inet6") && /cni0 +UP/.test(links) && /eth0\S+ +UP/.test(links)) return
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
    throw new Error("the topology does not settle")
  }
})

const SOCKETS = `
const dgram = require("node:dgram"), net = require("node:net")
const udp = (type, port, address, more = {}) => new Promise((done) => {
  const socket = dgram.createSocket({ type, ...more })
  socket.bind(port, address, () => done(socket))
})
const tcp = (port, host) => new Promise((done) =>
  net.createServer().listen({ port, host, backlog: 4096 }, done))
Promise.all([
  udp("udp4", 53, "0.0.0.0"), udp("udp4", 9999, "10.244.1.1"), udp("udp6", 5353, "::", { ipv6Only: true }),
  udp("udp6", 5354, "::"),
  udp("udp4", 4000, "127.0.0.1").then((s) => new Promise((done) => s.connect(53, "127.0.0.1", done))),
  tcp(80, "127.0.0.1"), tcp(443, "::"), tcp(445, "::1")
]).then(() => console.log("ready"))
process.stdin.on("end", () => process.exit()).resume()
`

/** Lines that only one of them prints; all of both where merely the order differs. */
function difference(linux: string, podwire: string): string {
  const [theirs, ours] = [linux.split("\n"), podwire.split("\n")]
  const missing = theirs.filter((line) => !ours.includes(line))
  const extra = ours.filter((line) => !theirs.includes(line))
  const moved = missing.length + extra.length === 0
  return [
    ...(moved ? theirs : missing).map((line) => `linux   ${line}`),
    ...(moved ? ours : extra).map((line) => `podwire ${line}`)
  ].join("\n")
}

/** What cannot be equal is made so; what comes in the order of a hash is sorted. */
function normal(command: string, text: string): string {
  let lines = text
    .replace(/ link-netns(id)? \S+/g, " link-netnsid #")
    .replace(/(_timer"?:?)( *)[\d.]+/g, "$1 0").replace(/(mcast_snooping"?:? ?)\d/g, "$10")
    // Of equally good IPv6 sources Linux takes the newest; the source of a secondary address's local route is
    // the primary address. The emulator's choices differ.
    .replace(/("prefsrc":"|src )fd00:1::[12]0\b/g, "$1fd00:1::#")
    .replace(/("prefsrc":"|src )192\.168\.1\.[12]0\b/g, "$1192.168.1.#")
    .split("\n")
  if (command.startsWith("ip -s") || command.includes(" -s ") || command.includes("/proc/net/dev")) {
    const counters = /^ +[\d ]+$|^ *\w+:( +\d+){8}/
    const members = /"(bytes|packets|dropped|multicast|carrier_changes)":\d+/g
    lines = lines.map((line) => counters.test(line) ? line.replace(/ +\d+/g, " #") : line)
      .map((line) => line.replace(members, '"$1":0'))
  }
  if (/^ip.* n(eigh)?\b/.test(command)) lines = lines.filter((line) => !line.startsWith("fe80"))
  if (command.includes("fdb")) lines = lines.filter((line) => !line.includes(" self "))
  lines = lines.filter((line) => !line.startsWith("anycast"))
  if (command.includes(" -j")) lines = lines.map((line) => withoutJson(line, command))
  const hashed = /^arp|proc\/net\/(arp|if_inet6)|^ip.* n(eigh)?\b|fdb/.test(command)
  return (hashed ? lines.sort() : sameDestination(lines)).join("\n")
}

function withoutJson(line: string, command: string): string {
  if (!line.startsWith("[{")) return line
  const list = (JSON.parse(line) as Array<Record<string, unknown>>).filter((one) =>
    one["type"] !== "anycast" && !(one["flags"] as Array<string> | undefined)?.includes("self") &&
    !String(one["dst"]).startsWith("fe80::ff") && !String(one["dst"]).startsWith("fe80::f"))
  const texts = list.map((one) => JSON.stringify(one))
  if (command.includes("neigh") || command.includes("fdb")) texts.sort()
  return `[${sameDestination(texts).join(",")}]`
}

/** IPv6 routes to one destination and of one metric stand in order of birth, which links' carriers decide. */
function sameDestination(lines: ReadonlyArray<string>): ReadonlyArray<string> {
  const pattern = /^(?:multicast |unicast |\{.*"dst":")?(fe80::\/64|ff00::\/8)/
  const destination = (at: number) => pattern.exec(lines[at] ?? "")?.[1] ?? ""
  const out: Array<string> = []
  for (let i = 0; i < lines.length;) {
    let end = i + 1
    while (destination(i) !== "" && destination(end) === destination(i)) end++
    out.push(...lines.slice(i, end).sort())
    i = end
  }
  return out
}
