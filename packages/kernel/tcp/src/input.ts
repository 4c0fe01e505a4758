/**
 * What a segment does to a connection (tcp_rcv_established, tcp_rcv_state_process, tcp_validate_incoming):
 * is it acceptable, what does it acknowledge, what does it bring, what do we owe for it.
 */
import { DropReason, Errno } from "@podwire/netdev"
import * as wire from "@podwire/wire/tcp"
import { acknowledge, AckResult, isTsRecentVoid } from "./ack.ts"
import { challenge, limited } from "./challenge.ts"
import type { Connection } from "./connection.ts"
import { finish, resetByPeer } from "./finish.ts"
import { Flag } from "./flag.ts"
import { duplicate, enterQuickAck, oweAck, takeData } from "./data.ts"
import { established } from "./open.ts"
import { pushPending, sendAck } from "./output.ts"
import type { Segment } from "./segment.ts"
import { after, before } from "./seq.ts"
import { Input, next, State } from "./state.ts"
import { finTimeNs, setKeepalive } from "./timers.ts"
import { restAfterFin, TIMEWAIT_NS } from "./time-wait.ts"
import * as window from "./window.ts"

/** What is to become of the frame: NOT_SPECIFIED is that it was of use; with `reset` a RST answers it. */
export class Outcome {
  reason: DropReason = DropReason.NOT_SPECIFIED
  reset = false
}

/** A segment for a connection that is past SYN_SENT. */
export function receive(c: Connection, segment: Segment, out: Outcome): void {
  if (!segment.has(wire.ACK | wire.RST | wire.SYN)) {
    out.reason = DropReason.TCP_FLAGS
    return
  }
  readStamps(c, segment)
  const bad = validate(c, segment)
  if (bad !== DropReason.NOT_SPECIFIED) {
    out.reason = bad
    return
  }
  if (c.state === State.ESTABLISHED) {
    const result = acknowledge(c, segment, Flag.UpdateTsRecent)
    if (result < 0) {
      out.reason = result === AckResult.TooOld ? DropReason.TCP_TOO_OLD_ACK : DropReason.TCP_ACK_UNSENT_DATA
      // Data that was never sent cannot be acknowledged: tell where we stand (RFC 9293, section 3.10.7.4).
      if (result === AckResult.Unsent) challenge(c)
      return
    }
    window.measureRttByEcho(c, segment.dataBytes)
    urgent(c, segment)
    out.reason = takeData(c, segment)
  } else if (!otherStates(c, segment, out)) return
  if (isClosed(c)) return
  pushPending(c)
  oweAck(c)
}

/** The state moves under our hands; TypeScript need not know better. */
function isClosed(c: Connection): boolean {
  return c.state === State.CLOSED
}

/** Step 5 to 8 of tcp_rcv_state_process. False: the segment ended here. */
function otherStates(c: Connection, segment: Segment, out: Outcome): boolean {
  if (!segment.has(wire.ACK)) {
    out.reason = DropReason.TCP_FLAGS
    return false
  }
  const result = acknowledge(c, segment, Flag.UpdateTsRecent | Flag.NoChallengeAck)
  if (result <= 0) {
    if (c.state === State.SYN_RECV) {
      out.reset = true
      out.reason = result === AckResult.Unsent ? DropReason.TCP_ACK_UNSENT_DATA : DropReason.TCP_OLD_ACK
      return false
    }
    if (result < 0) {
      challenge(c)
      out.reason = result === AckResult.Unsent ? DropReason.TCP_ACK_UNSENT_DATA : DropReason.TCP_TOO_OLD_ACK
      return false
    }
  }
  const all = c.sndUna === c.writeSeq
  switch (c.state) {
    case State.SYN_RECV:
      synReceived(c, segment)
      break
    case State.FIN_WAIT1:
      if (all && !finAcknowledged(c, segment, out)) return false
      break
    case State.CLOSING:
      if (all) {
        restAfterFin(c, State.TIME_WAIT, TIMEWAIT_NS)
        return false
      }
      break
    case State.LAST_ACK:
      if (all) {
        finish(c, Errno.OK)
        return false
      }
      break
  }
  urgent(c, segment)
  return text(c, segment, out)
}

/** The handshake is complete: of a listener's child, or of two SYNs that crossed. */
function synReceived(c: Connection, segment: Segment): void {
  c.retransStampNs = 0
  c.delivered++
  c.state = next(c.state, Input.Ack) as State
  c.sndUna = segment.ack
  c.sndWnd = segment.window * 2 ** c.sndWscale
  c.sndWl1 = segment.seq
  if (c.sndWnd > c.maxWindow) c.maxWindow = c.sndWnd
  if (c.tstampOk) c.advmss -= 12
  established(c)
  c.wakeUp()
  if (c.sndShutdown) c.tcp.closeWrite(c)
}

/** Our FIN is acknowledged. False: nobody has this connection any more, and something else took its place. */
function finAcknowledged(c: Connection, segment: Segment, out: Outcome): boolean {
  c.state = next(c.state, Input.Ack) as State
  c.sndShutdown = true
  if (!c.dead) {
    c.wakeUp()
    return true
  }
  const fin = segment.has(wire.FIN)
  const late = segment.end !== segment.seq && after((segment.end - (fin ? 1 : 0)) | 0, c.rcvNxt)
  if (c.options.linger2Seconds < 0 || late) {
    finish(c, Errno.OK)
    c.tcp.mib.TCPAbortOnData++
    out.reset = true
    out.reason = DropReason.TCP_ABORT_ON_DATA
    return false
  }
  const waitNs = finTimeNs(c)
  if (waitNs > TIMEWAIT_NS) setKeepalive(c, waitNs - TIMEWAIT_NS)
  else if (fin) setKeepalive(c, waitNs)
  else {
    restAfterFin(c, State.FIN_WAIT2, waitNs)
    return false
  }
  return true
}

/** Step 7: what it brings, where we still take something. */
function text(c: Connection, segment: Segment, out: Outcome): boolean {
  switch (c.state) {
    case State.CLOSE_WAIT:
    case State.CLOSING:
    case State.LAST_ACK:
      // What comes behind a FIN is nobody's; a FIN that comes again is acknowledged below.
      if (!before(segment.seq, c.rcvNxt)) return true
      out.reason = takeData(c, segment)
      return true
    case State.FIN_WAIT1:
    case State.FIN_WAIT2:
      // RFC 1122, section 4.2.2.13: data that nobody will read is answered by a reset.
      if (c.rcvShutdown && segment.end !== segment.seq &&
        after((segment.end - (segment.has(wire.FIN) ? 1 : 0)) | 0, c.rcvNxt)) {
        c.tcp.mib.TCPAbortOnData++
        resetByPeer(c)
        out.reset = true
        out.reason = DropReason.TCP_ABORT_ON_DATA
        return false
      }
      out.reason = takeData(c, segment)
      return true
    case State.ESTABLISHED:
      out.reason = takeData(c, segment)
      return true
    default:
      return true
  }
}

function readStamps(c: Connection, segment: Segment): void {
  segment.readOptions()
  const { options } = segment
  c.sawTstamp = c.tstampOk && options.hasTimestamps
  if (!c.sawTstamp) return
  c.rcvTsval = options.tsValue
  c.rcvTsecr = options.tsEcho
}

/** tcp_validate_incoming; a reason other than NOT_SPECIFIED ends the segment. */
function validate(c: Connection, segment: Segment): DropReason {
  const { mib } = c.tcp
  const rst = segment.has(wire.RST)
  if (c.sawTstamp && pawsDiscards(c, segment) && !rst) {
    mib.PAWSEstab++
    if (!limited(c, segment)) sendDuplicateAck(c, segment)
    else mib.TCPACKSkippedPAWS++
    return DropReason.TCP_RFC7323_PAWS
  }
  const bad = checkSequence(c, segment)
  if (bad !== DropReason.NOT_SPECIFIED) {
    if (!rst) {
      if (segment.has(wire.SYN)) return challengeSyn(c)
      if (bad !== DropReason.TCP_OLD_SEQUENCE) mib.BeyondWindow++
      if (!limited(c, segment)) sendDuplicateAck(c, segment)
      else mib.TCPACKSkippedSeq++
    } else if (isLateReset(c, segment)) {
      resetByPeer(c)
      return DropReason.TCP_RESET
    }
    return bad
  }
  if (rst) {
    if (segment.seq === c.rcvNxt || isLateReset(c, segment) || isBehindSack(c, segment)) resetByPeer(c)
    else challenge(c)
    return DropReason.TCP_RESET
  }
  if (!segment.has(wire.SYN)) return DropReason.NOT_SPECIFIED
  // Two SYNs that crossed: the other side's SYN-ACK repeats its SYN.
  if (c.state === State.SYN_RECV && segment.has(wire.ACK) && ((segment.seq + 1) | 0) === segment.end &&
    ((segment.seq + 1) | 0) === c.rcvNxt && segment.ack === c.sndNxt) return DropReason.NOT_SPECIFIED
  return challengeSyn(c)
}

function challengeSyn(c: Connection): DropReason {
  if (c.state === State.ESTABLISHED) c.tcp.mib.TcpInErrs++
  c.tcp.mib.TCPSYNChallenge++
  challenge(c)
  return DropReason.TCP_INVALID_SYN
}

/** tcp_sequence: does it touch the window? */
function checkSequence(c: Connection, segment: Segment): DropReason {
  if (before(segment.end, c.rcvWup)) return DropReason.TCP_OLD_SEQUENCE
  const edge = (c.rcvNxt + c.receiveWindow) | 0
  if (!after(segment.end, edge)) return DropReason.NOT_SPECIFIED
  if (after(segment.seq, edge)) return DropReason.TCP_INVALID_SEQUENCE
  // Beyond what was offered: only who has read everything takes it (6.17).
  return c.available > 0 ? DropReason.TCP_INVALID_END_SEQUENCE : DropReason.NOT_SPECIFIED
}

/** Some stacks reset one octet before (tcp_reset_check). */
function isLateReset(c: Connection, segment: Segment): boolean {
  return segment.seq === ((c.rcvNxt - 1) | 0) &&
    (c.state === State.CLOSE_WAIT || c.state === State.LAST_ACK || c.state === State.CLOSING)
}

/** RFC 5961, section 3.2, with SACK: the right edge of what came early counts too. */
function isBehindSack(c: Connection, segment: Segment): boolean {
  return c.sackOk && c.queue.sackCount > 0 && segment.seq === c.queue.lastEnd
}

/** tcp_paws_discard. */
function pawsDiscards(c: Connection, segment: Segment): boolean {
  if (((c.tsRecent - c.rcvTsval) | 0) <= 1 || isTsRecentVoid(c)) return false
  return !isDisorderedAck(c, segment)
}

/** tcp_disordered_ack: a pure acknowledgement that was overtaken by data is no old duplicate. */
function isDisorderedAck(c: Connection, segment: Segment): boolean {
  return segment.has(wire.ACK) && segment.seq === segment.end && segment.seq === c.rcvNxt &&
    segment.ack === c.sndUna && segment.window * 2 ** c.sndWscale === c.sndWnd &&
    ((c.tsRecent - c.rcvTsval) | 0) * 1_000_000 <= c.rtt.rtoNs
}

/** tcp_send_dupack: an old segment is acknowledged at once, and reported if it brought something. */
function sendDuplicateAck(c: Connection, segment: Segment): void {
  if (segment.end !== segment.seq && before(segment.seq, c.rcvNxt)) {
    c.tcp.mib.DelayedACKLost++
    enterQuickAck(c)
    duplicate(c, segment.seq, after(segment.end, c.rcvNxt) ? c.rcvNxt : segment.end)
  }
  sendAck(c)
}

/** tcp_check_urg: where the one octet stands that is out of band; an older one than we know of is no news. */
function urgent(c: Connection, segment: Segment): void {
  if (segment.urgentPointer === 0) return
  const at = (segment.seq + segment.urgentPointer - 1) | 0
  if (after(c.copiedSeq, at) || before(at, c.rcvNxt) || (c.hasUrgent && !after(at, c.urgent))) return
  c.hasUrgent = true
  c.urgent = at
}
