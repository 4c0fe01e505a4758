/** Answers to what should not have come, so few that nobody gains by asking (RFC 5961; tcp_send_challenge_ack, tcp_oow_rate_limited). */
import type { Ns } from "@podwire/engine"
import type { Connection } from "./connection.ts"
import { sendAck } from "./output.ts"

/** tcp_send_challenge_ack: one in tcp_invalid_ratelimit, and of a namespace tcp_challenge_ack_limit a second. */
export function challenge(c: Connection): void {
  const { tcp } = c
  if (limited(c)) {
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

/** __tcp_oow_rate_limited. */
export function limited(flow: Limited): boolean {
  const { nowNs } = flow.tcp.engine
  const everyNs = flow.tcp.ns.sysctl.globals.tcp_invalid_ratelimit * 1_000_000
  if (flow.lastOowNs >= 0 && nowNs - flow.lastOowNs < everyNs) return true
  flow.lastOowNs = nowNs
  return false
}
