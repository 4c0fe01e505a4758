/**
 * `ss`: UDP and TCP sockets (iproute2's ss.c), IPv4 then IPv6, each by port, where the kernel prints in order of
 * its hash. Ports are numbers, also without -n. A socket that takes both families stands among IPv6's as `*`.
 *
 * Approximated: -p tells no processes; -s counts sockets of these kinds only.
 * Not supported: sockets of other kinds (they are left out where ss would list all), state and address
 * filters, -e -m; zones of link-local addresses.
 */
import { type Netns, type TcpInfo, type TcpRowTimer } from "@podwire/netns"
import { format, type Ip } from "@podwire/wire/ip"
import { fail, notModelled } from "./failure.ts"
import { infoText, timerText } from "./ss-info.ts"
import { summary } from "./ss-summary.ts"

interface Options {
  tcp: boolean
  udp: boolean
  family: 4 | 6 | null
  all: boolean
  listening: boolean
  header: boolean
  numeric: boolean
  info: boolean
  timers: boolean
  oneLine: boolean
  summary: boolean
}

const LONG: Readonly<Record<string, string>> = {
  "--tcp": "t", "--udp": "u", "--ipv4": "4", "--ipv6": "6", "--all": "a", "--listening": "l",
  "--numeric": "n", "--processes": "p", "--no-header": "H", "--oneline": "O", "--info": "i", "--options": "o",
  "--summary": "s"
}
const FLAGS: Readonly<Record<string, keyof Options>> = {
  t: "tcp", u: "udp", a: "all", l: "listening", n: "numeric", i: "info", o: "timers", O: "oneLine", s: "summary"
}
const KNOWN_ONLY_TO_SS = "hVremTbEZzN0MSdwxfAFDKBv"

/** By number of the state (include/net/tcp_states.h). */
const STATES: ReadonlyArray<string> = [
  "UNKNOWN", "ESTAB", "SYN-SENT", "SYN-RECV", "FIN-WAIT-1", "FIN-WAIT-2", "TIME-WAIT", "UNCONN", "CLOSE-WAIT",
  "LAST-ACK", "LISTEN", "CLOSING"
]
const LISTENING = ["LISTEN", "UNCONN"]
/** What is not shown unless asked for: what is no connection yet, or any more. */
const UNASKED = [...LISTENING, "TIME-WAIT", "SYN-RECV"]

/** One line: what each column holds. */
type Cells = readonly [
  netid: string, state: string, recvQ: string, sendQ: string, local: string, localPort: string, peer: string,
  peerPort: string, process: string
]

/** What is said of a socket of either kind. */
interface Row {
  readonly protocol: "tcp" | "udp"
  readonly six: boolean
  readonly v6only: boolean
  readonly state: string
  readonly recvQ: number
  readonly sendQ: number
  readonly ip: Ip | null
  readonly port: number
  readonly remote: Ip | null
  readonly remotePort: number
  readonly timer: TcpRowTimer | null
  readonly info: TcpInfo | null
}

const HEADER: Cells = [
  "Netid", "State", "Recv-Q", "Send-Q", "Local Address:", "Port", "Peer Address:", "Port", "Process"
]
/** Addresses stand to the right, against their ports. */
const RIGHT = [false, false, false, false, true, false, true, false, false]
const DELIMITER = ["", " ", " ", " ", " ", "", " ", "", ""]
/** Queue lengths are printed at least this wide. */
const LEAST = [0, 0, 6, 6, 0, 0, 0, 0, 0]

export function ss(netns: Netns, args: ReadonlyArray<string>): string {
  const options = readOptions(args)
  if (options.summary) return summary(netns)
  const both = options.tcp === options.udp
  const rows = [
    ...(options.udp || both ? select(udpRows(netns), options) : []),
    ...(options.tcp || both ? select(tcpConnections(netns), options) : [])
  ].map((row) => cellsOf(row, options))
  const onlyConnected = options.udp && !options.tcp && !options.all && !options.listening
  const hidden = [!both, onlyConnected, false, false, false, false, false, false, false]
  const lines = options.header ? [HEADER, ...rows] : rows
  const widths = HEADER.map((_, i) => Math.max(LEAST[i]!, ...lines.map((cells) => cells[i]!.length)))
  return lines.map((cells) => `${render(cells, widths, hidden)}\n`).join("")
}

function render(cells: Cells, widths: ReadonlyArray<number>, hidden: ReadonlyArray<boolean>): string {
  let line = ""
  for (const [i, cell] of cells.entries()) {
    if (hidden[i]) continue
    const padded = RIGHT[i] ? cell.padStart(widths[i]!) : cell.padEnd(widths[i]!)
    line += line === "" ? padded : DELIMITER[i]! + padded
  }
  return line
}

function readOptions(args: ReadonlyArray<string>): Options {
  const options: Options = {
    tcp: false, udp: false, family: null, all: false, listening: false, header: true, numeric: false, info: false,
    timers: false, oneLine: false, summary: false
  }
  for (const arg of args) {
    if (!arg.startsWith("-") || arg === "-") notModelled(`ss ${arg}`)
    const letters = arg.startsWith("--") ? LONG[arg] ?? notModelled(`ss ${arg}`) : arg.slice(1)
    for (const letter of letters) {
      const flag = FLAGS[letter]
      if (flag !== undefined) (options as unknown as Record<string, boolean>)[flag] = true
      else if (letter === "4" || letter === "6") options.family = letter === "4" ? 4 : 6
      else if (letter === "H") options.header = false
      else if (KNOWN_ONLY_TO_SS.includes(letter)) notModelled(`ss -${letter}`)
      else if (letter !== "p") fail(`ss: invalid option -- '${letter}'`, 255)
    }
  }
  return options
}

function select(rows: ReadonlyArray<Row>, { all, listening, family }: Options): ReadonlyArray<Row> {
  return rows.filter(({ state, six }) => (family === null || (family === 6) === six) &&
    (all || (listening ? LISTENING.includes(state) : !UNASKED.includes(state)))).sort(order)
}

function order(a: Row, b: Row): number {
  return Number(a.six) - Number(b.six) || a.port - b.port ||
    Number(b.remote === null) - Number(a.remote === null) || compare(a.ip, b.ip) || compare(a.remote, b.remote) ||
    a.remotePort - b.remotePort
}

function compare(a: Ip | null, b: Ip | null): number {
  const [one, other] = [a, b].map((ip) => ip === null ? [] : [...ip].map((word) => word >>> 0))
  if (one!.length !== other!.length) return one!.length - other!.length
  const at = one!.findIndex((word, i) => word !== other![i])
  return at < 0 ? 0 : one![at]! - other![at]!
}

function udpRows(netns: Netns): ReadonlyArray<Row> {
  return netns.sockets.udp.list().map((socket) => ({
    protocol: "udp", six: socket.family === 6, v6only: socket.v6only,
    state: socket.remote === null ? "UNCONN" : "ESTAB", recvQ: 0, sendQ: 0, ip: socket.local,
    port: socket.localPort, remote: socket.remote, remotePort: socket.remotePort, timer: null, info: null
  }))
}

function tcpConnections(netns: Netns): ReadonlyArray<Row> {
  return netns.sockets.tcpRows().map((row) => ({ ...row, six: row.family === 6, state: STATES[row.state] ?? STATES[0]! }))
}

function cellsOf(row: Row, options: Options): Cells {
  const { protocol, six, v6only, state, recvQ, sendQ, ip, port, remote, remotePort, timer, info } = row
  const any = six && ip === null && !v6only ? "*:" : six ? "[::]:" : "0.0.0.0:"
  let more = options.timers && timer !== null ? timerText(timer) : ""
  if (options.info && protocol === "tcp") {
    if (!options.oneLine) more += "\n\t"
    if (info !== null) more += infoText(info, { numeric: options.numeric, options: options.timers })
  }
  return [
    protocol, state, String(recvQ), String(sendQ), ip === null ? any : where(ip, six), String(port),
    remote === null ? any : where(remote, six), remote === null ? "*" : String(remotePort), more
  ]
}

/** A socket of IPv6 that speaks IPv4 does it over mapped addresses (RFC 4291, section 2.5.5.2). */
function where(ip: Ip, six: boolean): string {
  if (ip.length === 4) return `[${format(ip)}]:`
  return six ? `[::ffff:${format(ip)}]:` : `${format(ip)}:`
}
