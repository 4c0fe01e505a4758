/**
 * /proc/net/tcp and tcp6 (tcp_ipv4.c: tcp4_seq_show, tcp_ipv6.c: tcp6_seq_show): listeners, then connections by
 * port, where the kernel goes by its hash.
 * Approximated: the user is root, the inode 0, two references; a socket's address is zero, as the kernel shows it
 * to whom it does not trust.
 */
import type { Netns, TcpRow } from "@podwire/netns"
import { State } from "@podwire/tcp"
import type { Ip } from "@podwire/wire/ip"

const LINE_4 = 149
const USER_HZ = 100
const SSTHRESH_MAX = 0x7fff_ffff
const TIMERS = ["", "on", "keepalive", "timewait", "persist"]
const ANY4: Ip = new Int32Array(1)
const ANY6: Ip = new Int32Array(4)
const POINTER = "0000000000000000"

export function tcp(netns: Netns): string {
  const head = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode"
  return [head, ...table(netns, 4)].map((line) => `${line.padEnd(LINE_4)}\n`).join("")
}

export function tcp6(netns: Netns): string {
  const head = `  sl  ${"local_address".padEnd(38)}${"remote_address".padEnd(38)}` +
    "st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode"
  return [head, ...table(netns, 6)].map((line) => `${line}\n`).join("")
}

function table(netns: Netns, family: 4 | 6): ReadonlyArray<string> {
  return netns.sockets.tcpRows().filter((row) => row.family === family)
    .sort((a, b) => Number(b.state === State.LISTEN) - Number(a.state === State.LISTEN) || a.port - b.port ||
      a.remotePort - b.remotePort)
    .map(line)
}

function line(row: TcpRow, number: number): string {
  const { state, timer, resting, info } = row
  const listens = state === State.LISTEN
  const when = timer === null ? 0 : Math.trunc(Math.max(0, timer.remainingNs) / (1e9 / USER_HZ))
  const queues = `${hex(listens ? 0 : row.sendQ, 8)}:${hex(row.recvQ, 8)}`
  const about = `${hex(Math.max(0, TIMERS.indexOf(timer?.kind ?? "")), 2)}:${hex(when, 8)}`
  const start = `${String(number).padStart(4)}: ${end(row.family, row.ip, row.port)} ` +
    `${end(row.family, row.remote, row.remotePort)} ${hex(state, 2)} ${queues} ${about} ` +
    `${hex(timer?.retransmits ?? 0, 8)} ${"0".padStart(5)} ${"0".padStart(8)}`
  if (resting) return `${start} 0 3 ${POINTER}`
  if (state === State.SYN_RECV) return `${start} 0 0 ${POINTER}`
  const { rto = 1_000_000, ato = 0, quickack = 0, snd_cwnd = 10, snd_ssthresh = SSTHRESH_MAX } = info ?? {}
  const threshold = listens ? 0 : snd_ssthresh >= SSTHRESH_MAX ? -1 : snd_ssthresh
  const counts = [0, timer === null ? 1 : 2, POINTER, ticks(rto), ticks(ato), quickack, snd_cwnd, threshold]
  return `${start} ${counts.join(" ")}`
}

function ticks(microseconds: number): number {
  return Math.trunc((microseconds * USER_HZ) / 1e6)
}

/** Words as a little-endian machine prints them in network order; IPv4 in IPv6 is mapped. */
function end(family: 4 | 6, ip: Ip | null, port: number): string {
  const words = ip === null ? family === 4 ? ANY4 : ANY6 : ip
  const mapped = family === 6 && words.length === 1 ? Int32Array.of(0, 0, 0xffff, words[0]!) : words
  return `${[...mapped].map(little).join("")}:${hex(port, 4)}`
}

function little(word: number): string {
  return hex(((word >>> 24) | ((word >>> 8) & 0xff00) | ((word << 8) & 0xff0000) | (word << 24)) >>> 0, 8)
}

function hex(value: number, digits: number): string {
  return value.toString(16).toUpperCase().padStart(digits, "0")
}
