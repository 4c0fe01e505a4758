/**
 * What an ICMP error does to a connection (tcp_v4_err, tcp_v6_err; RFC 1122, section 4.2.3.9; RFC 5927, RFC
 * 6069).
 */
import { Errno } from "@podwire/netdev"
import { meaning4, meaning6 } from "@podwire/netns/errno"
import * as icmp from "@podwire/wire/icmp"
import * as icmp6 from "@podwire/wire/icmp6"
import { type Connection, Pending } from "./connection.ts"
import { route } from "./emit.ts"
import { finish } from "./finish.ts"
import type { AnyFlow } from "./flow.ts"
import { current, forMtu, pathMtu, sync } from "./mss.ts"
import { retransmitLost } from "./output.ts"
import { tooLong } from "./recovery.ts"
import { RTO_INITIAL_NS } from "./rtt.ts"
import { between } from "./seq.ts"
import { State } from "./state.ts"
import { retransmitTimeout, setTimer } from "./timers.ts"

/** `seq` is the quoted sequence number. Null: it is not about what is in flight of a connection. */
export function receive(flow: AnyFlow, seq: number, type: number, code: number, info: number): boolean | null {
  if (flow.kind === "time-wait") return null
  const { mib } = flow.tcp
  if (flow.kind === "request") {
    if (seq !== flow.iss) {
      mib.OutOfWindowIcmps++
      return null
    }
    if (isHard(flow.version, type, code)) {
      flow.listener.forget(flow)
      mib.ListenDrops++
    }
    return null
  }
  const c = flow
  if (!between(seq, c.sndUna, c.sndNxt)) {
    mib.OutOfWindowIcmps++
    return null
  }
  // The way's new size is learnt by the caller, who then says `pathChanged`; of IPv6 only what makes
  // segments shorter.
  if (isTooBig(c.version, type, code)) return c.version === 4 || forMtu(c, info >>> 0) < c.mssCache || null
  const [errno] = c.version === 4 ? meaning4(type, code) : meaning6(type, code)
  if (errno === Errno.OK) return true
  if (isUnreachable(c.version, type, code)) revertBackoff(c, seq)
  if (c.state === State.SYN_SENT || c.state === State.SYN_RECV) finish(c, errno)
  else if (c.options.recvErr) {
    c.error = errno
    c.wakeUp()
  } else c.softError = errno
  return true
}

function isTooBig(version: 4 | 6, type: number, code: number): boolean {
  return version === 4 ? type === icmp.DEST_UNREACH && code === icmp.FRAG_NEEDED : type === icmp6.PACKET_TOO_BIG
}

/** Those that may pass, when a route comes back. */
function isUnreachable(version: 4 | 6, type: number, code: number): boolean {
  return version === 4
    ? type === icmp.DEST_UNREACH && (code === icmp.NET_UNREACH || code === icmp.HOST_UNREACH)
    : type === icmp6.DEST_UNREACH && (code === icmp6.NO_ROUTE)
}

/** What ends half a connection (tcp_v4_err, tcp_v6_err before tcp_req_err); the families disagree. */
function isHard(version: 4 | 6, type: number, code: number): boolean {
  if (version === 6) return meaning6(type, code)[1]
  if (type === icmp.PARAMETER_PROBLEM || type === icmp.TIME_EXCEEDED) return true
  return type === icmp.DEST_UNREACH && (code === icmp.NET_UNREACH || code === icmp.HOST_UNREACH)
}

/** tcp_ld_RTO_revert (RFC 6069): a router is there, only the way beyond is not. */
function revertBackoff(c: Connection, seq: number): void {
  if (seq !== c.sndUna || c.retransmits === 0 || c.backoff === 0) return
  const { first } = c.rtx
  if (first === null) return
  c.backoff--
  if (c.srttUs8 > 0) c.rtt.setRto()
  else c.rtt.rtoNs = RTO_INITIAL_NS
  c.rtt.rtoNs = c.rtt.bounded(c.rtt.rtoNs * 2 ** Math.min(c.backoff, 30))
  const leftNs = c.rtt.rtoNs - (c.nowNs - first.sentNs)
  if (leftNs > 0) setTimer(c, c.rto, leftNs, Pending.Retransmit)
  else retransmitTimeout(c)
}

/** tcp_v4_mtu_reduced: segments that are too long for the path go again at once, cut. */
export function pathChanged(c: Connection): void {
  if (c.state === State.CLOSED) return
  const mtu = pathMtu(c.tcp.ns, route(c.tcp.ns, c.remote, c.dev))
  if (mtu === 0 || c.pmtuCookie <= mtu) return
  sync(c, mtu)
  if (c.state === State.SYN_SENT) return
  if (tooLong(c, current(c))) retransmitLost(c)
}
