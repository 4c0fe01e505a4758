/**
 * Explicit congestion notification (RFC 3168; tcp_ecn_* in net/ipv4): who asked for it in its SYN and got
 * it marks new data ECT(0), echoes a mark until the sender says CWR, and slows down once a window for an
 * echo.
 * Not supported: AccECN (tcp_ecn 3 and more), DCTCP.
 */
import * as ipv4 from "@podwire/wire/ipv4"
import * as ipv6 from "@podwire/wire/ipv6"
import * as tcp from "@podwire/wire/tcp"
import { AckPending, type Connection } from "./connection.ts"
import type { Segment } from "./segment.ts"
import { before } from "./seq.ts"

/** The low two bits of TOS and traffic class. */
export const ECT0 = 2
const CE = 3

/** What of flags a segment that leaves gets; whether it is marked ECT(0) is `marks`. */
export function flagsOf(c: Connection, seq: number, data: number): number {
  let flags = 0
  if (c.ecnDemandCwr) flags |= tcp.ECE
  if (c.ecnQueueCwr && marks(c, seq, data)) {
    c.ecnQueueCwr = false
    flags |= tcp.CWR
  }
  return flags
}

/** New data; neither acknowledgements nor what is sent again. */
export function marks(c: Connection, seq: number, data: number): boolean {
  return c.ecnOk && data > 0 && !before(seq, c.sndNxt)
}

/** tcp_ecn_create_request: a SYN that asks. */
export function asks(segment: Segment): boolean {
  return segment.has(tcp.ECE) && segment.has(tcp.CWR) && markOf(segment) === 0
}

/**
 * Data arrives: its mark, and its sender's CWR (tcp_ecn_check_ce, tcp_ecn_accept_cwr). True: acknowledge
 * quickly.
 */
export function dataArrives(c: Connection, segment: Segment): boolean {
  if (!c.ecnOk) return false
  if (segment.has(tcp.CWR)) {
    c.ecnDemandCwr = false
    if (segment.seq !== segment.end) c.ackPending |= AckPending.Now
  }
  const mark = markOf(segment)
  if (mark === 0) return c.ecnSeen
  c.ecnSeen = true
  if (mark !== CE || c.ecnDemandCwr) return false
  c.ecnDemandCwr = true
  return true
}

function markOf(segment: Segment): number {
  const { bytes, l3 } = segment.frame!
  return (bytes[l3]! >>> 4 === 4 ? ipv4.tos(bytes, l3) : ipv6.trafficClass(bytes, l3)) & 3
}
