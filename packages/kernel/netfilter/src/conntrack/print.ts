/**
 * Entries as people read them: lines of `conntrack -L` and `-E` of conntrack-tools 1.4.7, and of
 * /proc/net/nf_conntrack. Entries come by number, where a kernel's come as its hash happens to have them.
 *
 * Approximated: `use` is 1 (2 in /proc), as when no packet is on its way; an id is a number that counts up;
 * an end by hand does not name the program. Not supported: zone, labels, secctx, delta-time, timestamps.
 */
import { format, v4 } from "@podwire/wire/ip"
import * as ipproto from "@podwire/wire/ipproto"
import type { Conntrack } from "./conntrack.ts"
import { type ConntrackObserver, type Direction, Event, Status } from "./status.ts"
import { PROTO_WORDS } from "./table.ts"
import { TCP_STATE_NAMES } from "./tcp-state.ts"
import { STATE } from "./tcp-window.ts"
import * as tuples from "./tuple.ts"

const TUPLE = tuples.create()

/** Protocols that the tools have a name for. */
export const PROTOCOLS: ReadonlyMap<string, number> = new Map([
  ["tcp", ipproto.TCP], ["udp", ipproto.UDP], ["udplite", tuples.UDPLITE], ["icmp", ipproto.ICMP],
  ["icmpv6", ipproto.ICMPV6], ["sctp", ipproto.SCTP], ["gre", tuples.GRE], ["dccp", tuples.DCCP]
])
const NAMES: ReadonlyMap<number, string> = new Map([...PROTOCOLS].map(([name, number]) => [number, name]))

export interface Style {
  /** `-o extended`: the network protocol first. */
  readonly extended?: boolean
  /** `-o id` */
  readonly id?: boolean
}

/** A line of `conntrack -L`, without its end. */
export function line(conntrack: Conntrack, ct: number, style: Style = {}): string {
  const { table } = conntrack
  const head = `${style.extended === true ? network(table.family(ct)) : ""}${transport(conntrack, ct)}`
  const body = `${conntrack.secondsLeft(ct)} ${state(conntrack, ct)}${flow(conntrack, ct, true, false)}`
  const id = style.id === true ? ` id=${table.serial[ct]! >>> 0}` : ""
  return `${head}${body}mark=${table.mark[ct]! >>> 0} use=1${id}`
}

/** A line of /proc/net/nf_conntrack, without its end. */
export function procLine(conntrack: Conntrack, ct: number): string {
  const { table, conf } = conntrack
  const protocol = table.protocol(ct)
  const name = protocol === tuples.DCCP ? "unknown " : (NAMES.get(protocol) ?? "unknown").padEnd(8)
  const { nf_conntrack_gre_timeout: once, nf_conntrack_gre_timeout_stream: stream } = conf
  const gre = `timeout=${once}, stream_timeout=${stream} `
  const own = protocol === tuples.GRE ? gre : state(conntrack, ct)
  const head = `${network(table.family(ct))}${name} ${protocol} ${conntrack.secondsLeft(ct)} ${own}`
  return `${head}${flow(conntrack, ct, true, true)}mark=${table.mark[ct]! >>> 0} zone=0 use=2`
}

/** A line of `conntrack -E`, without its end; null for events that it does not show. */
function eventLine(
  conntrack: Conntrack, ct: number, events: number, style: Style = {}
): string | null {
  const { table } = conntrack
  const destroy = (events & Event.DESTROY) !== 0
  const fresh = (events & (Event.NEW | Event.RELATED)) !== 0
  const kind = destroy ? "[DESTROY]" : fresh ? "    [NEW]" : " [UPDATE]"
  if (events === 0) return null
  const seconds = conntrack.secondsLeft(ct)
  const left = destroy && seconds === 0 ? "" : `${seconds} `
  const head = `${style.extended === true ? network(table.family(ct)) : ""}${transport(conntrack, ct)}`
  const mark = table.mark[ct] === 0 ? "" : `mark=${table.mark[ct]! >>> 0} `
  const id = style.id === true ? `id=${table.serial[ct]! >>> 0} ` : ""
  const told = (events & (Event.DESTROY | Event.PROTOINFO)) !== 0 ? state(conntrack, ct) : ""
  const text = `${kind} ${head}${left}${told}${flow(conntrack, ct, destroy, false)}${mark}${id}`
  return text.trimEnd()
}

/** Keeps the lines of everything that happens, for `conntrack -E`. */
export class EventLog implements ConntrackObserver {
  readonly lines: Array<string> = []
  readonly #conntrack: Conntrack
  readonly #style: Style

  constructor(conntrack: Conntrack, style: Style = {}) {
    this.#conntrack = conntrack
    this.#style = style
    conntrack.observer = this
  }

  event(ct: number, events: number): void {
    const text = eventLine(this.#conntrack, ct, events, this.#style)
    if (text !== null) this.lines.push(text)
  }
}

/** `conntrack -S` of the one processor. */
export function statsLine({ stats }: Conntrack): string {
  const fields = [
    "found", "invalid", "insert", "insert_failed", "drop", "early_drop", "error", "search_restart",
    "clash_resolve", "chaintoolong"
  ] as const
  return `cpu=0   \t${fields.map((field) => `${field}=${stats[field]} `).join("")}`
}

function network(family: tuples.Family): string {
  return family === 6 ? "ipv6     10 " : "ipv4     2 "
}

function transport(conntrack: Conntrack, ct: number): string {
  const protocol = conntrack.table.protocol(ct)
  return `${(NAMES.get(protocol) ?? "unknown").padEnd(8)} ${protocol} `
}

function state({ table }: Conntrack, ct: number): string {
  if (table.protocol(ct) !== ipproto.TCP) return ""
  return `${TCP_STATE_NAMES[table.proto[ct * PROTO_WORDS + STATE]!]!} `
}

/** Both tuples with what is said between and behind them. */
function flow(conntrack: Conntrack, ct: number, counters: boolean, proc: boolean): string {
  const status = conntrack.table.status[ct]!
  const unreplied = (status & Status.SEEN_REPLY) === 0 ? "[UNREPLIED] " : ""
  const assured = (status & Status.ASSURED) !== 0 ? "[ASSURED] " : ""
  const direction = (which: Direction): string =>
    tuple(conntrack, ct, which, proc) + (counters ? counted(conntrack, ct, which) : "")
  return `${direction(0)}${unreplied}${direction(1)}${assured}`
}

function counted({ table }: Conntrack, ct: number, direction: Direction): string {
  if ((table.status[ct]! & Status.ACCT) === 0) return ""
  const at = 4 * ct + 2 * direction
  return `packets=${table.counters![at]!} bytes=${table.counters![at + 1]!} `
}

function tuple({ table }: Conntrack, ct: number, direction: Direction, proc: boolean): string {
  table.tuple(ct, direction, TUPLE)
  const protocol = tuples.protocol(TUPLE)
  const addresses = `src=${address(TUPLE, tuples.SRC, proc)} dst=${address(TUPLE, tuples.DST, proc)} `
  const key = TUPLE[tuples.KEY]!
  if (protocol === ipproto.ICMP || protocol === ipproto.ICMPV6) {
    return `${addresses}type=${(key >>> 8) & 0xff} code=${key & 0xff} id=${key >>> 16} `
  }
  if (protocol === tuples.GRE) return `${addresses}srckey=0x0 dstkey=0x0 `
  // The tools know DCCP's ports; Linux no longer does.
  if (!tuples.hasPorts(protocol) && (protocol !== tuples.DCCP || proc)) return addresses
  return `${addresses}sport=${key >>> 16} dport=${key & 0xffff} `
}

function address(tuple: Int32Array, at: number, proc: boolean): string {
  if (tuples.family(tuple) === 4) return format(v4(tuple[at]!))
  if (!proc) return format(tuple.slice(at, at + 4))
  const groups: Array<string> = []
  for (let i = 0; i < 4; i++) for (const shift of [16, 0]) {
    groups.push(((tuple[at + i]! >>> shift) & 0xffff).toString(16).padStart(4, "0"))
  }
  return groups.join(":")
}
