/**
 * How long a timestamp is good (RFC 7323, section 5.5): as a time line of 36 minutes, which Linux 6.18 was given once
 * and which no run has time for.
 */
import { expect, it } from "vitest"
import { verdict } from "./timeline/match.ts"
import { parseScript } from "./timeline/script.ts"
import { playVirtual, VIRTUAL } from "./timeline/virtual.ts"

const SCRIPT = `# An old timestamp is refused for 2147 s of silence, and means nothing then.
0      s = socket
+0     bind(s, 8080)
+0     listen(s, 5)
+0     < [S] seq 0 win 65535 <mss 1000,nop,nop,TS val 5000 ecr 0>
+0     > [S.] seq 0 ack 1 <mss {1460|1440},nop,nop,TS val * ecr 5000>
+0.01  < [.] seq 1 ack 1 <nop,nop,TS val 5000 ecr last>
+0     c = accept(s)
+2130  < [P.] seq 1:101 ack 1 <nop,nop,TS val 1000 ecr last>
+0     > [.] seq 1 ack 1 <nop,nop,TS val * ecr 5000>
+25    < [P.] seq 1:101 ack 1 <nop,nop,TS val 1000 ecr last>
+0     > [.] seq 1 ack 101 <nop,nop,TS val * ecr 1000>
+0.1   available(c) = 100
`

it.each([4, 6] as const)("IPv%d", (family) => {
  const script = parseScript(SCRIPT, family)
  const { fault, text } = verdict(script, playVirtual(script, family), VIRTUAL)
  expect(fault === null ? "" : text).toBe("")
})
