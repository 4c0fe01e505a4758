/**
 * `arp` (net-tools 2.10): IPv4's neighbours by device and address. Host names are not looked up, with or
 * without -n. Not supported: -s, -d, -f, -H, -p; proxies.
 */
import type { Neighbour, Netns } from "@podwire/netns"
import { NudState } from "@podwire/netns"
import { format } from "@podwire/wire/ip"
import * as mac from "@podwire/wire/mac"
import { notModelled } from "./failure.ts"

export function arp(netns: Netns, args: ReadonlyArray<string>): string {
  let [bsd, verbose, device, host] = [false, false, "", ""]
  for (let i = 0; i < args.length; i++) {
    const arg = args[i]!
    if (arg === "-i" || arg === "--device") device = args[++i] ?? ""
    else if (/^-[naev]+$/.test(arg)) {
      bsd ||= arg.includes("a")
      verbose ||= arg.includes("v")
    } else if (arg.startsWith("-")) notModelled(`arp ${arg}`)
    else host = arg
  }
  const all = arpEntries(netns)
  const shown = all.filter(({ dev, ip }) =>
    (device === "" || dev.name === device) && (host === "" || format(ip) === host))
  const skipped = all.length - shown.length
  const tail = verbose ? `Entries: ${all.length}\tSkipped: ${skipped}\tFound: ${shown.length}\n` : ""
  if (shown.length === 0) return none(host, device, bsd, all.length) + tail
  const head = bsd ? "" : `${columns("Address", "HWtype", "HWaddress", "Flags", "Mask")}Iface\n`
  return head + shown.map((neigh) => bsd ? bsdLine(neigh) : linuxLine(neigh)).join("") + tail
}

/** What /proc/net/arp lists: entries that need no asking are left out (arp_seq_start). */
export function arpEntries(netns: Netns): ReadonlyArray<Neighbour> {
  return netns.neigh4.list().filter(({ state }) => state !== NudState.NOARP && state !== NudState.NONE)
}

function none(host: string, device: string, bsd: boolean, count: number): string {
  if (host !== "" && !bsd) return `${host} (${host}) -- no entry\n`
  return host !== "" || device !== "" ? `arp: in ${count} entries no match found.\n` : ""
}

function columns(address: string, type: string, hardware: string, flags: string, mask: string): string {
  return `${address.padEnd(25)}${type.padEnd(8)}${hardware.padEnd(20)}${flags.padEnd(6)}${mask.padEnd(16)}`
}

function linuxLine(neigh: Neighbour): string {
  const { ip, dev, valid, state } = neigh
  const flags = !valid ? "" : state === NudState.PERMANENT ? "CM" : "C"
  const cells = valid ? ["ether", mac.format(neigh.mac)] as const : ["", "(incomplete)"] as const
  return `${columns(format(ip), cells[0], cells[1], flags, "")}${dev.name}\n`
}

function bsdLine(neigh: Neighbour): string {
  const { ip, dev, valid, state } = neigh
  const what = valid ? `${mac.format(neigh.mac)} [ether] ` : "<incomplete> "
  return `? (${format(ip)}) at ${what}${state === NudState.PERMANENT ? "PERM " : ""}on ${dev.name}\n`
}
