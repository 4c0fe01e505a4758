/**
 * The object of -J, member by member in iperf 3.12's order, printed as cJSON prints: tabs, and numbers as C
 * does.
 */
import type { Ns } from "@podwire/engine"
import { SECOND } from "@podwire/engine"
import { EPOCH_SECONDS, httpDate } from "../clock.ts"
import type { IperfOptions } from "./options.ts"
import { type Durations, type Interval, type Part, type Side, sumOf, type Total } from "./report.ts"

export type Json = string | number | boolean | ReadonlyArray<Json> | { readonly [name: string]: Json }

/** What has come together of a test that may have ended early. */
export interface JsonTest {
  readonly side: Side
  readonly options: IperfOptions
  readonly startNs: Ns
  readonly cookie: string
  readonly mss: number
  readonly intervals: ReadonlyArray<Interval>
  readonly totals: ReadonlyArray<Total>
  readonly durations: Durations
  readonly congestion: readonly [sender: string, receiver: string]
  readonly error: string | null
  readonly acceptedFrom: { readonly host: string; readonly port: number } | null
}

export function jsonText(test: JsonTest): string {
  const error: { [name: string]: Json } = test.error === null ? {} : { error: test.error }
  return `${print({ start: startOf(test), intervals: test.intervals.map((one) => intervalOf(test.side, one)),
    end: test.error === null ? endOf(test) : {}, ...error }, 0)}\n`
}

function startOf(test: JsonTest): Json {
  const { side, options } = test
  const streams = side.streams.map((stream) => ({
    socket: stream.id, local_host: stream.local, local_port: stream.localPort, remote_host: stream.remote,
    remote_port: stream.remotePort
  }))
  const begun: { [name: string]: Json } = streams.length === 0 ? {} : {
    cookie: test.cookie, tcp_mss_default: test.mss, target_bitrate: options.rate,
    test_start: {
      protocol: side.udp ? "UDP" : "TCP", num_streams: streams.length, blksize: options.blockSize, omit: 0,
      duration: options.seconds, bytes: options.bytes, blocks: options.blocks,
      reverse: options.reverse ? 1 : 0, tos: 0, target_bitrate: options.rate
    }
  }
  const peer: { [name: string]: Json } = test.acceptedFrom === null
    ? { connecting_to: { host: options.host, port: options.port } }
    : { accepted_connection: test.acceptedFrom }
  return {
    connected: streams, version: "iperf 3.12", system_info: "Podwire",
    timestamp: { time: httpDate(test.startNs), timesecs: EPOCH_SECONDS + Math.floor(test.startNs / SECOND) },
    ...peer, ...begun
  }
}

function spanOf(start: number, end: number, bytes: number): { [name: string]: Json } {
  const seconds = end - start
  return { start, end, seconds, bytes, bits_per_second: seconds > 0 ? (bytes * 8) / seconds : 0 }
}

function intervalOf(side: Side, interval: Interval): Json {
  const { start, end, parts } = interval
  const rest = { omitted: false, sender: side.isSender }
  const streams = parts.map((part, i) => ({
    socket: side.streams[i]!.id, ...spanOf(start, end, part.bytes), ...kindOf(side, part, true), ...rest
  }))
  const sum = (of: (part: Part) => number) => parts.reduce((all, part) => all + of(part), 0)
  const all: Part = {
    ...parts[0]!, bytes: sum((part) => part.bytes), packets: sum((part) => part.packets),
    errors: sum((part) => part.errors), retransmits: sum((part) => part.retransmits),
    jitter: sum((part) => part.jitter) / parts.length
  }
  return { streams, sum: { ...spanOf(start, end, all.bytes), ...kindOf(side, all, false), ...rest } }
}

function kindOf(side: Side, part: Part, isStream: boolean): { [name: string]: Json } {
  if (side.udp && side.isSender) return { packets: part.packets }
  if (side.udp) return lossOf(part.jitter, part.errors, part.packets)
  if (!side.isSender) return {}
  return isStream
    ? { retransmits: part.retransmits, snd_cwnd: part.cwnd, snd_wnd: part.sendWindow, rtt: part.rtt,
      rttvar: part.rttvar, pmtu: part.pmtu }
    : { retransmits: part.retransmits }
}

function lossOf(jitter: number, errors: number, packets: number): { [name: string]: Json } {
  return {
    jitter_ms: jitter * 1000, lost_packets: errors, packets,
    lost_percent: packets > 0 ? (100 * errors) / packets : 0
  }
}

function endOf(test: JsonTest): Json {
  const { side, totals, durations } = test
  const sender = side.isSender
  const total = sumOf(totals)
  const cpu = {
    host_total: 0, host_user: 0, host_system: 0, remote_total: 0, remote_user: 0, remote_system: 0
  }
  if (side.udp) {
    const packets = (one: Total) => one.sentPackets > 0 ? one.sentPackets : one.receivedPackets
    const streams = totals.map((one, i) => ({
      udp: { socket: side.streams[i]!.id, ...spanOf(0, durations.sender, one.sent),
        ...lossOf(one.jitter, one.errors, packets(one)), out_of_order: side.streams[i]!.outOfOrder, sender }
    }))
    return {
      streams,
      sum: { ...spanOf(0, durations.receiver, total.sent),
        ...lossOf(total.jitter, total.errors, packets(total)), sender },
      sum_sent: { ...spanOf(0, durations.sender, total.sent),
        ...lossOf(0, 0, total.sentPackets), sender: true },
      sum_received: { ...spanOf(0, durations.receiver, total.received),
        ...lossOf(total.jitter, total.errors, total.receivedPackets), sender: false },
      cpu_utilization_percent: cpu
    }
  }
  const streams = totals.map((one, i) => {
    const socket = side.streams[i]!.id
    const parts = test.intervals.map((interval) => interval.parts[i]!)
    const most = (of: (part: Part) => number) =>
      parts.reduce((max, part) => of(part) > max ? of(part) : max, 0)
    const least = parts.reduce((min, part) => part.rtt < min ? part.rtt : min, parts[0]?.rtt ?? 0)
    const sum = parts.reduce((all, part) => all + part.rtt, 0)
    const mean = parts.length === 0 ? 0 : Math.floor(sum / parts.length)
    return {
      sender: { socket, ...spanOf(0, durations.sender, one.sent), retransmits: one.retransmits,
        max_snd_cwnd: most((part) => part.cwnd), max_snd_wnd: most((part) => part.sendWindow),
        max_rtt: most((part) => part.rtt), min_rtt: least, mean_rtt: mean, sender },
      receiver: { socket, ...spanOf(0, durations.receiver, one.received), sender }
    }
  })
  return {
    streams,
    sum_sent: { ...spanOf(0, durations.sender, total.sent), retransmits: total.retransmits, sender },
    sum_received: { ...spanOf(0, durations.receiver, total.received), sender },
    cpu_utilization_percent: cpu,
    sender_tcp_congestion: test.congestion[0], receiver_tcp_congestion: test.congestion[1]
  }
}

/** cJSON_Print: members on lines of their own, elements of a list in one, each level one tab deeper. */
function print(value: Json, depth: number): string {
  if (typeof value === "string") return JSON.stringify(value)
  if (typeof value === "number") return numberText(value)
  if (typeof value === "boolean") return value ? "true" : "false"
  if (Array.isArray(value)) {
    return `[${(value as ReadonlyArray<Json>).map((one) => print(one, depth + 1)).join(", ")}]`
  }
  const members = Object.entries(value as { readonly [name: string]: Json })
  const tabs = "\t".repeat(depth + 1)
  const lines = members.map(([name, member]) =>
    `${tabs}${JSON.stringify(name)}:\t${print(member, depth + 1)}`
  )
  return `{\n${lines.join(",\n")}${lines.length > 0 ? "\n" : ""}${"\t".repeat(depth)}}`
}

/** As C prints it with %1.15g, or with %1.17g when that loses something. */
function numberText(value: number): string {
  if (Number.isSafeInteger(value)) return String(value)
  const short = value.toPrecision(15)
  const digits = Number(short) === value ? short : value.toPrecision(17)
  const [mantissa, exponent] = digits.split("e")
  const bare = mantissa!.includes(".") ? mantissa!.replace(/\.?0+$/, "") : mantissa!
  if (exponent === undefined) return bare
  return `${bare}e${exponent[0]}${exponent.slice(1).padStart(2, "0")}`
}
