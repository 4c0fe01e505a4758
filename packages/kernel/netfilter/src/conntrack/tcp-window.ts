/**
 * Whether a segment can be of this connection: what each side has sent, may send and has acknowledged, as
 * seen from the middle (G. van Rooij, "Real Stateful TCP Packet Filtering in IP Filter"; tcp_in_window).
 * With s the sender and r the receiver:
 *
 *   I    seq       <= s.MAXEND                 not beyond what r allows
 *   II   end       >= s.END - r.MAXWIN         not older than any window of r
 *   III  ack, sack <= r.END                    of what r has sent
 *   IV   ack       >= r.END - max(s.MAXWIN, 66000)
 *
 * Sequence numbers are signed words and compared by difference, so they wrap as they do on the wire.
 * Not supported: sequence numbers changed by NAT helpers.
 */
import { get16, get32 } from "@podwire/wire/bytes"
import * as tcp from "@podwire/wire/tcp"
import { Index, TcpState } from "./tcp-state.ts"
import { PROTO_WORDS } from "./table.ts"

/** Columns of one direction, from `side`. */
export const END = 0
export const MAXEND = 1
export const MAXWIN = 2
export const MAXACK = 3
/** Flags, and the window scale above them. */
export const FLAGS = 4
const SIDE_WORDS = 5
/** Columns of the connection. */
export const STATE = 10
export const LAST_INDEX = 11
export const LAST_DIR = 12
export const RETRANS = 13
export const LAST_SEQ = 14
export const LAST_ACK = 15
export const LAST_END = 16
export const LAST_WIN = 17
/** Flags and window scale of a SYN that was let through. */
export const LAST_FLAGS = 18

/** IP_CT_TCP_FLAG_* */
export const Flag = {
  WINDOW_SCALE: 0x01, SACK_PERM: 0x02, CLOSE_INIT: 0x04, BE_LIBERAL: 0x08, DATA_UNACKNOWLEDGED: 0x10,
  MAXACK_SET: 0x20, EXP_CHALLENGE_ACK: 0x40, SIMULTANEOUS_OPEN: 0x80
} as const

const SCALE_SHIFT = 8
const MAXACKWINCONST = 66_000
const WINDOW_SCALE_MAX = 14

export const InWindow = { Accept: 0, Ignore: 1, Invalid: 2 } as const
export type InWindow = (typeof InWindow)[keyof typeof InWindow]

/** The segment that is looked at. */
export class Segment {
  bytes: Uint8Array = new Uint8Array(0)
  l4 = 0
  flags = 0
  index = 0
  seq = 0
  ack = 0
  win = 0
  /** Sequence number behind its last octet. */
  end = 0

  read(bytes: Uint8Array, l4: number, stop: number, index: number): void {
    const flags = tcp.flags(bytes, l4)
    this.bytes = bytes
    this.l4 = l4
    this.flags = flags
    this.index = index
    this.seq = get32(bytes, l4 + 4)
    this.ack = get32(bytes, l4 + 8)
    this.win = get16(bytes, l4 + 14)
    const octets = stop - l4 - tcp.dataOffsetBytes(bytes, l4)
    this.end = (this.seq + octets + ((flags & tcp.SYN) !== 0 ? 1 : 0) + ((flags & tcp.FIN) !== 0 ? 1 : 0)) | 0
  }
}

export function side(ct: number, direction: number): number {
  return ct * PROTO_WORDS + direction * SIDE_WORDS
}

export function scale(proto: Int32Array, at: number): number {
  return proto[at + FLAGS]! >>> SCALE_SHIFT
}

/** As the kernel has it, also for numbers that are half the space apart: then both are before the other. */
function before(a: number, b: number): boolean {
  return ((a - b) | 0) < 0
}

function after(a: number, b: number): boolean {
  return ((b - a) | 0) < 0
}

/** Window scale and SACK of a SYN: the flags that it leaves, liberality kept from `flags` (tcp_options). */
export function options(segment: Segment, flags: number): number {
  const { bytes, l4 } = segment
  const stop = l4 + tcp.dataOffsetBytes(bytes, l4)
  if (stop === l4 + tcp.HEADER_BYTES_MIN) return flags
  let found = flags & Flag.BE_LIBERAL
  for (let i = l4 + tcp.HEADER_BYTES_MIN; i < stop;) {
    const kind = bytes[i]!
    if (kind === 0) break
    if (kind === 1) {
      i++
      continue
    }
    const length = i + 1 < stop ? bytes[i + 1]! : 0
    if (length < 2 || i + length > stop) break
    if (kind === 4 && length === 2) found |= Flag.SACK_PERM
    else if (kind === 3 && length === 3) {
      const shift = Math.min(bytes[i + 2]!, WINDOW_SCALE_MAX)
      found = (found & 0xff) | Flag.WINDOW_SCALE | (shift << SCALE_SHIFT)
    }
    i += length
  }
  return found
}

/** The highest right edge that a SACK option names, if above `ack` (tcp_sack). */
function highestSack(bytes: Uint8Array, l4: number, ack: number): number {
  const stop = l4 + tcp.dataOffsetBytes(bytes, l4)
  let sack = ack
  for (let i = l4 + tcp.HEADER_BYTES_MIN; i < stop;) {
    const kind = bytes[i]!
    if (kind === 0) break
    if (kind === 1) {
      i++
      continue
    }
    const length = i + 1 < stop ? bytes[i + 1]! : 0
    if (length < 2 || i + length > stop) break
    if (kind === 5 && length >= 10 && (length - 2) % 8 === 0) {
      for (let k = i + 6; k < i + length; k += 8) {
        const edge = get32(bytes, k)
        if (after(edge, sack)) sack = edge
      }
      break
    }
    i += length
  }
  return sack
}

/** What a side starts with; without scaling on both sides there is none (RFC 7323, section 2.2). */
function start(proto: Int32Array, sender: number, receiver: number, segment: Segment, reply: boolean): void {
  proto[sender + END] = proto[sender + MAXEND] = segment.end
  proto[sender + MAXWIN] = segment.win === 0 ? 1 : segment.win
  const flags = options(segment, proto[sender + FLAGS]!)
  proto[sender + FLAGS] = flags
  if (reply && (flags & proto[receiver + FLAGS]! & Flag.WINDOW_SCALE) === 0) {
    proto[sender + FLAGS] = flags & 0xff
    proto[receiver + FLAGS]! &= 0xff
  }
}

/** The connection was found in its middle: what this side sends is believed. */
function pickUp(proto: Int32Array, sender: number, receiver: number, segment: Segment, sack: number): void {
  const window = segment.win << scale(proto, sender)
  proto[sender + END] = segment.end
  proto[sender + MAXWIN] = window === 0 ? 1 : window
  proto[sender + MAXEND] = (segment.end + proto[sender + MAXWIN]!) | 0
  if (proto[receiver + MAXWIN] === 0) proto[receiver + END] = proto[receiver + MAXEND] = sack
  // The answer to a keepalive, most likely.
  else if (sack === ((proto[receiver + END]! + 1) | 0)) proto[receiver + END] = sack
}

export function inWindow(
  proto: Int32Array, ct: number, direction: number, segment: Segment, beLiberal: boolean
): InWindow {
  const sender = side(ct, direction)
  const receiver = side(ct, 1 - direction)
  const base = ct * PROTO_WORDS
  const { flags, end: behind } = segment
  const state = proto[base + STATE]!
  const syn = (flags & tcp.SYN) !== 0
  const acks = (flags & tcp.ACK) !== 0
  let { seq, ack, end } = segment
  let sack = ack
  if ((proto[receiver + FLAGS]! & Flag.SACK_PERM) !== 0) sack = highestSack(segment.bytes, segment.l4, ack)
  if (proto[sender + MAXWIN] === 0) {
    if (syn) {
      start(proto, sender, receiver, segment, direction === 1)
      if (!acks) return InWindow.Accept
    } else pickUp(proto, sender, receiver, segment, sack)
  } else if (
    syn && after(behind, proto[sender + END]!) &&
    (state === TcpState.SYN_SENT || state === TcpState.SYN_RECV)
  ) {
    // Another SYN with another number: a new incarnation, or another answer to it.
    start(proto, sender, receiver, segment, direction === 1)
    if (direction === 1 && !acks) return InWindow.Accept
  }
  // Some stacks leave the field zero in a reset.
  if (!acks || ((flags & tcp.RST) !== 0 && ack === 0)) ack = sack = proto[receiver + END]!
  if ((flags & tcp.RST) !== 0 && seq === 0 && state === TcpState.SYN_SENT) seq = end = proto[sender + END]!
  const liberal = beLiberal || (proto[sender + FLAGS]! & Flag.BE_LIBERAL) !== 0
  const fault = check(proto, sender, receiver, seq, end, sack)
  // What is forgiven changes nothing, or the numbers of a stranger would count.
  if (fault !== InWindow.Accept) return liberal ? InWindow.Accept : fault
  update(proto, sender, receiver, segment, ack, sack, end)
  if (segment.index === Index.ACK) countRetransmission(proto, base, direction, seq, ack, end, segment.win)
  return InWindow.Accept
}

function check(
  proto: Int32Array, sender: number, receiver: number, seq: number, end: number, sack: number
): InWindow {
  const senderEnd = proto[sender + END]!
  const senderMaxEnd = proto[sender + MAXEND]!
  const receiverEnd = proto[receiver + END]!
  const receiverMaxWin = proto[receiver + MAXWIN]!
  const senderMaxWin = proto[sender + MAXWIN]!
  const ackWindow = senderMaxWin >>> 0 > MAXACKWINCONST ? senderMaxWin : MAXACKWINCONST
  const notTooOld = after(end, (senderEnd - receiverMaxWin - 1) | 0)
  const ackNotTooOld = after(sack, (receiverEnd - ackWindow - 1) | 0)
  const ackOfSent = before(sack, (receiverEnd + 1) | 0)
  if (!before(seq, (senderMaxEnd + 1) | 0)) {
    const overshot = (end - senderMaxEnd + 1) | 0
    const known = receiverMaxWin !== 0 && notTooOld && ackNotTooOld && ackOfSent
    if (!known || overshot >>> 0 > receiverMaxWin >>> 0) return InWindow.Invalid
    // It sends more than it may, and the other side may take it: then its acknowledgement must be right.
    proto[sender + END] = end
    proto[sender + FLAGS]! |= Flag.DATA_UNACKNOWLEDGED
    return InWindow.Ignore
  }
  if (!ackOfSent) return InWindow.Invalid
  if (receiverMaxWin !== 0 && !notTooOld) return InWindow.Ignore
  return ackNotTooOld ? InWindow.Accept : InWindow.Ignore
}

function update(
  proto: Int32Array, sender: number, receiver: number, segment: Segment, ack: number, sack: number,
  end: number
): void {
  const syn = (segment.flags & tcp.SYN) !== 0
  const window = syn ? segment.win : segment.win << scale(proto, sender)
  const reach = (window + ((sack - ack) | 0)) | 0
  if (proto[sender + MAXWIN]! >>> 0 < reach >>> 0) proto[sender + MAXWIN] = reach
  if (after(end, proto[sender + END]!)) {
    proto[sender + END] = end
    proto[sender + FLAGS]! |= Flag.DATA_UNACKNOWLEDGED
  }
  if ((segment.flags & tcp.ACK) !== 0) {
    const set = (proto[sender + FLAGS]! & Flag.MAXACK_SET) !== 0
    if (!set || after(ack, proto[sender + MAXACK]!)) proto[sender + MAXACK] = ack
    proto[sender + FLAGS]! |= Flag.MAXACK_SET
  }
  const maxEnd = proto[sender + MAXEND]!
  if (proto[receiver + MAXWIN] !== 0 && after(end, maxEnd)) {
    proto[receiver + MAXWIN] = (proto[receiver + MAXWIN]! + end - maxEnd) | 0
  }
  const allowed = (sack + window) | 0
  if (after(allowed, (proto[receiver + MAXEND]! - 1) | 0)) {
    proto[receiver + MAXEND] = window === 0 ? (allowed + 1) | 0 : allowed
  }
  if (ack === proto[receiver + END]) proto[receiver + FLAGS]! &= ~Flag.DATA_UNACKNOWLEDGED
}

function countRetransmission(
  proto: Int32Array, base: number, direction: number, seq: number, ack: number, end: number, win: number
): void {
  const same = proto[base + LAST_DIR] === direction && proto[base + LAST_SEQ] === seq &&
    proto[base + LAST_ACK] === ack && proto[base + LAST_END] === end && proto[base + LAST_WIN] === win
  if (same) {
    // One octet in the kernel.
    proto[base + RETRANS] = (proto[base + RETRANS]! + 1) & 0xff
    return
  }
  proto[base + LAST_DIR] = direction
  proto[base + LAST_SEQ] = seq
  proto[base + LAST_ACK] = ack
  proto[base + LAST_END] = end
  proto[base + LAST_WIN] = win
  proto[base + RETRANS] = 0
}
