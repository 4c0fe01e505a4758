/** The states of a connection (RFC 9293, section 3.3.2), numbered as Linux does (include/net/tcp_states.h). */
export const State = {
  ESTABLISHED: 1, SYN_SENT: 2, SYN_RECV: 3, FIN_WAIT1: 4, FIN_WAIT2: 5, TIME_WAIT: 6, CLOSED: 7, CLOSE_WAIT: 8,
  LAST_ACK: 9, LISTEN: 10, CLOSING: 11
} as const
export type State = (typeof State)[keyof typeof State]

const NAMES: ReadonlyArray<string> = (() => {
  const names: Array<string> = []
  for (const [name, state] of Object.entries(State)) names[state] = name
  return names
})()

export function stateName(state: State): string {
  return NAMES[state]!
}
