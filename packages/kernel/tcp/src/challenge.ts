/**
 * Answers to what should not have come, so few that nobody gains by asking (RFC 5961;
 * tcp_send_challenge_ack, tcp_oow_rate_limited).
 */
import type { Ns } from "@podwire/engine"
import { SYN } from "@podwire/wire/tcp"
import type { Connection } from "./connection.ts"
import { sendAck } from "./output.ts"
import type { Segment } from "./segment.ts"

/**
 * tcp_send_challenge_ack: one in tcp_invalid_ratelimit, and of a namespace tcp_challenge_ack_limit a
 * second.
 */
export function challenge(c: Connection): void {
  const { tcp } = c
  if (tooSoon(c)) {
    tcp.mib.TCPACKSkippedChallenge++
    return
  }
  if (!tcp.mayChallenge()) return
  tcp.mib.TCPChallengeACK++
  sendAck(c)
}

interface Limited {
  /** When the last of its kind was answered; -1 never. */
  lastOowNs: Ns
  readonly tcp: { readonly engine: { readonly nowNs: Ns }; readonly ns: Connection["tcp"]["ns"] }
}

/** tcp_oow_rate_limited: segments with data are part of no loop of acknowledgements. */
export function limited(flow: Limited, segment: Segment): boolean {
  if (segment.seq !== segment.end && !segment.has(SYN)) return false
  return tooSoon(flow)
}

function tooSoon(flow: Limited): boolean {
  const { nowNs } = flow.tcp.engine
  const everyNs = flow.tcp.ns.sysctl.globals.tcp_invalid_ratelimit * 1_000_000
  if (flow.lastOowNs >= 0 && nowNs - flow.lastOowNs < everyNs) return true
  flow.lastOowNs = nowNs
  return false
}
