/**
 * `ss`: UDP sockets and TCP ports in use (iproute2's ss.c), IPv4 then IPv6, each by port, where the kernel
 * prints in order of its hash. Ports are numbers, also without -n. A socket that takes both families stands
 * among IPv6's as `*`.
 *
 * Approximated: a listener's backlog is 4096, what Go programs ask for; -p tells no processes.
 * Not supported: sockets of other kinds (they are left out where ss would list all), state and address
 * filters, -e -i -m -o -s.
 */
import type { Netns } from "@podwire/netns"
import { format, type Ip } from "@podwire/wire/ip"
import { fail, notModelled } from "./failure.ts"

interface Options {
  tcp: boolean
  udp: boolean
  family: 4 | 6 | null
  all: boolean
  listening: boolean
  header: boolean
}

const LONG: Readonly<Record<string, string>> = {
  "--tcp": "t", "--udp": "u", "--ipv4": "4", "--ipv6": "6", "--all": "a", "--listening": "l",
  "--numeric": "n", "--processes": "p", "--no-header": "H", "--oneline": "O"
}
const KNOWN_ONLY_TO_SS = "hVreomTisbEZzN0MSdwxfAFDKSBv"
const BACKLOG = 4096

/** One line: what each column holds. */
type Cells = readonly [
  netid: string, state: string, recvQ: string, sendQ: string, local: string, localPort: string, peer: string,
  peerPort: string, process: string
]

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
  const both = options.tcp === options.udp
  const rows = [
    ...(options.udp || both ? sockets(netns, "udp", options) : []),
    ...(options.tcp || both ? sockets(netns, "tcp", options) : [])
  ]
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
    tcp: false, udp: false, family: null, all: false, listening: false, header: true
  }
  for (const arg of args) {
    if (!arg.startsWith("-") || arg === "-") notModelled(`ss ${arg}`)
    const letters = arg.startsWith("--") ? LONG[arg] ?? notModelled(`ss ${arg}`) : arg.slice(1)
    for (const letter of letters) {
      if (letter === "t") options.tcp = true
      else if (letter === "u") options.udp = true
      else if (letter === "4" || letter === "6") options.family = letter === "4" ? 4 : 6
      else if (letter === "a") options.all = true
      else if (letter === "l") options.listening = true
      else if (letter === "H") options.header = false
      else if (KNOWN_ONLY_TO_SS.includes(letter)) notModelled(`ss -${letter}`)
      else if (!"npO".includes(letter)) fail(`ss: invalid option -- '${letter}'`, 255)
    }
  }
  return options
}

function sockets(netns: Netns, protocol: "tcp" | "udp", options: Options): ReadonlyArray<Cells> {
  const rows: Array<{ readonly six: boolean; readonly port: number; readonly cells: Cells }> = []
  for (const { protocol: kind, ip, port, socket } of netns.sockets.list()) {
    if (kind !== protocol) continue
    // A held TCP port without an address is held for both families.
    const six = socket === null ? ip === null || ip.length === 4 : socket.family === 6
    if (options.family !== null && (options.family === 6) !== six) continue
    const remote = socket?.remote ?? null
    const state = protocol === "tcp" ? "LISTEN" : remote === null ? "UNCONN" : "ESTAB"
    const shown = options.all || (options.listening ? state !== "ESTAB" : state === "ESTAB")
    if (!shown) continue
    const dual = six && ip === null && !(socket?.v6only ?? false)
    const peerPort = remote === null ? "*" : String(socket!.remotePort)
    const any = dual ? "*:" : six ? "[::]:" : "0.0.0.0:"
    rows.push({
      six,
      port,
      cells: [
        protocol, state, "0", protocol === "tcp" ? String(BACKLOG) : "0", ip === null ? any : where(ip),
        String(port), remote === null ? any : where(remote), peerPort, ""
      ]
    })
  }
  return rows.sort((a, b) => Number(a.six) - Number(b.six) || a.port - b.port).map(({ cells }) => cells)
}

function where(ip: Ip): string {
  return ip.length === 4 ? `[${format(ip)}]:` : `${format(ip)}:`
}
