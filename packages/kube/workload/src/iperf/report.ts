/** What iperf3 prints while and after a test (src/iperf_locale.c and iperf_api.c of 3.12), as text. */
import type { Counts, Stream } from "./stream.ts"
import { byteText, percentText, rateText, spanText } from "./units.ts"

/** One side's view of a test. */
export interface Side {
  readonly isServer: boolean
  readonly isSender: boolean
  readonly udp: boolean
  readonly format: string | null
  readonly streams: ReadonlyArray<Stream>
}

/** What one stream did between two reports. */
export interface Part extends Counts {
  readonly jitter: number
  /** Octets, as the sender's TCP has them at the end of it. */
  readonly cwnd: number
  readonly sendWindow: number
  readonly rtt: number
  readonly rttvar: number
  readonly pmtu: number
}

export interface Interval {
  readonly start: number
  readonly end: number
  readonly parts: ReadonlyArray<Part>
}

export const SEPARATOR = "- - - - - - - - - - - - - - - - - - - - - - - - -\n"
const HEADER = "[ ID] Interval           Transfer     Bitrate\n"
const HEADER_RETR = "[ ID] Interval           Transfer     Bitrate         Retr\n"
const HEADER_CWND = "[ ID] Interval           Transfer     Bitrate         Retr  Cwnd\n"
const HEADER_UDP = "[ ID] Interval           Transfer     Bitrate         Jitter    Lost/Total Datagrams\n"
const HEADER_UDP_SENDER = "[ ID] Interval           Transfer     Bitrate         Total Datagrams\n"

/** A client says how often it had to send again even where it only receives; a server where it sends. */
function countsRetransmits(side: Side): boolean {
  return !side.isServer || side.isSender
}

export function connectedText(stream: Stream): string {
  return `${idOf(stream)} local ${stream.local} port ${stream.localPort} ` +
    `connected to ${stream.remote} port ${stream.remotePort}\n`
}

export function intervalText(side: Side, interval: Interval, isFirst: boolean): string {
  const { start, end, parts } = interval
  let text = isFirst
    ? headerOf(side) : side.streams.length > 1 ? SEPARATOR : ""
  side.streams.forEach((stream, i) => {
    text += `${idOf(stream)} ${intervalRow(side, start, end, parts[i]!)}`
  })
  if (side.streams.length > 1) text += `[SUM] ${sumRow(side, start, end, parts)}`
  return text
}

function headerOf(side: Side): string {
  if (side.udp) return side.isSender ? HEADER_UDP_SENDER : HEADER_UDP
  return countsRetransmits(side) ? HEADER_CWND : HEADER
}

function intervalRow(side: Side, start: number, end: number, part: Part): string {
  const row = rowOf(side, start, end, part.bytes)
  if (side.udp && side.isSender) return `${row}  ${part.packets}  \n`
  if (side.udp) return `${row}  ${lossText(part.jitter, part.errors, part.packets)}  \n`
  if (!side.isSender) return `${row}                  \n`
  return `${row}  ${String(part.retransmits).padStart(3)}   ${byteText(part.cwnd)}       \n`
}

function sumRow(side: Side, start: number, end: number, parts: ReadonlyArray<Part>): string {
  const sum = (of: (part: Part) => number) => parts.reduce((total, part) => total + of(part), 0)
  const row = rowOf(side, start, end, sum((part) => part.bytes))
  const packets = sum((part) => part.packets)
  if (side.udp && side.isSender) return `${row}  ${packets}  \n`
  if (side.udp) {
    const jitter = sum((part) => part.jitter) / parts.length
    return `${row}  ${lossText(jitter, sum((part) => part.errors), packets)}  \n`
  }
  return side.isSender ? `${row}  ${String(sum((part) => part.retransmits)).padStart(3)}             \n`
    : `${row}                  \n`
}

/** How long each end has worked, as it says itself. */
export interface Durations {
  readonly sender: number
  readonly receiver: number
}

/** One stream's totals of both ends: a server knows its own only. */
export interface Total {
  readonly sent: number
  readonly received: number
  readonly retransmits: number
  readonly sentPackets: number
  readonly receivedPackets: number
  readonly errors: number
  readonly jitter: number
}

export function resultsText(side: Side, totals: ReadonlyArray<Total>, durations: Durations): string {
  let text = SEPARATOR + (side.udp ? HEADER_UDP : countsRetransmits(side) ? HEADER_RETR : HEADER)
  side.streams.forEach((stream, i) => {
    text += resultRows(side, idOf(stream), totals[i]!, durations)
    if (stream.outOfOrder > 0) {
      text += `[SUM] ${(0).toFixed(1).padStart(4)}-${durations.sender.toFixed(1).padStart(4)} sec  ` +
        `${stream.outOfOrder} datagrams received out-of-order\n`
    }
  })
  if (totals.length > 1) text += resultRows(side, "[SUM]", sumOf(totals), durations)
  return text
}

function resultRows(side: Side, id: string, total: Total, durations: Durations): string {
  const sent = rowOf(side, 0, durations.sender, total.sent)
  const received = rowOf(side, 0, durations.receiver, total.received)
  let text = ""
  if (!side.isServer || side.isSender) {
    text += side.udp ? `${id} ${sent}  ${lossText(0, 0, total.sentPackets)}  sender\n`
      : `${id} ${sent}  ${String(total.retransmits).padStart(3)}             sender\n`
  }
  if (!side.isServer || !side.isSender) {
    text += side.udp
      ? `${id} ${received}  ${lossText(total.jitter, total.errors, total.receivedPackets)}  receiver\n`
      : `${id} ${received}                  receiver\n`
  }
  return text
}

export function sumOf(totals: ReadonlyArray<Total>): Total {
  const sum = (of: (total: Total) => number) => totals.reduce((all, total) => all + of(total), 0)
  return {
    sent: sum((total) => total.sent), received: sum((total) => total.received),
    retransmits: sum((total) => total.retransmits), sentPackets: sum((total) => total.sentPackets),
    receivedPackets: sum((total) => total.receivedPackets), errors: sum((total) => total.errors),
    jitter: sum((total) => total.jitter) / totals.length
  }
}

function idOf(stream: Stream): string {
  return `[${String(stream.id).padStart(3)}]`
}

function rowOf(side: Side, start: number, end: number, bytes: number): string {
  const rate = end > start ? bytes / (end - start) : 0
  return `${spanText(start, end)}  ${byteText(bytes)}  ${rateText(rate, side.format)}`
}

function lossText(jitter: number, errors: number, packets: number): string {
  const percent = packets > 0 ? (100 * errors) / packets : 0
  return `${(jitter * 1000).toFixed(3).padStart(5)} ms  ${errors}/${packets} (${percentText(percent)}%)`
}
