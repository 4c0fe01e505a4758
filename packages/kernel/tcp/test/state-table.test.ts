/**
 * The table of `src/state.ts`, all of it, by real connections: each is brought into each state, gets each
 * input, and shows its next state and its answer. The text is what Linux does too: `state-table-
 * kernel.test.ts`.
 */
import { expect, it } from "vitest"
import { Input, next, Outcome, State, stateName } from "../src/state.ts"
import { TcpSocket } from "../src/socket.ts"
import type { Tcp } from "../src/tcp.ts"
import { answer, cell, INPUTS, type InputName, type StateName, STATES } from "./state-cells.ts"
import { parseScript } from "./timeline/script.ts"
import { playVirtual } from "./timeline/virtual.ts"

interface Seen {
  readonly state: string
  readonly answer: string
}

function observe(from: StateName, input: InputName, family: 4 | 6): Seen {
  let state = ""
  const happened = playVirtual(parseScript(cell(from, input), family), family, (tcp) => {
    state = stateOf(tcp, from === "CLOSED" || from === "LISTEN")
  })
  return { state, answer: answer(input, happened) }
}

/**
 * Of the connection, whether or not a socket has it; a listener counts only where the listener is asked
 * about.
 */
function stateOf(tcp: Tcp, orListener: boolean): string {
  const [flow] = tcp.flows.list()
  if (flow !== undefined) return flow.kind === "request" ? "SYN_RECV" : stateName(flow.state)
  const holders = tcp.ports.at(8080)?.holders ?? []
  const listens = holders.some((holder) => holder instanceof TcpSocket && holder.listener !== null)
  return orListener && listens ? "LISTEN" : "CLOSED"
}

/** What the table says, in the words of an observation. */
function agrees(from: StateName, input: InputName, { state, answer: said }: Seen): boolean {
  const expected = next(State[from], Input[input])
  if (expected > 0) return state === stateName(expected as State)
  if (state !== from) return false
  switch (expected) {
    case Outcome.Refuse:
      return said.startsWith("E")
    case Outcome.Reset:
      return said === "RST"
    case Outcome.Challenge:
      return said === "ACK"
    default:
      return said === ""
  }
}

for (const family of [4, 6] as const) {
  it(`every state and every input, IPv${family}`, () => {
    const lines: Array<string> = []
    const wrong: Array<string> = []
    for (const from of STATES) {
      lines.push(from)
      for (const input of INPUTS) {
        const seen = observe(from, input, family)
        lines.push(`  ${input.padEnd(8)} ${seen.state.padEnd(12)} ${seen.answer}`.trimEnd())
        if (!agrees(from, input, seen)) wrong.push(`${input} in ${from}: ${seen.state} ${seen.answer}`)
      }
    }
    expect(lines.join("\n")).toBe(TABLE)
    expect(wrong).toEqual([])
  })
}

const TABLE = `CLOSED
  Connect  SYN_SENT     EINPROGRESS SYN
  Listen   LISTEN
  Close    CLOSED
  Syn      CLOSED       RST
  SynAck   CLOSED       RST
  Ack      CLOSED       RST
  Fin      CLOSED       RST
  FinAck   CLOSED       RST
  Rst      CLOSED
  Timeout  CLOSED
LISTEN
  Connect  LISTEN       EISCONN
  Listen   LISTEN
  Close    CLOSED
  Syn      SYN_RECV     SYN-ACK
  SynAck   LISTEN       RST
  Ack      LISTEN       RST
  Fin      LISTEN       RST
  FinAck   LISTEN       RST
  Rst      LISTEN
  Timeout  LISTEN
SYN_SENT
  Connect  SYN_SENT     EALREADY
  Listen   SYN_SENT     EINVAL
  Close    CLOSED
  Syn      SYN_RECV     SYN-ACK
  SynAck   ESTABLISHED  ACK
  Ack      SYN_SENT
  Fin      SYN_SENT
  FinAck   SYN_SENT
  Rst      CLOSED
  Timeout  CLOSED
SYN_RECV
  Connect  SYN_RECV     EALREADY
  Listen   SYN_RECV     EINVAL
  Close    FIN_WAIT1    FIN
  Syn      SYN_RECV     ACK
  SynAck   ESTABLISHED  ACK
  Ack      ESTABLISHED
  Fin      CLOSE_WAIT   ACK
  FinAck   CLOSE_WAIT   ACK
  Rst      CLOSED
  Timeout  CLOSED
ESTABLISHED
  Connect  ESTABLISHED  EISCONN
  Listen   ESTABLISHED  EINVAL
  Close    FIN_WAIT1    FIN
  Syn      ESTABLISHED  ACK
  SynAck   ESTABLISHED  ACK
  Ack      ESTABLISHED
  Fin      CLOSE_WAIT   ACK
  FinAck   CLOSE_WAIT   ACK
  Rst      CLOSED
  Timeout  CLOSED
FIN_WAIT1
  Connect  FIN_WAIT1    EISCONN
  Listen   FIN_WAIT1    EINVAL
  Close    FIN_WAIT1
  Syn      FIN_WAIT1    ACK
  SynAck   FIN_WAIT1    ACK
  Ack      FIN_WAIT2
  Fin      CLOSING      ACK
  FinAck   TIME_WAIT    ACK
  Rst      CLOSED
  Timeout  CLOSED
FIN_WAIT2
  Connect  FIN_WAIT2    EISCONN
  Listen   FIN_WAIT2    EINVAL
  Close    FIN_WAIT2
  Syn      FIN_WAIT2    ACK
  SynAck   FIN_WAIT2    ACK
  Ack      FIN_WAIT2
  Fin      TIME_WAIT    ACK
  FinAck   TIME_WAIT    ACK
  Rst      CLOSED
  Timeout  CLOSED
CLOSING
  Connect  CLOSING      EISCONN
  Listen   CLOSING      EINVAL
  Close    CLOSING
  Syn      CLOSING      ACK
  SynAck   CLOSING      ACK
  Ack      TIME_WAIT
  Fin      CLOSING      ACK
  FinAck   TIME_WAIT
  Rst      CLOSED
  Timeout  CLOSED
TIME_WAIT
  Connect  TIME_WAIT    EISCONN
  Listen   TIME_WAIT    EINVAL
  Close    TIME_WAIT
  Syn      SYN_RECV     SYN-ACK
  SynAck   TIME_WAIT    ACK
  Ack      TIME_WAIT
  Fin      TIME_WAIT    ACK
  FinAck   TIME_WAIT    ACK
  Rst      CLOSED
  Timeout  CLOSED
CLOSE_WAIT
  Connect  CLOSE_WAIT   EISCONN
  Listen   CLOSE_WAIT   EINVAL
  Close    LAST_ACK     FIN
  Syn      CLOSE_WAIT   ACK
  SynAck   CLOSE_WAIT   ACK
  Ack      CLOSE_WAIT
  Fin      CLOSE_WAIT   ACK
  FinAck   CLOSE_WAIT   ACK
  Rst      CLOSED
  Timeout  CLOSED
LAST_ACK
  Connect  LAST_ACK     EISCONN
  Listen   LAST_ACK     EINVAL
  Close    LAST_ACK
  Syn      LAST_ACK     ACK
  SynAck   LAST_ACK     ACK
  Ack      CLOSED
  Fin      LAST_ACK     ACK
  FinAck   CLOSED
  Rst      CLOSED
  Timeout  CLOSED`
