/**
 * What a segment makes of a connection, as a table: (direction, which flags, state) to state. The segment
 * is in its window; windows are `tcp-window.ts`. States guess what the sender of the segment is in.
 * (tcp_conntracks in net/netfilter/nf_conntrack_proto_tcp.c)
 */

export const TcpState = {
  NONE: 0, SYN_SENT: 1, SYN_RECV: 2, ESTABLISHED: 3, FIN_WAIT: 4, CLOSE_WAIT: 5, LAST_ACK: 6, TIME_WAIT: 7,
  CLOSE: 8,
  /** SYNs of both sides crossed. */
  SYN_SENT2: 9,
  /** Not a state: the segment belongs to no connection. */
  INVALID: 10,
  /** Not a state: it may be either, let it pass and see what the other side says. */
  IGNORE: 11
} as const
export type TcpState = (typeof TcpState)[keyof typeof TcpState]

export const TCP_STATE_NAMES: ReadonlyArray<string> = [
  "NONE", "SYN_SENT", "SYN_RECV", "ESTABLISHED", "FIN_WAIT", "CLOSE_WAIT", "LAST_ACK", "TIME_WAIT", "CLOSE",
  "SYN_SENT2"
]

/** Which flags count (enum tcp_bit_set), the strongest first: RST, SYN, FIN, ACK. */
export const Index = { SYN: 0, SYNACK: 1, FIN: 2, ACK: 3, RST: 4, NONE: 5 } as const

const CODES = ["NO", "SS", "SR", "ES", "FW", "CW", "LA", "TW", "CL", "S2", "--", "ig"]

/** Columns: NONE SYN_SENT SYN_RECV ESTABLISHED FIN_WAIT CLOSE_WAIT LAST_ACK TIME_WAIT CLOSE SYN_SENT2. */
const ROWS: ReadonlyArray<string> = [
  // Original: a SYN over a live connection may be a new one of hosts that have forgotten the old.
  "SS SS ig ig ig ig ig SS SS S2",
  "-- -- SR -- -- -- -- -- -- SR",
  "-- -- FW FW LA LA LA TW CL --",
  "ES -- ES ES CW CW TW TW CL --",
  "-- CL CL CL CL CL CL CL CL CL",
  "-- -- -- -- -- -- -- -- -- --",
  // Reply: a SYN-ACK may answer a SYN that was ignored; an ACK of a SYN means a half-open connection.
  "-- S2 -- -- -- -- -- SS -- S2",
  "-- SR ig ig ig ig ig ig ig SR",
  "-- -- FW FW LA LA LA TW CL --",
  "-- ig SR ES CW CW TW TW CL ig",
  "-- CL CL CL CL CL CL CL CL CL",
  "-- -- -- -- -- -- -- -- -- --"
]

const TABLE = Uint8Array.from(ROWS.flatMap((row) => row.split(" ").map((code) => CODES.indexOf(code))))

export function next(direction: number, index: number, state: number): number {
  return TABLE[(direction * 6 + index) * 10 + state]!
}

const FIN = 1
const SYN = 2
const RST = 4
const ACK = 16
const URG = 32

export function indexOf(flags: number): number {
  if ((flags & RST) !== 0) return Index.RST
  if ((flags & SYN) !== 0) return (flags & ACK) !== 0 ? Index.SYNACK : Index.SYN
  if ((flags & FIN) !== 0) return Index.FIN
  return (flags & ACK) !== 0 ? Index.ACK : Index.NONE
}

/** Combinations that somebody may send (tcp_valid_flags): PSH, ECE and CWR never matter. */
export function areValid(flags: number): boolean {
  switch (flags & (FIN | SYN | RST | ACK | URG)) {
    case SYN: case SYN | URG: case SYN | ACK: case RST: case RST | ACK: case FIN | ACK: case FIN | ACK | URG:
    case ACK: case ACK | URG:
      return true
    default:
      return false
  }
}

/** A full table may drop these (tcp_can_early_drop). */
export function isClosing(state: number): boolean {
  return state >= TcpState.FIN_WAIT && state <= TcpState.CLOSE
}
