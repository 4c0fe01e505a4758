/**
 * The states of a connection and what moves it from one to the next (RFC 9293, section 3.3.2), as a table:
 * it decides, the rest acts. States are numbered as Linux does (include/net/tcp_states.h). Segments mean
 * acceptable ones, in sequence; "all" that an ACK acknowledges includes our SYN or FIN.
 */

export const State = {
  ESTABLISHED: 1, SYN_SENT: 2, SYN_RECV: 3, FIN_WAIT1: 4, FIN_WAIT2: 5, TIME_WAIT: 6, CLOSED: 7, CLOSE_WAIT: 8,
  LAST_ACK: 9, LISTEN: 10, CLOSING: 11
} as const
export type State = (typeof State)[keyof typeof State]

export const Input = {
  Connect: 0,
  Listen: 1,
  /** close, or shutdown of our direction. */
  Close: 2,
  Syn: 3,
  SynAck: 4,
  /** Of all that we sent. */
  Ack: 5,
  /** With an ACK that does not cover our own FIN. */
  Fin: 6,
  /** With an ACK of all that we sent. */
  FinAck: 7,
  Rst: 8,
  /** Retransmissions are exhausted, or the state's own time is over. */
  Timeout: 9
} as const
export type Input = (typeof Input)[keyof typeof Input]

/** What a table entry says where it names no state. */
export const Outcome = {
  /** Nothing changes, nothing is answered. */
  Ignore: 0,
  /** The call fails. */
  Refuse: -1,
  /** A RST is the answer. */
  Reset: -2,
  /** The state stays, and an ACK tells where it stands (RFC 5961). */
  Challenge: -3
} as const
export type Outcome = (typeof Outcome)[keyof typeof Outcome]

const {
  ESTABLISHED, SYN_SENT, SYN_RECV, FIN_WAIT1, FIN_WAIT2, TIME_WAIT, CLOSED, CLOSE_WAIT, LAST_ACK, LISTEN, CLOSING
} = State
const { Ignore, Refuse, Reset, Challenge } = Outcome

const TABLE: ReadonlyArray<ReadonlyArray<State | Outcome>> = (() => {
  const rows: Array<ReadonlyArray<State | Outcome>> = []
  // Connect, Listen, Close, Syn, SynAck, Ack, Fin, FinAck, Rst, Timeout
  rows[CLOSED] = [SYN_SENT, LISTEN, Ignore, Reset, Reset, Reset, Reset, Reset, Ignore, Ignore]
  rows[LISTEN] = [Refuse, LISTEN, CLOSED, SYN_RECV, Reset, Reset, Reset, Reset, Ignore, Ignore]
  rows[SYN_SENT] = [Refuse, Refuse, CLOSED, SYN_RECV, ESTABLISHED, Ignore, Ignore, Ignore, CLOSED, CLOSED]
  rows[SYN_RECV] = [
    Refuse, Refuse, FIN_WAIT1, Challenge, ESTABLISHED, ESTABLISHED, CLOSE_WAIT, CLOSE_WAIT, CLOSED, CLOSED
  ]
  rows[ESTABLISHED] = [
    Refuse, Refuse, FIN_WAIT1, Challenge, Challenge, ESTABLISHED, CLOSE_WAIT, CLOSE_WAIT, CLOSED, CLOSED
  ]
  rows[FIN_WAIT1] = [
    Refuse, Refuse, FIN_WAIT1, Challenge, Challenge, FIN_WAIT2, CLOSING, TIME_WAIT, CLOSED, CLOSED
  ]
  rows[FIN_WAIT2] = [
    Refuse, Refuse, FIN_WAIT2, Challenge, Challenge, FIN_WAIT2, TIME_WAIT, TIME_WAIT, CLOSED, CLOSED
  ]
  rows[CLOSING] = [Refuse, Refuse, CLOSING, Challenge, Challenge, TIME_WAIT, CLOSING, TIME_WAIT, CLOSED, CLOSED]
  rows[CLOSE_WAIT] = [
    Refuse, Refuse, LAST_ACK, Challenge, Challenge, CLOSE_WAIT, CLOSE_WAIT, CLOSE_WAIT, CLOSED, CLOSED
  ]
  rows[LAST_ACK] = [Refuse, Refuse, LAST_ACK, Challenge, Challenge, CLOSED, LAST_ACK, CLOSED, CLOSED, CLOSED]
  // A SYN that is newer begins again, with the listener; an older one is answered like any stray segment.
  rows[TIME_WAIT] = [
    Refuse, Refuse, TIME_WAIT, SYN_RECV, Challenge, TIME_WAIT, Challenge, Challenge, CLOSED, CLOSED
  ]
  return rows
})()

export function next(state: State, input: Input): State | Outcome {
  return TABLE[state]![input]!
}

const NAMES: ReadonlyArray<string> = (() => {
  const names: Array<string> = []
  for (const [name, state] of Object.entries(State)) names[state] = name
  return names
})()

export function stateName(state: State): string {
  return NAMES[state]!
}
