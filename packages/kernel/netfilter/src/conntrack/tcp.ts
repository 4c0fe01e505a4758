/**
 * TCP connections (nf_conntrack_tcp_packet): the state table, the window, and the exceptions to both that
 * real hosts taught Linux: a SYN that reopens, a SYN over a live connection that may be right (its SYN-ACK
 * tells), challenge ACKs (RFC 5961), crossed SYNs, resets out of place.
 * Not supported: SYN proxy, sequence adjustment, timeout policies.
 */
import type { Frame } from "@podwire/netdev"
import * as tcp from "@podwire/wire/tcp"
import type { ConntrackConf } from "./conf.ts"
import type { Conntrack } from "./conntrack.ts"
import { type Direction, directionOf, Event, Status } from "./status.ts"
import { PROTO_WORDS } from "./table.ts"
import { areValid, Index, indexOf, isClosing, next, TcpState } from "./tcp-state.ts"
import {
  END, Flag, FLAGS, inWindow, InWindow, LAST_ACK, LAST_DIR, LAST_END, LAST_FLAGS, LAST_INDEX, LAST_SEQ,
  LAST_WIN, MAXACK, MAXEND, MAXWIN, options, RETRANS, Segment, side, STATE
} from "./tcp-window.ts"
import type { Place } from "./tuple.ts"
import { Track } from "./verdict.ts"

const SEGMENT = new Segment()
/** An invalid FIN or RST shortens a life that has more than this left. */
const SHORT_SECONDS = 120

/** Decisions about a segment that leave its window unasked. */
const Next = { Window: 0, InWindow: 1, Accept: 2, Invalid: 3, Repeat: 4 } as const
type Next = (typeof Next)[keyof typeof Next]

/** Header and flags (tcp_error); the checksum is `checksum.ts`. */
export function isMalformed(bytes: Uint8Array, place: Place): boolean {
  const { l4, end } = place
  return tcp.check(bytes, l4, end) !== tcp.Fault.None || !areValid(tcp.flags(bytes, l4))
}

export function packet(conntrack: Conntrack, ct: number, ctinfo: number, frame: Frame, place: Place): Track {
  const { table, conf } = conntrack
  const { bytes } = frame
  const index = indexOf(tcp.flags(bytes, place.l4))
  const segment = SEGMENT
  segment.read(bytes, place.l4, place.end, index)
  const proto = table.proto
  const base = ct * PROTO_WORDS
  if ((table.status[ct]! & Status.CONFIRMED) === 0 && !begin(proto, ct, segment, conf)) return Track.Invalid
  const direction = directionOf(ctinfo)
  const before = proto[base + STATE]!
  STEP.state = next(direction, index, before)
  STEP.before = before
  const decision = decide(conntrack, ct, direction, segment)
  if (decision === Next.Invalid) return Track.Invalid
  if (decision === Next.Accept) return Track.Accept
  if (decision === Next.Repeat) {
    frame.ct = -1
    conntrack.kill(ct, null)
    return Track.Repeat
  }
  if (decision === Next.Window) {
    const verdict = inWindow(proto, ct, direction, segment, conf.nf_conntrack_tcp_be_liberal !== 0)
    if (verdict === InWindow.Ignore) return Track.Accept
    if (verdict === InWindow.Invalid) {
      shorten(conntrack, ct, direction, index)
      return Track.Invalid
    }
  }
  return accept(conntrack, ct, direction, frame, place)
}

/** What the table says, and what became of it. */
const STEP = { state: 0, before: 0 }

/** The first segment of an entry (tcp_new); false when no connection begins with it. */
function begin(proto: Int32Array, ct: number, segment: Segment, conf: ConntrackConf): boolean {
  const state = next(0, segment.index, TcpState.NONE)
  if (state >= TcpState.INVALID) return false
  if (state !== TcpState.SYN_SENT && conf.nf_conntrack_tcp_loose === 0) return false
  const base = ct * PROTO_WORDS
  for (let i = base; i < base + PROTO_WORDS; i++) proto[i] = 0
  const original = side(ct, 0)
  proto[original + END] = segment.end
  proto[original + MAXWIN] = segment.win === 0 ? 1 : segment.win
  proto[original + MAXEND] = segment.end
  if (state === TcpState.SYN_SENT) proto[original + FLAGS] = options(segment, 0)
  else {
    // Found in its middle: scaling and SACK were agreed upon unseen.
    proto[original + MAXEND] = (segment.end + proto[original + MAXWIN]!) | 0
    proto[original + FLAGS] = proto[side(ct, 1) + FLAGS] = Flag.SACK_PERM | Flag.BE_LIBERAL
  }
  proto[base + LAST_INDEX] = Index.NONE
  return true
}

function decide(conntrack: Conntrack, ct: number, direction: Direction, segment: Segment): Next {
  const proto = conntrack.table.proto
  const base = ct * PROTO_WORDS
  const { index } = segment
  switch (STEP.state) {
    case TcpState.SYN_SENT: {
      if (STEP.before < TcpState.TIME_WAIT) return Next.Window
      // Closed, or aborted by the side that begins anew.
      const flags = proto[side(ct, 0) + FLAGS]! | proto[side(ct, 1) + FLAGS]!
      const aborted = proto[base + LAST_DIR] === direction && proto[base + LAST_INDEX] === Index.RST
      if ((flags & Flag.CLOSE_INIT) !== 0 || aborted) return Next.Repeat
      return ignore(proto, ct, direction, segment)
    }
    case TcpState.IGNORE:
      return ignore(proto, ct, direction, segment)
    case TcpState.INVALID:
      return Next.Invalid
    case TcpState.TIME_WAIT: {
      const challenge = STEP.before === TcpState.LAST_ACK && index === Index.ACK &&
        proto[base + LAST_DIR] !== direction && proto[base + LAST_INDEX] === Index.SYN &&
        (proto[base + LAST_FLAGS]! & Flag.EXP_CHALLENGE_ACK) !== 0
      if (!challenge) return Next.Window
      proto[base + LAST_FLAGS]! &= ~Flag.EXP_CHALLENGE_ACK
      return Next.Accept
    }
    case TcpState.SYN_SENT2:
      proto[base + LAST_FLAGS]! |= Flag.SIMULTANEOUS_OPEN
      return Next.Window
    case TcpState.SYN_RECV:
      // The table knows no SYNs that crossed.
      if (direction === 1 && index === Index.ACK) {
        const crossed = (proto[base + LAST_FLAGS]! & Flag.SIMULTANEOUS_OPEN) !== 0
        if (crossed) STEP.state = TcpState.ESTABLISHED
      }
      return Next.Window
    case TcpState.CLOSE:
      return index === Index.RST ? reset(conntrack, ct, direction, segment) : Next.Window
    default:
      return Next.Window
  }
}

/** We may be out of step and the hosts in step: let it pass and remember what it would mean. */
function ignore(proto: Int32Array, ct: number, direction: Direction, segment: Segment): Next {
  const base = ct * PROTO_WORDS
  const { index } = segment
  const last = proto[base + LAST_DIR]!
  if (
    index === Index.SYNACK && proto[base + LAST_INDEX] === Index.SYN && last !== direction &&
    segment.ack === proto[base + LAST_END]
  ) {
    // The SYN that was ignored was right: both sides are at its beginning now.
    STEP.before = TcpState.SYN_SENT
    STEP.state = TcpState.SYN_RECV
    const syn = side(ct, last)
    proto[syn + END] = proto[syn + MAXEND] = proto[base + LAST_END]!
    proto[syn + MAXWIN] = proto[base + LAST_WIN] === 0 ? 1 : proto[base + LAST_WIN]!
    proto[base + LAST_FLAGS]! &= ~Flag.EXP_CHALLENGE_ACK
    proto[syn + FLAGS] = proto[base + LAST_FLAGS]!
    const answer = side(ct, direction)
    proto[answer + END] = proto[answer + MAXEND] = proto[answer + MAXWIN] = proto[answer + MAXACK] = 0
    proto[answer + FLAGS]! &= Flag.BE_LIBERAL
    return Next.Window
  }
  proto[base + LAST_INDEX] = index
  proto[base + LAST_DIR] = direction
  proto[base + LAST_SEQ] = segment.seq
  proto[base + LAST_END] = segment.end
  proto[base + LAST_WIN] = segment.win
  if (index === Index.SYN && direction === 0) {
    proto[base + LAST_FLAGS] = options(segment, 0)
    // In LAST_ACK an acknowledgement would be taken for that of the FIN.
    if (STEP.before === TcpState.LAST_ACK) proto[base + LAST_FLAGS]! |= Flag.EXP_CHALLENGE_ACK
  }
  const challenges = STEP.before === TcpState.SYN_SENT && index === Index.ACK && direction === 1
  if (challenges) proto[base + LAST_ACK] = segment.ack
  return Next.Accept
}

/** A reset ends a connection if its number says that it is no blind one. */
function reset(conntrack: Conntrack, ct: number, direction: Direction, segment: Segment): Next {
  const { table, conf } = conntrack
  const proto = table.proto
  const base = ct * PROTO_WORDS
  const state = proto[base + STATE]!
  // Its tuple may be in use again already, and a full table would drop it anyway.
  if (isClosing(state)) return Next.InWindow
  const lastIndex = proto[base + LAST_INDEX]!
  const other = side(ct, 1 - direction)
  const status = table.status[ct]!
  if ((proto[other + FLAGS]! & Flag.MAXACK_SET) !== 0 && lastIndex !== Index.SYN) {
    const { seq } = segment
    const established = state === TcpState.ESTABLISHED && (status & Status.ASSURED) !== 0
    const maxAck = proto[other + MAXACK]!
    if (seq === 0 && !established) return Next.Window
    if (((seq - maxAck) | 0) < 0 && conf.nf_conntrack_tcp_ignore_invalid_rst === 0) return Next.Invalid
    if (!established || seq === maxAck) return Next.Window
    const behindData = lastIndex === Index.ACK && proto[base + LAST_DIR] === direction
    if (behindData && seq === proto[base + LAST_END]) return Next.Window
    // Not exactly the next number: the peer may answer with a challenge ACK, so the connection stays.
    STEP.state = STEP.before
  }
  // Found by trying: in 6.18 only the other side's reset counts as the answer to a SYN.
  const ofIgnoredSyn = (status & Status.SEEN_REPLY) !== 0 && lastIndex === Index.SYN &&
    proto[base + LAST_DIR] !== direction
  const ofHalfOpen = (status & Status.ASSURED) === 0 && lastIndex === Index.ACK
  if ((ofIgnoredSyn || ofHalfOpen) && segment.ack === proto[base + LAST_END]) return Next.InWindow
  const ofChallenge = STEP.before === TcpState.SYN_SENT && lastIndex === Index.ACK &&
    proto[base + LAST_DIR] === 1
  return ofChallenge && segment.seq === proto[base + LAST_ACK] ? Next.InWindow : Next.Window
}

/** The segment counts: state, lifetime, assurance. */
function accept(conntrack: Conntrack, ct: number, direction: Direction, frame: Frame, place: Place): Track {
  const { table, conf } = conntrack
  const proto = table.proto
  const base = ct * PROTO_WORDS
  const { state, before } = STEP
  const { index } = SEGMENT
  const octets = place.end - frame.l3
  proto[base + LAST_INDEX] = index
  proto[base + LAST_DIR] = direction
  proto[base + STATE] = state
  if (before !== state) {
    if (state === TcpState.FIN_WAIT) proto[side(ct, direction) + FLAGS]! |= Flag.CLOSE_INIT
    conntrack.note(ct, Event.PROTOINFO)
  }
  let seconds = lifetime(conf, proto, ct, state, index)
  const status = table.status[ct]!
  if ((status & Status.SEEN_REPLY) === 0) {
    if (index === Index.RST) {
      // Refused: there never was a connection.
      conntrack.account(ct, direction, octets)
      conntrack.kill(ct, frame)
      return Track.Accept
    }
    // A SYN again and again must not keep an entry, and what NAT made of it, alive for ever.
    if (index === Index.SYN && before === TcpState.SYN_SENT) return Track.Accept
    if (state === TcpState.ESTABLISHED) {
      seconds = Math.min(seconds, conf.nf_conntrack_tcp_timeout_unacknowledged)
    }
  } else if (
    (status & Status.ASSURED) === 0 && state === TcpState.ESTABLISHED &&
    (before === TcpState.SYN_RECV || before === TcpState.ESTABLISHED)
  ) {
    table.status[ct] = status | Status.ASSURED
    conntrack.note(ct, Event.ASSURED)
  }
  conntrack.refresh(ct, seconds)
  conntrack.account(ct, direction, octets)
  return Track.Accept
}

function lifetime(conf: ConntrackConf, proto: Int32Array, ct: number, state: number, index: number): number {
  const base = ct * PROTO_WORDS
  const seconds = stateTimeout(conf, state)
  const retrans = conf.nf_conntrack_tcp_timeout_max_retrans
  if (proto[base + RETRANS]! >= conf.nf_conntrack_tcp_max_retrans && seconds > retrans) return retrans
  if (index === Index.RST) return conf.nf_conntrack_tcp_timeout_close
  const flags = proto[side(ct, 0) + FLAGS]! | proto[side(ct, 1) + FLAGS]!
  const unacknowledged = conf.nf_conntrack_tcp_timeout_unacknowledged
  if ((flags & Flag.DATA_UNACKNOWLEDGED) !== 0 && seconds > unacknowledged) return unacknowledged
  return proto[base + LAST_WIN] === 0 && seconds > retrans ? retrans : seconds
}

function stateTimeout(conf: ConntrackConf, state: number): number {
  switch (state) {
    case TcpState.SYN_RECV: return conf.nf_conntrack_tcp_timeout_syn_recv
    case TcpState.ESTABLISHED: return conf.nf_conntrack_tcp_timeout_established
    case TcpState.FIN_WAIT: return conf.nf_conntrack_tcp_timeout_fin_wait
    case TcpState.CLOSE_WAIT: return conf.nf_conntrack_tcp_timeout_close_wait
    case TcpState.LAST_ACK: return conf.nf_conntrack_tcp_timeout_last_ack
    case TcpState.TIME_WAIT: return conf.nf_conntrack_tcp_timeout_time_wait
    case TcpState.CLOSE: return conf.nf_conntrack_tcp_timeout_close
    // Crossed SYNs have a timeout of their own in the kernel and no sysctl for it: both are two minutes.
    case TcpState.SYN_SENT2: return 120
    default: return conf.nf_conntrack_tcp_timeout_syn_sent
  }
}

/**
 * FINs or resets of both sides that fit no window: do not wait five days for more (nf_tcp_handle_invalid).
 */
function shorten(conntrack: Conntrack, ct: number, direction: Direction, index: number): void {
  const { table, conf } = conntrack
  const status = table.status[ct]!
  if ((status & Status.ASSURED) === 0 || (status & Status.FIXED_TIMEOUT) !== 0) return
  if (index !== Index.RST && index !== Index.FIN) return
  const proto = table.proto
  const base = ct * PROTO_WORDS
  const last = proto[base + LAST_INDEX]!
  if (proto[base + LAST_DIR] !== direction && (last === Index.FIN || last === Index.RST)) {
    const left = conntrack.secondsLeft(ct)
    const seconds = conf.nf_conntrack_tcp_timeout_unacknowledged
    if (left >= SHORT_SECONDS && left > seconds) conntrack.refresh(ct, seconds)
    return
  }
  proto[base + LAST_INDEX] = index
  proto[base + LAST_DIR] = direction
}
