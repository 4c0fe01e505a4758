/**
 * `ip addr show` (iproute2's ipaddress.c: print_addrinfo): devices with their addresses, in the kernel's
 * order.
 *
 * Approximated: an IPv4 address that can have a broadcast address is shown with it, as CNI plugins and the
 * kubelet add them (`brd +`); lifetimes are forever. Not supported: labels, peers, temporary addresses.
 */
import type { NetDevice } from "@podwire/netdev"
import { type Address, type Netns } from "@podwire/netns"
import { broadcast, type Cidr, contains } from "@podwire/wire/cidr"
import { family, format } from "@podwire/wire/ip"
import { command, type IpCall } from "./ip-call.ts"
import {
  anyLink, findDevice, fits, type LinkFilter, printBriefName, printLink, printStats, readLinkFilter
} from "./ip-link.ts"
import { readPrefix } from "./prefix.ts"
import { invalid } from "./words.ts"

const COMMANDS = [
  "add", "change", "chg", "replace", "delete", "list", "show", "lst", "flush", "save", "showdump", "restore",
  "help"
]
const FOREVER = 4_294_967_295
const SCOPES: Readonly<Record<string, ReadonlyArray<string>>> = {
  all: ["global", "link", "host"], global: ["global"], link: ["link"], host: ["host"], site: [], nowhere: []
}
/** Flags that a word picks; `-` in front of it picks the others. */
const FLAGS: Readonly<Record<string, (address: Address) => boolean>> = {
  permanent: () => true, dynamic: () => false, temporary: () => false, home: () => false,
  secondary: (address) => address.secondary,
  primary: (address) => !address.secondary,
  tentative: (address) => address.tentative,
  deprecated: (address) => address.deprecated,
  dadfailed: (address) => address.dadFailed,
  nodad: (address) => address.nodad
}

interface AddressFilter extends LinkFilter {
  family: 4 | 6 | null
  scopes: ReadonlyArray<string> | null
  to: Cidr | null
  readonly flags: Array<(address: Address) => boolean>
}

export function address(call: IpCall): void {
  const { netns, options, words, out } = call
  command(call, "address", COMMANDS)
  const filter: AddressFilter = { ...anyLink(), family: options.family, scopes: null, to: null, flags: [] }
  while (!words.done) readFilter(call, filter)
  findDevice(call, filter)
  for (const dev of netns.links.list()) {
    if (!fits(dev, filter)) continue
    const all = ordered(netns, dev)
    const addresses = all.filter((one) => wanted(one, filter))
    const picky = filter.family !== null || filter.scopes !== null || filter.flags.length > 0
    // A device without any address passes every filter but that for a family (ipaddr_filter).
    if (picky && addresses.length === 0 && (all.length > 0 || filter.family !== null)) continue
    out.object("", () => printDevice(call, dev, addresses, filter))
  }
}

function readFilter(call: IpCall, filter: AddressFilter): void {
  const { words } = call
  const word = words.peek()
  if (word === "to") {
    words.take()
    filter.to = readPrefix(words.argument(), filter.family)
    filter.family ??= family(filter.to.ip)
  } else if (word === "scope") {
    words.take()
    const name = words.argument()
    filter.scopes = SCOPES[name] ?? invalid(name, 'invalid "scope"\n')
  } else if (Object.hasOwn(FLAGS, word.replace(/^-/, ""))) {
    words.take()
    const flag = FLAGS[word.replace(/^-/, "")]!
    filter.flags.push(word.startsWith("-") ? (one) => !flag(one) : flag)
  } else readLinkFilter(call, filter)
}

function wanted(one: Address, filter: AddressFilter): boolean {
  const { cidr } = one
  return (filter.family === null || family(cidr.ip) === filter.family) &&
    (filter.scopes === null || filter.scopes.includes(one.scope)) &&
    (filter.to === null || contains(filter.to, cidr.ip)) && filter.flags.every((flag) => flag(one))
}

/**
 * IPv4: primary addresses, nearest scope first, then secondary ones (inet_insert_ifa). IPv6: widest scope
 * first, and of one scope the newest (ipv6_link_dev_addr).
 */
export function ordered(netns: Netns, dev: NetDevice): ReadonlyArray<Address> {
  const all = netns.addresses(dev)
  const four = all.filter(({ cidr }) => family(cidr.ip) === 4)
  const primary = four.filter(({ secondary }) => !secondary)
  const bySpread = (a: Address, b: Address) => spread(b) - spread(a)
  return [
    ...primary.sort((a, b) => spread(a) - spread(b)),
    ...four.filter(({ secondary }) => secondary),
    ...all.filter(({ cidr }) => family(cidr.ip) === 6).reverse().sort(bySpread)
  ]
}

function spread({ scope }: Address): number {
  return scope === "host" ? 0 : scope === "link" ? 1 : 2
}

function printDevice(
  call: IpCall, dev: NetDevice, addresses: ReadonlyArray<Address>, filter: AddressFilter
): void {
  const { options, out } = call
  if (options.brief) {
    printBriefName(call, dev)
    out.list("addr_info", () => {
      for (const { cidr } of addresses) {
        out.object("", () => out.put("local", format(cidr.ip), `${format(cidr.ip)}/`)
          .put("prefixlen", cidr.bits, `${cidr.bits} `))
      }
    })
    out.say("\n")
    return
  }
  if (!options.oneline) {
    // Only a dump for IPv6 alone is answered by IPv6 itself, which tells less.
    const naming = options.family === 6 && filter.dev === null ? "by-index" : "by-netnsid"
    printLink(call, dev, { mode: false, physical: filter.family === null, naming })
    out.say("\n")
  }
  out.list("addr_info", () => {
    for (const one of addresses) out.object("", () => printAddress(call, one))
  })
  if (options.stats > 0 && !options.oneline) {
    printStats(call, dev, false)
    out.say("\n")
  }
}

function printAddress({ options, out }: IpCall, one: Address): void {
  const { dev, cidr, scope } = one
  const four = family(cidr.ip) === 4
  const ip = format(cidr.ip)
  if (options.oneline) out.say(`${dev.ifindex}: ${dev.name}`)
  out.put("family", four ? "inet" : "inet6", four ? "    inet " : "    inet6 ")
  out.put("local", ip, `${ip}/`).put("prefixlen", cidr.bits, `${cidr.bits} `)
  if (four && cidr.bits < 31 && !one.kernel) {
    const last = format(broadcast(cidr))
    out.put("broadcast", last, `brd ${last} `)
  }
  out.put("scope", scope, `scope ${scope} `)
  const flag = (name: string, on: boolean) => {
    if (on) out.put(name, true, `${name} `)
  }
  flag("secondary", one.secondary)
  flag("nodad", one.nodad && !four)
  flag("dadfailed", one.dadFailed)
  flag("deprecated", one.deprecated)
  flag("tentative", one.tentative)
  flag("noprefixroute", (one as Address & { readonly noprefixroute?: boolean }).noprefixroute ?? false)
  if (four) out.put("label", dev.name, dev.name)
  out.nl().put("valid_life_time", FOREVER, "       valid_lft forever")
  const [preferred, text] = one.deprecated ? [0, "0sec"] as const : [FOREVER, "forever"] as const
  out.put("preferred_life_time", preferred, ` preferred_lft ${text}`)
  out.say("\n")
}
