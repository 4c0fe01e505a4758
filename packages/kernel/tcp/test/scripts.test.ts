/**
 * What TCP does, behaviour by behaviour: each file of `scripts/` on our stack in virtual time.
 * `scripts-kernel.test.ts` plays the same files against Linux; `timeline/script.ts` says how they read.
 */
import { describe, expect, it } from "vitest"
import { cases } from "./timeline/cases.ts"
import { verdict } from "./timeline/match.ts"
import { parseScript } from "./timeline/script.ts"
import { playVirtual, VIRTUAL } from "./timeline/virtual.ts"

/** Where we are not Linux, by file, with the reason; one that is like Linux after all has to leave. */
const KNOWN: Readonly<Record<string, string>> = {}

for (const { file, family, script } of cases()) {
  it(`${file.replace(".tcp", "")}, IPv${family}`, () => {
    expect(script.title, "the first line says what is shown").toMatch(/^\S.*\.$/)
    const { fault, text } = verdict(script, playVirtual(script, family), VIRTUAL)
    if (file in KNOWN) expect(fault, `${file} is listed: ${KNOWN[file]}`).not.toBe(null)
    else expect(fault === null ? "" : `${file}\n${text}`).toBe("")
  })
}

const HANDSHAKE = `# A handshake.
0      s = socket
+0     bind(s, 8080)
+0     listen(s, 5)
+0     < [S] seq 0 win 65535 <mss 1460>
+0     > [S.] seq 0 ack 1 win 64240 <mss 1460> id 0
+0.01  < [.] seq 1 ack 1
+0     c = accept(s)
+0     send(c, 100)
+0     > [P.] seq 1:101 ack 1
+0.05  < [.] seq 1 ack 101
`

/** What the first difference is said to be. */
function told(from: string, to: string): string {
  const script = parseScript(HANDSHAKE.replace(from, to), 4)
  const { text } = verdict(script, playVirtual(script, 4), VIRTUAL)
  return text.split("\n").find((line) => line.includes("->")) ?? "nothing"
}

describe("a script that is wrong", () => {
  it("fails, and says where", () => {
    const script = parseScript(HANDSHAKE.replace("win 64240", "win 1000"), 4)
    const { fault, text } = verdict(script, playVirtual(script, 4), VIRTUAL)
    expect(fault).toBe("other")
    expect(text).toBe([
      "    0.000 s = socket", "    0.000 bind(s, 8080)", "    0.000 listen(s, 5)",
      "    0.000 < [S] seq 0 win 65535 <mss 1460>", "  -> line 6, other window; expected",
      "          0.000 > [S.] seq 0 ack 1 win 1000 <mss 1460> id 0", "     but then",
      "    0.000 > [S.] seq 0 ack 1 win 64240 <mss 1460> id 0", "    0.010 (the script's next event)",
      "    0.010 (the script's next event)", "    0.010 (the script's next event: 100)",
      "    0.010 > [P.] seq 1:101 ack 1 win 64240 <> id +", "    0.060 (the script's next event)"
    ].join("\n"))
  })

  it.each([
    ["+0.01  < [.] seq 1 ack 1", "+0.01  < [.] seq 1 ack 1", "nothing"],
    ["<mss 1460> id 0", "<mss 1460,nop,wscale 7> id 0", "  -> line 6, other options; expected"],
    ["<mss 1460> id 0", "<mss 1460> id +", "  -> line 6, other id; expected"],
    ["<mss 1460> id 0", "<mss 1460> id 0 nodf", "  -> line 6, other df; expected"],
    ["> [S.] seq 0 ack 1", "> [S.] seq 0 ack 2", "  -> line 6, other ack; expected"],
    ["> [P.] seq 1:101", "> [.] seq 1:101", "  -> line 10, other flags; expected"],
    ["> [P.] seq 1:101", "> [P.] seq 1:102", "  -> line 10, other length; expected"],
    ["> [P.] seq 1:101", "> [P.] seq 2:102", "  -> line 10, other seq; expected"],
    ["+0     > [P.]", "+0.002 > [P.]", "  -> line 10, too early by 1.0 ms; expected"],
    ["+0     > [P.]", "+0     >2 [P.]", "  -> line 10, it was for connection 1; expected"],
    ["+0     > [P.] seq 1:101 ack 1\n", "", "  -> line 10, nothing is sent before; expected"],
    ["+0     > [P.]", "+0     ! none\n+0     > [P.]", "  -> line 10, nothing is sent; expected"],
    ["+0.05  <", "+0     > [P.] seq 101:201 ack 1\n+0.05  <", "  -> line 11, nothing was sent; expected"],
    ["+0.05  < [.] seq 1 ack 101\n", "+0.4   ! none\n", "  -> line 11, nothing is sent; expected"],
    ["accept(s)", "accept(s)\n+0     accept(s)", "  -> line 9, it gave EAGAIN; expected"],
    ["send(c, 100)", "send(c, 100) = EPIPE", "  -> line 9, it gave 100; expected"]
  ])("%j as %j", (from, to, what) => {
    expect(told(from, to)).toBe(what)
  })

  it.each([
    ["+0 > [Q] seq 0", "line 1: no flag Q"],
    ["+0 > [S] seq", "line 1: no sequence numbers: undefined"],
    ["+0 > [S] seq 0 windows 3", "line 1: what is windows in a segment?"],
    ["+0 < [S] seq 0 <msss 3>", "line 1: no option msss 3"],
    ["connect(s)", "line 1: no time in front of: connect(s)"],
    ["+0 open(s)", "line 1: no call: open(s)"],
    ["+0 < icmp quench", "line 1: no ICMP error: icmp quench"]
  ])("%s does not read", (text, error) => {
    expect(() => parseScript(text, 4)).toThrow(error)
  })
})
