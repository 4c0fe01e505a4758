/**
 * Every state and every input of `src/state.ts`, each pair as a script of `timeline/`: how a real connection
 * gets into the state, and what the input is there, with numbers that are acceptable and in sequence. The
 * same scripts play on our stack and on Linux.
 */
import type { Input, State } from "../src/state.ts"
import { type Happened } from "./timeline/match.ts"
import { decode, Flows } from "./timeline/frame.ts"

export type StateName = keyof typeof State
export type InputName = keyof typeof Input

export const STATES: ReadonlyArray<StateName> = [
  "CLOSED", "LISTEN", "SYN_SENT", "SYN_RECV", "ESTABLISHED", "FIN_WAIT1", "FIN_WAIT2", "CLOSING", "TIME_WAIT",
  "CLOSE_WAIT", "LAST_ACK"
]
export const INPUTS: ReadonlyArray<InputName> = [
  "Connect", "Listen", "Close", "Syn", "SynAck", "Ack", "Fin", "FinAck", "Rst", "Timeout"
]

const BOUND = ["0 s = socket", "+0 bind(s, 8080)"]
const LISTEN = [...BOUND, "+0 listen(s, 1)"]
const SYN_SENT = [...BOUND, "+0 connect(s) = EINPROGRESS"]
const ESTABLISHED = [
  ...LISTEN, "+0.001 < [S] seq 0 win 65535 <mss 1460>", "+0.001 < [.] seq 1 ack 1 win 65535",
  "+0.001 c = accept(s)"
]
const FIN_WAIT1 = [...ESTABLISHED, "+0 shutdown(c, write)"]
const FIN_WAIT2 = [...FIN_WAIT1, "+0.001 < [.] seq 1 ack 2 win 65535"]
const CLOSE_WAIT = [...ESTABLISHED, "+0.001 < [F.] seq 1 ack 1 win 65535"]

interface Place {
  readonly script: ReadonlyArray<string>
  /** Whose calls are the inputs. */
  readonly socket: "s" | "c"
  /** What the peer sends next; what it acknowledges when that is all, and when it is all but our FIN. */
  readonly seq: number
  readonly all: number
  readonly part: number
  /** The peer's FIN: new, or once more. */
  readonly finSeq: number
  /** A timeout needs something that waits for one. */
  readonly before: ReadonlyArray<string>
}

const place = (
  script: ReadonlyArray<string>, socket: "s" | "c", seq: number, all: number, part: number, finSeq = seq,
  before: ReadonlyArray<string> = []
): Place => ({ script, socket, seq, all, part, finSeq, before })

const PLACES: Readonly<Record<StateName, Place>> = {
  CLOSED: place(BOUND, "s", 0, 1, 1),
  LISTEN: place(LISTEN, "s", 0, 1, 1),
  SYN_SENT: place(SYN_SENT, "s", 0, 1, 1),
  SYN_RECV: place([...SYN_SENT, "+0.001 < [S] seq 0 win 65535 <mss 1460>"], "s", 1, 1, 1),
  ESTABLISHED: place(ESTABLISHED, "c", 1, 1, 1, 1, ["+0 send(c, 10)"]),
  FIN_WAIT1: place(FIN_WAIT1, "c", 1, 2, 1),
  FIN_WAIT2: place(FIN_WAIT2, "c", 1, 2, 2, 1, ["+0 close(c)"]),
  CLOSING: place([...FIN_WAIT1, "+0.001 < [F.] seq 1 ack 1 win 65535"], "c", 2, 2, 1, 1),
  TIME_WAIT: place([...FIN_WAIT2, "+0.001 < [F.] seq 1 ack 2 win 65535"], "c", 2, 2, 2, 1),
  CLOSE_WAIT: place(CLOSE_WAIT, "c", 2, 1, 1, 1, ["+0 send(c, 10)"]),
  LAST_ACK: place([...CLOSE_WAIT, "+0 shutdown(c, write)"], "c", 2, 2, 1, 1)
}

/** A real kernel has said what it has to say by then, and sends nothing again yet. */
const QUIET_SECONDS = 0.06
/** Longer than 15 retransmissions. */
const TIMEOUT_SECONDS = 1500

/** The input's line: a call, or a segment. */
function inputLine(state: StateName, input: InputName): string {
  const { socket, seq, all, part, finSeq } = PLACES[state]
  const segment = (flags: string, at: number, ack: number | null) =>
    `< [${flags}] seq ${at}${ack === null ? "" : ` ack ${ack}`} win 65535` +
    (flags.includes("S") ? " <mss 1460>" : "")
  switch (input) {
    case "Connect":
      return `connect(${socket})`
    case "Listen":
      return `listen(${socket}, 1)`
    case "Close":
      // shutdown waits in SYN_RECV until the connection is there (tcp_shutdown); close does not.
      return ["CLOSED", "LISTEN", "SYN_RECV", "TIME_WAIT"].includes(state)
        ? `close(${socket})`
        : `shutdown(${socket}, write)`
    case "Syn":
      return segment("S", state === "TIME_WAIT" ? 100_000 : seq, null)
    case "SynAck":
      // Of two SYNs that cross, the answer repeats the other side's.
      return segment("S.", state === "SYN_RECV" ? 0 : seq, all)
    case "Ack":
      return segment(".", seq, all)
    case "Fin":
      return segment("F.", finSeq, part)
    case "FinAck":
      return segment("F.", finSeq, all)
    case "Rst":
      return segment("R.", seq, all)
    case "Timeout":
      return "! none"
  }
}

export function cell(state: StateName, input: InputName): string {
  const { script, before } = PLACES[state]
  const lines = input === "Timeout"
    ? [...script, ...before, `+${TIMEOUT_SECONDS} state(s)`]
    : [...script, `+${QUIET_SECONDS} ${inputLine(state, input)}`]
  return `# ${input} in ${state}\n\n${lines.join("\n")}\n`
}

/** What the input caused: an errno, or the segments that answer it. */
export function answer(input: InputName, happened: ReadonlyArray<Happened>): string {
  if (input === "Timeout") return ""
  const last = happened.findLastIndex(({ kind }) => kind === "caused")
  const cause = happened[last]!
  const errno = cause.kind === "caused" && cause.result !== "0" ? [cause.result] : []
  const flows = new Flows()
  const words = happened.slice(last + 1).flatMap((entry) => {
    if (entry.kind !== "frame") return []
    const decoded = decode(entry.bytes, flows)
    return decoded === null ? [] : [flagsText(decoded.segment.flags)]
  })
  return [...errno, ...words].join(" ")
}

const LETTERS: ReadonlyArray<readonly [number, string]> = [[2, "SYN"], [1, "FIN"], [4, "RST"]]

/** Its names, as RFC 9293 writes them; an ACK beside others is understood but beside SYN. */
function flagsText(flags: number): string {
  const named = LETTERS.filter(([bit]) => (flags & bit) !== 0).map(([, name]) => name).join("-")
  if (named === "") return "ACK"
  return named === "SYN" && (flags & 16) !== 0 ? "SYN-ACK" : named
}
