/**
 * TCP's sockets for whoever lists them: listeners and connections, and ports that are held for what has no TCP
 * here. Approximated: such a port listens with a backlog of 4096, what Go programs ask for, and nobody waits.
 */
import type { Netns, TcpRow } from "@podwire/netns"
import { equal, type Ip } from "@podwire/wire/ip"

export const ESTABLISHED = 1
export const SYN_RECV = 3
export const CLOSE_WAIT = 8
export const LISTEN = 10
const BACKLOG = 4096
const INITIAL_WINDOW = 10

export function tcpRows(netns: Netns): ReadonlyArray<TcpRow> {
  const rows = netns.sockets.tcpRows()
  const held = netns.sockets.tcp.list().filter(([port, ip]) =>
    !rows.some((row) => row.state === LISTEN && row.port === port && same(row.ip, ip)))
  if (held.length === 0) return rows
  const info = { congestion: netns.sysctl.globals.tcp_congestion_control, snd_cwnd: INITIAL_WINDOW }
  return [...rows, ...held.map(([port, ip]): TcpRow => ({
    // Without an address it is held for both families.
    protocol: "tcp", family: ip !== null && ip.length === 1 ? 4 : 6, v6only: false, state: LISTEN, resting: false,
    orphan: false, ip, port, remote: null, remotePort: 0, recvQ: 0, sendQ: BACKLOG, timer: null, info, socket: null
  }))]
}

function same(a: Ip | null, b: Ip | null): boolean {
  return a === b || (a !== null && b !== null && equal(a, b))
}
