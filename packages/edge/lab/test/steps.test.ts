/** Steps of a scenario: programs that go on, standard input, tools, times of frames; what makes no sense. */
import * as Effect from "effect/Effect"
import { NodeServices } from "@effect/platform-node"
import { expect, it } from "vitest"
import { type InputError, Lab, renderProblem, renderText, runLab } from "@podwire/lab"

const PODS = `apiVersion: v1
kind: Pod
metadata: { name: client }
spec: { nodeName: node1, containers: [{ name: a, image: busybox, command: [sleep, infinity] }] }
---
apiVersion: v1
kind: Pod
metadata: { name: server }
spec: { nodeName: node1, containers: [{ name: a, image: busybox, command: [nc, -lk, "9"] }] }
`

interface Ran {
  readonly failures: ReadonlyArray<string>
  readonly said: ReadonlyArray<string>
}

/** Line 1 is the first step. */
async function run(steps: string, nodes = 1): Promise<Ran> {
  const scenario = `apiVersion: podwire.dev/v1\nkind: Scenario\nspec:\n  seed: 7\n  steps:\n${steps}`
  const play = Effect.gen(function*() {
    const sources = [{ name: "p.yaml", content: PODS }, { name: "s.yaml", content: scenario }]
    const lab = yield* Lab.of(sources, { nodes })
    const report = yield* runLab(lab)
    return {
      failures: report.failures.map(renderProblem),
      said: report.steps.map(({ title, atNs, result }) =>
        `${atNs / 1e6} ms ${title}: ${result?.exitCode} ${result?.stdout}${result?.stderr}`)
    }
  }).pipe(
    Effect.scoped, Effect.provide(NodeServices.layer),
    Effect.catch((error) =>
      Effect.succeed({ failures: (error as InputError).problems.map(renderProblem), said: [] }))
  )
  const ran = await Effect.runPromise(play as Effect.Effect<Ran>)
  const short = (text: string) => text.replace(/s\.yaml:(\d+):/, (_, line) => `line ${Number(line) - 6}:`)
  return { ...ran, failures: ran.failures.map(short) }
}

it("a program in the background goes on while other steps run, and ends where it is waited for", async () => {
  expect(await run(`
    - exec: { pod: client, argv: [nc, -w, "3", 10.244.0.3, "9"], stdin: hello, background: talk }
    - advance: 1s
    - inspect: { where: client, argv: [ss, -Htn] }
      expect: { stdout: { contains: "ESTAB" } }
    - wait: talk
      expect: { exit: 0, stdout: "" }
    - inspect: { where: server, argv: [ss, -Htl] }
`)).toEqual({
    failures: [],
    said: [
      "2502 ms client: nc -w 3 10.244.0.3 9 &: undefined undefinedundefined",
      "2502 ms advance 1s: undefined undefinedundefined",
      "3502 ms client: ss -Htn: 0 ESTAB 0      0      10.244.0.2:41070 10.244.0.3:9\n",
      "3502 ms wait talk: 0 ",
      "5502 ms server: ss -Htl: 0 LISTEN 0      1      0.0.0.0:9 0.0.0.0:*\n"
    ]
  })
})

it("frames are expected at their times; a program that is killed with its pod is not forgotten", async () => {
  const { failures } = await run(`
    - exec: { pod: client, argv: [ping, -c, "3", -q, 10.244.0.3] }
      expect:
        frames:
          - { at: default/client/eth0, filter: icmp, direction: out, times: [0s, 1.05s, 2s] }
    - exec: { pod: client, argv: [ping, -c, "3", -q, 10.244.0.3] }
      expect:
        frames:
          - { at: default/client/eth0, filter: icmp, direction: out, times: [0s, 1.2s, 2s] }
    - exec: { pod: client, argv: [nc, 10.244.0.3, "9"], stdin: { zeros: 3 }, background: lost }
    - delete: pod/client
    - inspect: { where: server, argv: [ss, -H, -x] }
`)
  expect(failures).toEqual([
    'line 8:77: spec.steps[1].expect.frames[0].times: found frames "icmp" at default/client/eth0 ' +
      "after 0s, 1s, 2s, expected 0s, 1.2s, 2s",
    'line 11:16: spec.steps[4].inspect: exit code 2, expected 0; it printed "ss -x: not modelled yet"',
    'the run: background "lost" ended with exit code 137, and no step waits for it'
  ])
})

it("a fault without an end lasts until it is cleared", async () => {
  const cut = "1 packets transmitted, 0 received"
  const { failures } = await run(`
    - fault: { link: node1-node2, down: true }
    - exec: { pod: client, argv: [ping, -c, "1", -W, "1", -q, 172.18.0.3] }
      expect: { exit: 1, stdout: { contains: "${cut}" } }
    - fault: { link: node1-node2, clear: true, for: 3s }
    - fault: { node: node2, clear: true }
    - exec: { pod: client, argv: [ping, -c, "1", -q, 172.18.0.3] }
      expect: { stdout: { contains: "1 received" } }
`, 2)
  expect(failures.filter((line) => line.includes("steps"))).toEqual([
    "line 4:7: spec.steps[2]: clear ends faults: it takes no for"
  ])
})

it("what makes no sense is refused with its place", async () => {
  const { failures } = await run(`
    - wait: nobody
    - exec: { pod: client, argv: ["true"], background: one, timeout: 5s }
    - exec: { pod: client, argv: ["true"], background: one }
    - exec: { pod: client, argv: ["true"], background: one }
      expect: { exit: 0 }
    - exec: { pod: client, argv: ["true"], background: two }
      expect: { exit: 0, stdout: "" }
    - wait: one
    - wait: one
    - advance: 1s
      wait: two
`)
  expect(failures).toMatchInlineSnapshot(`
    [
      "line 1:13: spec.steps[0].wait: no step before has \`background: nobody\` that was not waited for",
      "line 2:70: spec.steps[1].exec.timeout: a background program has none; it ends when it ends",
      "line 3:56: spec.steps[2].exec.background: "one" goes on already; wait for it or use another name",
      "line 4:56: spec.steps[3].exec.background: "one" goes on already; wait for it or use another name",
      "line 7:23: spec.steps[4].expect.exit: "two" goes on after this step; expect this of \`wait: two\`",
      "line 7:34: spec.steps[4].expect.stdout: "two" goes on after this step; expect this of \`wait: two\`",
      "line 9:13: spec.steps[6].wait: no step before has \`background: one\` that was not waited for",
      "line 10:7: spec.steps[7]: found wait and advance, expected one action; make it 2 steps",
    ]
  `)
})

it("the report shows of a program's output what one reads, and no control characters", async () => {
  const zeros = { name: "s.yaml", content: "apiVersion: podwire.dev/v1\nkind: Scenario\nspec:\n  steps:\n" +
    "    - exec: { pod: server, argv: [nc, -l, -N, '10'], stdin: { zeros: 5000 }, background: source }\n" +
    "    - exec: { pod: client, argv: [nc, 10.244.0.3, '10'] }\n    - wait: source\n" }
  const play = Effect.gen(function*() {
    const lab = yield* Lab.of([{ name: "p.yaml", content: PODS }, zeros], { nodes: 1 })
    const report = yield* runLab(lab)
    return renderText(lab, report, { name: "s", verbose: false, out: null })
  }).pipe(Effect.scoped, Effect.provide(NodeServices.layer))
  const text = await Effect.runPromise(play as Effect.Effect<string>)
  expect(text.slice(text.indexOf("ok 2"))).toBe(
    `ok 2/3 at 2s: client: nc 10.244.0.3 10\n    ${"·".repeat(4_000)}\n    … 1000 characters more\n\n` +
      "ok 3/3 at 2s: wait source\n"
  )
})

it("what the sockets of a deleted pod have to say gets out before its network goes", async () => {
  const { failures, said } = await run(`
    - exec: { pod: client, argv: [nc, 10.244.0.3, "9"], background: reader }
    - delete: pod/server
      expect:
        frames:
          - { at: default/client/eth0, filter: "tcp[tcpflags] & tcp-fin != 0", direction: in, count: 1 }
    - wait: reader
    - inspect: { where: client, argv: [ss, -Htn] }
`)
  expect(failures).toEqual([])
  expect(said.at(-1)).toMatch(/^2\d{3} ms client: ss -Htn: 0 $/)
})
