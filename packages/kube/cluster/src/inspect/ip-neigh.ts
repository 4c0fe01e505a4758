/**
 * `ip neigh show` and `ip neigh get` (iproute2's ipneigh.c): IPv4's table, then IPv6's, each by device and
 * address, where Linux prints in order of its hash.
 * Approximated: `used` is the age of the last change; references are not told. Not supported: `proxy`,
 * `unused`, `protocol`, `vrf`.
 */
import { SECOND } from "@podwire/engine"
import type { NetDevice } from "@podwire/netdev"
import { type Neighbour, type Netns, NudState } from "@podwire/netns"
import { type Cidr, contains } from "@podwire/wire/cidr"
import { family, format, type Ip } from "@podwire/wire/ip"
import * as mac from "@podwire/wire/mac"
import { fail, notModelled } from "./failure.ts"
import { command, type IpCall } from "./ip-call.ts"
import { readAddress, readPrefix } from "./prefix.ts"
import { begins, duplicate, invalid } from "./words.ts"

const COMMANDS = ["add", "change", "chg", "replace", "delete", "get", "show", "lst", "list", "flush", "help"]
/** Without `nud`, entries that need no asking (groups) are left out, and those without any state. */
const SHOWN_BY_DEFAULT: ReadonlyArray<NudState> = [
  NudState.INCOMPLETE, NudState.REACHABLE, NudState.STALE, NudState.DELAY, NudState.PROBE, NudState.FAILED,
  NudState.PERMANENT
]

interface NeighFilter {
  family: 4 | 6 | null
  dev: NetDevice | null
  to: Cidr | null
  master: NetDevice | null
  nomaster: boolean
  states: Array<NudState> | null
}

export function neighbour(call: IpCall): void {
  const { netns, options, words } = call
  if (command(call, "neigh", COMMANDS) === "get") return get(call)
  const filter: NeighFilter = {
    family: options.family, dev: null, to: null, master: null, nomaster: false, states: null
  }
  while (!words.done) readFilter(call, filter)
  for (const table of [netns.neigh4, netns.neigh6]) {
    for (const neigh of table.list()) {
      const state = table.stateOf(neigh)
      if (fits(neigh, state, filter)) print(call, neigh, state, filter.dev === null)
    }
  }
}

function readFilter({ netns, words }: IpCall, filter: NeighFilter): void {
  const word = words.take()
  if (word === "dev") {
    const name = words.argument()
    if (filter.dev !== null) duplicate("dev", name)
    filter.dev = deviceNamed(netns, name)
  } else if (word === "master") {
    const name = words.argument()
    filter.master = netns.links.byName(name) ?? invalid(name, "Device does not exist\n")
  } else if (word === "nomaster") filter.nomaster = true
  else if (word === "nud") filter.states = [...(filter.states ?? []), ...readState(words.argument())]
  else if (["vrf", "unused", "proxy"].includes(word) || begins(word, "protocol")) {
    notModelled(`ip neigh show ${word}`)
  } else {
    const name = word === "to" ? words.argument() : word
    if (filter.to !== null) duplicate("to", name)
    filter.to = readPrefix(name, filter.family)
    filter.family ??= family(filter.to.ip)
  }
}

function readState(word: string): ReadonlyArray<NudState> {
  if (word === "all") return Object.values(NudState)
  const state = Object.values(NudState).find((name) => begins(word, name.toLowerCase()))
  return [state ?? invalid(word, "nud state is bad")]
}

export function deviceNamed(netns: Netns, name: string): NetDevice {
  return netns.links.byName(name) ?? fail(`Cannot find device "${name}"`, 1)
}

function fits(neigh: Neighbour, state: NudState, filter: NeighFilter): boolean {
  const { dev, ip } = neigh
  return (filter.states ?? SHOWN_BY_DEFAULT).includes(state) &&
    (filter.family === null || family(ip) === filter.family) && (filter.dev === null || dev === filter.dev) &&
    (filter.to === null || contains(filter.to, ip)) &&
    (filter.master === null || dev.master === filter.master) &&
    !(filter.nomaster && dev.master !== null)
}

function get(call: IpCall): void {
  const { netns, options, words } = call
  let ip: Ip | null = null
  let device = ""
  while (!words.done) {
    const word = words.take()
    if (word === "dev") device = words.argument()
    else if (begins(word, "proxy")) notModelled("ip neigh get proxy")
    else ip = readAddress(word === "to" ? words.argument() : word, options.family)
  }
  if (ip === null || device === "") fail("Device and address are required arguments.", 1)
  const table = family(ip) === 4 ? netns.neigh4 : netns.neigh6
  const neigh = table.find(deviceNamed(netns, device), ip)
  if (neigh === null) fail("Error: Neighbour entry not found.", 2)
  print(call, neigh, table.stateOf(neigh), true)
}

function print(call: IpCall, neigh: Neighbour, state: NudState, withDevice: boolean): void {
  const { netns, options, out } = call
  const address = mac.format(neigh.mac)
  out.object("", () => {
    out.put("dst", format(neigh.ip), `${format(neigh.ip)} `)
    if (withDevice) out.put("dev", neigh.dev.name, `dev ${neigh.dev.name} `)
    const known = state !== NudState.INCOMPLETE && state !== NudState.FAILED && state !== NudState.NONE
    if (known && !neigh.dev.loopback) out.put("lladdr", address, `lladdr ${address} `)
    if (neigh.isRouter) out.put("router", null, "router ")
    if (options.stats > 0) {
      const age = (since: number) => Math.floor((netns.engine.nowNs - since) / SECOND)
      const [updated, confirmed] = [age(neigh.updatedNs), age(neigh.confirmedNs)]
      out.put("used", updated, ` used ${updated}`).put("confirmed", confirmed, `/${confirmed}`)
      out.put("updated", updated, `/${updated}`).put("probes", neigh.probes, `probes ${neigh.probes} `)
    }
    const states = state === NudState.NONE ? [] : [state]
    out.note("state", states).say(states.map((name) => `${name} `).join("")).say("\n")
  })
}
