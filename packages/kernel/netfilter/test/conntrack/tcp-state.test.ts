/**
 * The whole of TCP's state table: 2 directions, 6 kinds of segment, 10 states. A line says what each state
 * becomes; a dot stays, -- is INVALID, ig is let through unjudged.
 */
import { expect, it } from "vitest"
import { areValid, Index, indexOf, isClosing, next, TCP_STATE_NAMES, TcpState } from "../../src/conntrack/tcp-state.ts"

const SHORT: Readonly<Record<string, string>> = {
  NONE: "NO", SYN_SENT: "SS", SYN_RECV: "SR", ESTABLISHED: "ES", FIN_WAIT: "FW", CLOSE_WAIT: "CW", LAST_ACK: "LA",
  TIME_WAIT: "TW", CLOSE: "CL", SYN_SENT2: "S2"
}

const short = (state: number): string =>
  state === TcpState.INVALID ? "--" : state === TcpState.IGNORE ? "ig" : SHORT[TCP_STATE_NAMES[state]!]!

it("every direction, segment and state", () => {
  const lines: Array<string> = []
  for (const direction of [0, 1]) {
    for (const [name, index] of Object.entries(Index)) {
      const row = TCP_STATE_NAMES.map((_, state) => {
        const after = next(direction, index, state)
        return after === state ? " ." : short(after)
      })
      lines.push(`${direction === 0 ? "original" : "reply   "} ${name.padEnd(6)} ${row.join(" ")}`)
    }
  }
  expect(`\n${TCP_STATE_NAMES.map((_, state) => short(state)).join(" ").padStart(45)}\n${lines.join("\n")}`).toBe(`
                NO SS SR ES FW CW LA TW CL S2
original SYN    SS  . ig ig ig ig ig SS SS  .
original SYNACK -- --  . -- -- -- -- -- -- SR
original FIN    -- -- FW FW LA LA  .  .  . --
original ACK    ES -- ES  . CW  . TW  .  . --
original RST    -- CL CL CL CL CL CL CL  . CL
original NONE   -- -- -- -- -- -- -- -- -- --
reply    SYN    -- S2 -- -- -- -- -- SS --  .
reply    SYNACK -- SR ig ig ig ig ig ig ig SR
reply    FIN    -- -- FW FW LA LA  .  .  . --
reply    ACK    -- ig  .  . CW  . TW  .  . ig
reply    RST    -- CL CL CL CL CL CL CL  . CL
reply    NONE   -- -- -- -- -- -- -- -- -- --`)
})

it("every octet of flags", () => {
  const names = Object.entries(Index)
  const valid: Array<string> = []
  for (let flags = 0; flags < 256; flags++) {
    // PSH, ECE and CWR change nothing.
    expect(areValid(flags)).toBe(areValid(flags & 0x37))
    expect(indexOf(flags)).toBe(indexOf(flags & 0x17))
    if (flags < 64 && (flags & 8) === 0 && areValid(flags)) {
      const letters = [..."FSRPAU"].filter((_, bit) => (flags >> bit & 1) !== 0).join("")
      valid.push(`${letters} ${names.find(([, index]) => index === indexOf(flags))![0]}`)
    }
  }
  expect(valid.join(", ")).toBe("S SYN, R RST, A ACK, FA FIN, SA SYNACK, RA RST, SU SYN, AU ACK, FAU FIN")
})

it("a full table may drop what is closing", () => {
  expect(TCP_STATE_NAMES.filter((_, state) => isClosing(state)))
    .toEqual(["FIN_WAIT", "CLOSE_WAIT", "LAST_ACK", "TIME_WAIT", "CLOSE"])
})
