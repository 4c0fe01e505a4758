/**
 * `bridge link` and `bridge fdb` (iproute2's bridge/link.c, bridge/fdb.c).
 * Approximated: entries stand by device and address, where Linux prints the newest of a port first; `used` is
 * the time since the address was last seen. Not supported: groups that devices listen to (`self` entries),
 * VLANs (`bridge vlan`), multicast (`bridge mdb`), what changes state.
 */
import { SECOND } from "@podwire/engine"
import { Bridge, type FdbEntry, type NetDevice } from "@podwire/netdev"
import type { Netns } from "@podwire/netns"
import * as mac from "@podwire/wire/mac"
import { portCost, portState } from "./bridge-details.ts"
import { nameAndLink } from "./device-state.ts"
import { fail, notModelled } from "./failure.ts"
import { noteName, printFlags } from "./ip-link.ts"
import { Printer } from "./printer.ts"
import { begins, pick, Words } from "./words.ts"

interface Options {
  stats: boolean
  details: boolean
  oneline: boolean
  json: boolean
  pretty: boolean
}

const OPTIONS = [
  "-help", "-Version", "-stats", "-statistics", "-details", "-oneline", "-timestamp", "-family", "-netns",
  "-color", "-compressvlans", "-force", "-json", "-pretty", "-batch"
] as const
const FDB_COMMANDS = ["add", "append", "replace", "delete", "get", "show", "lst", "list", "flush", "help"]
const OBJECTS = ["link", "fdb", "mdb", "vlan", "monitor", "help"]

export function bridge(netns: Netns, args: ReadonlyArray<string>): string {
  const words = new Words(args)
  const options = readOptions(words)
  if (words.done) return notModelled("bridge help")
  const word = words.take()
  const object = pick(word, OBJECTS)
  if (object === null) return fail(`Object "${word}" is unknown, try "bridge help".`, 255)
  const out = new Printer(options.oneline)
  if (object === "link") link(netns, words, out, options)
  else if (object === "fdb") fdb(netns, words, out, options)
  else notModelled(`bridge ${object}`)
  return options.json ? out.json(options.pretty) : out.text
}

function readOptions(words: Words): Options {
  const options: Options = { stats: false, details: false, oneline: false, json: false, pretty: false }
  while (!words.done && words.peek().startsWith("-")) {
    const word = words.take()
    if (word === "--") break
    const option = pick(word.startsWith("--") ? word.slice(1) : word, OPTIONS)
    if (option === null) fail(`Option "${word}" is unknown, try "bridge help".`, 255)
    else if (option === "-stats" || option === "-statistics") options.stats = true
    else if (option === "-details") options.details = true
    else if (option === "-oneline") options.oneline = true
    else if (option === "-json") options.json = true
    else if (option === "-pretty") options.pretty = true
    else if (option !== "-color" && option !== "-compressvlans") notModelled(`bridge ${option}`)
  }
  return options
}

/** `show` may be left out; what changes state is not for an inspector. */
function readShow(object: string, words: Words, commands: ReadonlyArray<string>): void {
  if (words.done) return
  const word = words.take()
  const command = pick(word, commands)
  if (command === null) fail(`Command "${word}" is unknown, try "bridge ${object} help".`, 255)
  if (!["show", "lst", "list"].includes(command)) notModelled(`bridge ${object} ${command}`)
}

function deviceNamed(netns: Netns, name: string): NetDevice {
  return netns.links.byName(name) ?? fail(`Cannot find device "${name}"`, 255)
}

// bridge link

function link(netns: Netns, words: Words, out: Printer, options: Options): void {
  readShow("link", words, ["set", "show", "lst", "list", "help"])
  let only: NetDevice | null = null
  while (!words.done) {
    const word = words.take()
    if (word === "dev") only = deviceNamed(netns, words.argument())
    else if (word === "master") notModelled("bridge link show master")
  }
  for (const dev of netns.links.list()) {
    if (only === null || dev === only) printPort(netns, out, dev, options)
  }
}

function printPort(netns: Netns, out: Printer, dev: NetDevice, { details }: Options): void {
  const port = dev.master instanceof Bridge ? dev.master.port(dev) : null
  if (port === null) return
  out.object("", () => {
    out.put("ifindex", dev.ifindex, `${dev.ifindex}: `)
    noteName(netns, out, dev, "by-index")
    out.say(`${nameAndLink(netns, dev, "by-index")}: `)
    printFlags(netns, out, dev, "by-index")
    out.put("mtu", dev.mtu, `mtu ${dev.mtu} `).put("master", dev.master!.name, `master ${dev.master!.name} `)
    out.put("state", portState(port), `state ${portState(port)} `)
    out.put("priority", 32, "priority 32 ").put("cost", portCost(dev), `cost ${portCost(dev)} `)
    if (details) {
      const flag = (name: string, on: boolean) => out.put(name, on, `${name} ${on ? "on" : "off"} `)
      out.nl().say("    ")
      for (const [name, on] of [
        ["hairpin", port.hairpin], ["guard", false], ["root_block", false], ["fastleave", false],
        ["learning", port.learning], ["flood", port.flood], ["mcast_flood", port.multicastFlood],
        ["bcast_flood", port.broadcastFlood]
      ] as const) flag(name, on)
      out.put("mcast_router", 1, "mcast_router 1 ")
      for (const name of ["mcast_to_unicast", "neigh_suppress", "vlan_tunnel"]) flag(name, false)
      flag("isolated", port.isolated)
      flag("locked", false)
    }
    out.say("\n")
  })
}

// bridge fdb

interface FdbFilter {
  dev: NetDevice | null
  bridge: NetDevice | null
  dynamic: boolean
  permanent: boolean | null
}

interface Row {
  readonly bridge: Bridge
  readonly dev: NetDevice
  readonly entry: FdbEntry
}

function fdb(netns: Netns, words: Words, out: Printer, { stats }: Options): void {
  readShow("fdb", words, FDB_COMMANDS)
  const filter: FdbFilter = { dev: null, bridge: null, dynamic: false, permanent: null }
  while (!words.done) readFilter(netns, words, filter)
  for (const row of rows(netns)) {
    const { bridge: master, dev, entry } = row
    if (filter.dev !== null && dev !== filter.dev) continue
    if (filter.bridge !== null && master !== filter.bridge) continue
    if (filter.dynamic && entry.local) continue
    if (filter.permanent !== null && entry.local !== filter.permanent) continue
    printEntry(netns, out, row, stats, filter.dev === null)
  }
}

function readFilter(netns: Netns, words: Words, filter: FdbFilter): void {
  const word = words.take()
  if (word === "dev" || word === "brport") filter.dev = deviceNamed(netns, words.argument())
  else if (word === "br") {
    const name = words.argument()
    filter.bridge = netns.links.byName(name) ?? fail(`Cannot find bridge device "${name}"`, 255)
  } else if (word === "dynamic") filter.dynamic = true
  else if (word === "state") filter.permanent = readState(words.argument())
  else if (word === "vlan") notModelled("bridge fdb show vlan")
  else if (begins(word, "help")) notModelled("bridge fdb help")
}

function readState(word: string): boolean | null {
  if (word === "all") return null
  if (begins(word, "permanent")) return true
  return notModelled(`bridge fdb show state ${word}`)
}

/** By device, then address: an entry of the bridge's own is the bridge's device's. */
function rows(netns: Netns): ReadonlyArray<Row> {
  const all: Array<Row> = []
  for (const master of netns.links.list()) {
    if (!(master instanceof Bridge)) continue
    for (const entry of master.fdb.list(netns.engine.nowNs)) {
      all.push({ bridge: master, dev: master.portByNumber(entry.port)?.dev ?? master, entry })
    }
  }
  return all.sort((a, b) => a.dev.ifindex - b.dev.ifindex || a.entry.mac - b.entry.mac)
}

function printEntry(netns: Netns, out: Printer, row: Row, stats: boolean, named: boolean): void {
  const { bridge: master, dev, entry } = row
  out.object("", () => {
    out.put("mac", mac.format(entry.mac), `${mac.format(entry.mac)} `)
    if (named) out.put("ifname", dev.name, `dev ${dev.name} `)
    if (stats) {
      const age = Math.floor((netns.engine.nowNs - entry.updatedNs) / SECOND)
      out.put("used", age, `used ${age}/`).put("updated", age, `${age} `)
    }
    const state = entry.local ? "permanent" : ""
    out.note("flags", []).put("master", master.name, `master ${master.name} `)
    out.put("state", state, `${state}\n`)
  })
}
