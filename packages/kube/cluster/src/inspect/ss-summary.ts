/**
 * How many sockets there are: `ss -s`, and /proc/net/sockstat and sockstat6, which it reads (net/ipv4/proc.c).
 * Approximated: sockets that the kernel has for itself are not counted, memory is 0. Raw sockets and UDP-Lite do
 * not exist here.
 */
import type { Netns, TcpRow } from "@podwire/netns"
import { State } from "@podwire/tcp"

interface Counts {
  readonly tcp4: number
  readonly tcp6: number
  readonly udp4: number
  readonly udp6: number
  readonly resting: number
  readonly orphans: number
  readonly established: number
}

function count(netns: Netns): Counts {
  const rows = netns.sockets.tcpRows()
  const full = rows.filter(({ resting, state }) => !resting && state !== State.SYN_RECV)
  const udp = netns.sockets.udp.list()
  const of = (family: 4 | 6) => (row: { readonly family: 4 | 6 }) => row.family === family
  const connected = ({ state }: TcpRow) => state === State.ESTABLISHED || state === State.CLOSE_WAIT
  return {
    tcp4: full.filter(of(4)).length,
    tcp6: full.filter(of(6)).length,
    udp4: udp.filter(of(4)).length,
    udp6: udp.filter(of(6)).length,
    resting: rows.filter((row) => row.resting).length,
    orphans: full.filter((row) => row.orphan).length,
    established: rows.filter(connected).length
  }
}

export function summary(netns: Netns): string {
  const { tcp4, tcp6, udp4, udp6, resting, orphans, established } = count(netns)
  const tcp = tcp4 + tcp6
  const line = (name: string, four: number, six: number) =>
    `${name}\t  ${[four + six, four, six].map((number) => String(number).padEnd(9)).join(" ")}\n`
  return `Total: ${tcp + udp4 + udp6}\nTCP:   ${tcp + resting} ` +
    `(estab ${established}, closed ${resting}, orphaned ${orphans}, timewait ${resting})\n\n` +
    "Transport Total     IP        IPv6\n" +
    line("RAW", 0, 0) + line("UDP", udp4, udp6) + line("TCP", tcp4, tcp6) +
    line("INET", tcp4 + udp4, tcp6 + udp6) +
    line("FRAG", netns.ip4.reassembling, netns.ip6.reassembling) + "\n"
}

export function sockstat(netns: Netns): string {
  const { tcp4, tcp6, udp4, udp6, resting, orphans } = count(netns)
  return `sockets: used ${tcp4 + tcp6 + udp4 + udp6}\n` +
    `TCP: inuse ${tcp4} orphan ${orphans} tw ${resting} alloc ${tcp4 + tcp6} mem 0\n` +
    `UDP: inuse ${udp4} mem 0\nUDPLITE: inuse 0\nRAW: inuse 0\nFRAG: inuse ${netns.ip4.reassembling} memory 0\n`
}

export function sockstat6(netns: Netns): string {
  const { tcp6, udp6 } = count(netns)
  return `TCP6: inuse ${tcp6}\nUDP6: inuse ${udp6}\nUDPLITE6: inuse 0\nRAW6: inuse 0\n` +
    `FRAG6: inuse ${netns.ip6.reassembling} memory 0\n`
}
