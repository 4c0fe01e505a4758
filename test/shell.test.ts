/**
 * `podwire shell`: whole sessions as a script sees them, the splitter and the refusals as tables, and that
 * no line is a bug.
 */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { Lab } from "@podwire/lab"
import * as Effect from "effect/Effect"
import fc from "fast-check"
import { spawnSync } from "node:child_process"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import type { Session } from "../packages/edge/cli/src/shell/command.ts"
import { COMMANDS } from "../packages/edge/cli/src/shell/commands.ts"
import { complete } from "../packages/edge/cli/src/shell/complete.ts"
import { perform } from "../packages/edge/cli/src/shell/dispatch.ts"
import { splitLine } from "../packages/edge/cli/src/shell/split.ts"

const folder = mkdtempSync(join(tmpdir(), "podwire-shell-"))
afterAll(() => rmSync(folder, { recursive: true }))

const pods = join(folder, "pods.yaml")
const extra = join(folder, "extra.yaml")
const pod = (name: string, node: string) =>
  `apiVersion: v1\nkind: Pod\nmetadata: {name: ${name}}\n` +
  `spec: {nodeName: ${node}, containers: [{name: app, image: busybox, command: [sleep, infinity]}]}\n---\n`
const web = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec:\n  replicas: 1\n" +
  "  selector: {matchLabels: {app: web}}\n  template:\n    metadata: {labels: {app: web}}\n" +
  "    spec: {containers: [{name: app, image: busybox, command: [sleep, infinity]}]}\n---\n"
const client = "apiVersion: podwire.dev/v1\nkind: Cluster\nspec:\n  nodes: 2\n" +
  "  hosts: [{name: client, addresses: [172.18.0.100/16], routesToPods: true}]\n"
writeFileSync(pods, pod("a", "node1") + pod("b", "node2") + web + client)
writeFileSync(extra, pod("c", "node1"))

function quoted(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`
}

function shell(script: string, ...args: ReadonlyArray<string>) {
  const { status, stdout, stderr } = spawnSync(
    process.execPath, ["packages/edge/cli/src/main.ts", "shell", ...args],
    { encoding: "utf8", input: script, env: { ...process.env, NO_COLOR: "1" } }
  )
  return { status, stdout, stderr: stderr.replaceAll(folder, "") }
}

it("a script: results on stdout, refusals with their line on stderr, the last command's exit code", () => {
  const script = `# comments and empty lines are nothing

now
a ping -c 1 10.244.1.2   # another node
client ping -c 1 -q \\
  10.244.0.2
node1 ip route
inspect b -- ip -4 -o addr show dev eth0
exec deploy/web -c app -- echo "two  words" '$HOME'
apply -f ${extra}
scale deploy/web --replicas=2
get pods c -o name
get deploy web
delete pod/c
get pods c
fault node1-node2 down for 5s
a ping -c 1 -W 1 -q 10.244.1.2
advance 5s
reach
b nonsense
get pods | wc -l
trace --from a --to b
bogus
exit
now
`
  expect(shell(script, "-f", pods)).toEqual({
    status: 2,
    stdout: `2.504s
PING 10.244.1.2 (10.244.1.2) 56(84) bytes of data.
64 bytes from 10.244.1.2: icmp_seq=1 ttl=62 time=0.800 ms

--- 10.244.1.2 ping statistics ---
1 packets transmitted, 1 received, 0% packet loss, time 0ms
rtt min/avg/max/mdev = 0.800/0.800/0.800/0.000 ms
PING 10.244.0.2 (10.244.0.2) 56(84) bytes of data.

--- 10.244.0.2 ping statistics ---
1 packets transmitted, 1 received, 0% packet loss, time 0ms
rtt min/avg/max/mdev = 0.800/0.800/0.800/0.000 ms
10.244.0.0/24 dev cni0 proto kernel scope link src 10.244.0.1 
10.244.1.0/24 via 172.18.0.3 dev eth0 
172.18.0.0/16 dev eth0 proto kernel scope link src 172.18.0.2 
2: eth0    inet 10.244.1.2/24 brd 10.244.1.255 scope global eth0\\       valid_lft forever preferred_lft forever
two  words $HOME
pod/c created
deployment.apps/web scaled
pod/c
NAME   READY   UP-TO-DATE   AVAILABLE   AGE
web    2/2     2            2           7s
pod/c deleted
PING 10.244.1.2 (10.244.1.2) 56(84) bytes of data.

--- 10.244.1.2 ping statistics ---
1 packets transmitted, 0 received, 100% packet loss, time 0ms

IPv4: 24 of 24 pairs answer and see the sender's own address
IPv6: 24 of 24 pairs answer and see the sender's own address
`,
    stderr: `seed 7
line 15: Error from server (NotFound): pods "c" not found
exec: "nonsense": executable file not found in $PATH
line 21: syntax error near "|": one command a line, no pipes, lists or redirections; quote it if it is meant as it stands
line 22: trace: not built yet; "help" lists what is
line 23: bogus: no command, pod, node or host is called so; "help" lists the commands
`
  })
})

it("faults of one link: each ends on its own, and clear ends them all", () => {
  const ping = "a ping -c 1 -W 1 10.244.1.2"
  // The first ping of all waits for ARP too.
  const script = `fault node1-node2 delay 5ms for 10s
fault node1 delay 20ms for 2s
${ping}
advance 2s
${ping}
fault node1 down
${ping}
fault node1-node2 loss 100%
fault node1-node2 clear
${ping}
client ping -c 1 -W 1 10.244.0.2
fault node1 clear
advance 5s
client ping -c 1 10.244.0.2
`
  const { stdout, status } = shell(script, "-f", pods, "-q")
  expect({ status, told: stdout.match(/time=.*|\d+% packet loss/g) }).toEqual({
    status: 0,
    told: [
      "time=80.0 ms", "0% packet loss", "time=10.0 ms", "0% packet loss", "100% packet loss",
      "time=0.400 ms", "0% packet loss", "100% packet loss", "time=0.400 ms", "0% packet loss"
    ]
  })
})

it("both streams of a program reach one terminal in the order of writing", () => {
  const server = join(folder, "server.yaml")
  writeFileSync(server, pod("a", "node1") + pod("site", "node1").replace("busybox, command: [sleep, infinity]", "nginx"))
  const line = "a curl -sv -H Accept: http://10.244.0.3/none"
  const command = `echo ${quoted(line)} | ${quoted(process.execPath)} packages/edge/cli/src/main.ts shell -q ` +
    `-f ${quoted(server)} 2>&1`
  expect(spawnSync("sh", ["-c", command], { encoding: "utf8" }).stdout.replaceAll("\r", ""))
    .toBe(`*   Trying 10.244.0.3:80...
* Connected to 10.244.0.3 (10.244.0.3) port 80
* using HTTP/1.x
> GET /none HTTP/1.1
> Host: 10.244.0.3
> User-Agent: curl/8.14.1
> 
* Request completely sent off
< HTTP/1.1 404 Not Found
< Server: nginx/1.29.0
< Date: Thu, 01 Jan 2026 00:00:02 GMT
< Content-Type: text/html
< Content-Length: 153
< Connection: keep-alive
< 
{ [153 bytes data]
<html>
<head><title>404 Not Found</title></head>
<body>
<center><h1>404 Not Found</h1></center>
<hr><center>nginx/1.29.0</center>
</body>
</html>
* Connection #0 to host 10.244.0.3 left intact
`)
})

it("JSON lines: one object a command, with the virtual time at which it began", () => {
  const script = "advance 1s\nb hostname\nexec b --\nget nodes -o name\n\nb nonsense\n"
  expect(shell(script, "-f", pods, "-o", "jsonl", "-q")).toEqual({
    status: 127,
    stdout: '{"line":1,"command":"advance 1s","exitCode":0,"stdout":"","stderr":"","atNs":2504000000}\n' +
      '{"line":2,"command":"b hostname","exitCode":0,"stdout":"b\\n","stderr":"","atNs":3504000000}\n' +
      '{"line":3,"command":"exec b --","exitCode":2,"stdout":"","stderr":"say where and what: exec POD -- ping -c 1 10.244.1.2\\n","atNs":3504000000}\n' +
      '{"line":4,"command":"get nodes -o name","exitCode":0,"stdout":"node/node1\\nnode/node2\\n","stderr":"","atNs":3504000000}\n' +
      '{"line":6,"command":"b nonsense","exitCode":127,"stdout":"","stderr":"exec: \\"nonsense\\": executable file not found in $PATH\\n","atNs":3504000000}\n',
    stderr: ""
  })
})

it("stops at the first failure with -e; exit codes pass through; without -f there are nodes only", () => {
  expect(shell("a nonsense\nnow\n", "-f", pods, "-q", "-e")).toEqual({
    status: 127, stdout: "", stderr: 'exec: "nonsense": executable file not found in $PATH\n'
  })
  expect(shell("exit 7\nnow", "--nodes", "2")).toEqual({
    status: 7, stdout: "", stderr: "seed 7\nno -f: 2 nodes without pods\n"
  })
})

it("the manifests cannot come from stdin too", () => {
  expect(shell("now", "-f", "-")).toEqual({
    status: 2, stdout: "",
    stderr: "podwire: -f -: standard input is where the commands come from; write the manifests to a file, " +
      "or use -f <(helm template …)\n"
  })
})

describe("one line", () => {
  it.each<[string, ReturnType<typeof splitLine>]>([
    ["", { words: [] }],
    ["  get\tpods  ", { words: ["get", "pods"] }],
    ["# all of it", { words: [] }],
    ["a # rest", { words: ["a"] }],
    ["a#b '#' \\#", { words: ["a#b", "#", "#"] }],
    ["a '' \"\"", { words: ["a", "", ""] }],
    ["'a b'\"c d\"e\\ f", { words: ["a bc de f"] }],
    ["'\\n' \"\\n\" \\n", { words: ["\\n", "\\n", "n"] }],
    ["\"\\\"\\\\\\$\\`\"", { words: ["\"\\$`"] }],
    ["\"it's\" 'say \"x\"'", { words: ["it's", "say \"x\""] }],
    ["$HOME *.yaml ~ {a,b} $'x'", { words: ["$HOME", "*.yaml", "~", "{a,b}", "$x"] }],
    ["a\\\nb \"c\\\nd\" 'e\\\nf'", { words: ["ab", "cd", "e\\\nf"] }],
    ["a 'b", { open: "'" }],
    ["a \"b\\\"", { open: "\"" }],
    ["a \\", { open: "\\" }]
  ])("%j", (line, expected) => expect(splitLine(line)).toEqual(expected))

  it.each(["|", "&", ";", "<", ">", "(", ")", "`"])("%s is refused unless quoted", (operator) => {
    expect(splitLine(`a ${operator} b`)).toHaveProperty("problem")
    expect(splitLine(`a '${operator}' "${operator}" \\${operator}`)).toEqual({
      words: ["a", operator, operator, operator]
    })
  })

  it("any words come back when quoted as a shell quotes", () => {
    fc.assert(fc.property(fc.array(fc.string({ unit: "binary" })), (words) => {
      expect(splitLine(words.map(quoted).join(" "))).toEqual({ words })
    }), { seed: 7 })
  })
})

describe("in one session", () => {
  const impairments = "delay, jitter, loss, duplicate, reorder, corrupt, rate, limit"
  let lab: Lab
  const session = (signal = new AbortController().signal): Session =>
    ({ lab, namespace: "default", strict: false, lastCode: 0, signal, told: new Set() })
  const say = (line: string, signal?: AbortSignal) => {
    const split = splitLine(line)
    if (!("words" in split)) throw new Error(`no words: ${line}`)
    return Effect.runPromise(Effect.provide(perform(session(signal), split.words), NodeServices.layer))
  }
  const tab = (line: string) => complete(session(), line)[0].join("|")

  beforeAll(async () => {
    const made = Lab.make({ manifests: [pods] }).pipe(Effect.tap((one) => one.settle()))
    lab = await Effect.runPromise(Effect.provide(Effect.scoped(made), NodeServices.layer))
  })

  it.each([
    ["get", "error: You must specify the type of resource: pods, nodes, services, all, …"],
    ["get pods -x", "unknown shorthand flag: 'x' in -x"],
    ["get pods -o", "flag needs an argument: 'o' in -o"],
    ["get pods --no-header", "unknown flag: --no-header"],
    ["get pods -A=maybe", 'invalid argument "maybe" for "--all-namespaces": expected true or false'],
    ["apply", "must specify -f FILE"],
    ["apply -f -", "-f -: standard input is where the commands come from; write the manifests to a file"],
    ["apply -f /nowhere.yaml", "/nowhere.yaml: the path does not exist"],
    ["delete", "delete: say what: delete KIND NAME…, delete KIND/NAME or delete -f FILE"],
    ["delete pod nobody", 'Error from server (NotFound): pods "nobody" not found'],
    ["delete pods", "delete: say what: delete KIND NAME…, delete KIND/NAME or delete -f FILE"],
    ["scale deploy/web", "scale: expected --replicas=N, a whole number, zero or more"],
    ["scale deploy/web --replicas -1",
      "scale: found --replicas=-1, expected --replicas=N, a whole number, zero or more"],
    ["scale --replicas 1", "scale: say what: scale deploy/NAME --replicas=N"],
    ["exec a", "say where and what: exec POD -- ping -c 1 10.244.1.2"],
    ["exec a --timeout soon -- hostname",
      '--timeout: found "soon", expected a duration such as 5s, 1m30s or 250ms'],
    ["exec a -c none -- hostname", "container none is not valid for pod a; its containers are app"],
    ["inspect node1", "say where and which tool: inspect node1 ip addr"],
    ["a", "say what to run: a ping -c 1 10.244.1.2, or a ip addr"],
    ["nobody ping ::1", 'nobody: no command, pod, node or host is called so; "help" lists the commands'],
    ["shop/nobody ping ::1", 'Error from server (NotFound): pods "nobody" not found in namespace shop'],
    ["fault", "fault: say where and what: fault node1-node2 loss 10% for 30s"],
    ["fault node1-node2", `fault: say what goes wrong: ${impairments} or down; or clear`],
    ["fault node1-node2 for 5s", `fault: say what goes wrong: ${impairments} or down; or clear`],
    ["fault node1-node2 loss 200%", 'fault: loss: found "200%", expected a part such as 10%, 0.5% or 200ppm'],
    ["fault node1-node2 delay", "fault: delay: found nothing, expected a duration such as 5s or 250ms"],
    ["fault node1-node2 down down", "fault: down is given twice"],
    ["fault node1-node2 down clear", "fault: clear stands alone: fault node1-node2 clear"],
    ["fault node1-node2 toString 1", `fault: found "toString", expected ${impairments}, down, for or clear`],
    ["fault node1-node7 down", 'no link is called "node1-node7"; say A-B; machines are node1, node2, client'],
    ["fault node7 down", 'no machine is called "node7"; machines are node1, node2, client'],
    ["advance", 'advance: found "", expected a duration such as 5s, 1m30s or 250ms'],
    ["now now", 'now: found "now", expected nothing more'],
    ["exit 256", 'exit: found "256", expected a code from 0 to 255'],
    ["help nothing", 'help: there is no command "nothing"; "help" lists them'],
    ["capture start", 'capture: not in the shell; leave it and call podwire capture'],
    ["describe pod a", 'describe: not built yet; "help" lists what is'],
    ["run .", "run: not in the shell; leave it and call podwire run"]
  ])("%s", async (line, message) => {
    expect(await say(line)).toEqual({ exitCode: 2, stdout: "", stderr: `${message}\n` })
  })

  it("^C ends a program, with what it has said, and an advance; the cluster stays as it is", async () => {
    const stopped = AbortSignal.abort()
    const ping = await say("a ping 10.244.1.2", stopped)
    expect(ping.exitCode).toBe(130)
    expect(ping.stdout).toContain("--- 10.244.1.2 ping statistics ---\n1 packets transmitted")
    expect(await say("advance 2000h", stopped)).toEqual({ exitCode: 130, stdout: "", stderr: "" })
    expect((await say("a ping -c 1 10.244.1.2")).exitCode).toBe(0)
    expect(lab.cluster.check()).toEqual([])
  })

  it("help names every command, and each has its own", async () => {
    const all = (await say("help")).stdout
    for (const { name, synopsis } of COMMANDS) {
      expect(all).toContain(`\n  ${name.padEnd(7)}   `)
      expect((await say(`help ${name}`)).stdout.startsWith(synopsis)).toBe(true)
      expect((await say(`${name} --help`)).stdout.startsWith(synopsis)).toBe(true)
    }
  })

  it.each([
    ["ge", "get "],
    ["node1 br", "bridge "],
    ["node1 pin", "ping "],
    ["get d", "deployments "],
    ["get pods a", "a "],
    ["get pods --no", "--no-headers "],
    ["inspect cl", "client "],
    ["exec a -- pin", "ping "],
    ["fault node1-", "node1-node2 |node1-client "],
    ["fault node1 d", "delay |duplicate |down "],
    ["scale dep", "deployment/web "],
    ["help sc", "scale "],
    ["'", ""]
  ])("completes %j", (line, expected) => expect(tab(line)).toBe(expected))

  it("no line is a bug", async () => {
    const word = fc.oneof(
      fc.constantFrom(
        ...COMMANDS.map(({ name }) => name), extra, "-f", "--no-wait", "--replicas=2", "--replicas", "2",
        "--help", "--", "NaN", "a", "b", "c", "node1", "client", "host/client", "deploy/web", "default/a",
        "/", "//", "pod/a", "pods", "all", "-o", "-n", "-A", "-l", "json", "yaml", "wide", "name",
        "jsonpath={.items[*]}", "custom-columns=A:.b", "--sort-by", ".metadata.name", "kube-system",
        "__proto__", "constructor", "ip", "route", "addr", "get", "ss", "bridge", "fdb", "sysctl", "-a",
        "arp", "cat", "/etc/hosts", "ping", "-c", "1", "-W", "10.244.1.2", "::1", "fd00:10:244:1::2",
        "hostname", "echo", "app", "node1-node2", "loss", "10%", "delay", "5ms", "for", "down", "5s"
      ),
      fc.string()
    )
    const head = fc.constantFrom(...COMMANDS.map(({ name }) => [name]), ["a"], ["node1"], ["client"],
      ["get", "pods"], ["apply", "-f", extra], ["delete", "pod"], ["scale", "deploy/web", "--replicas"],
      ["fault", "node1-node2", "loss", "1%"], ["exec", "a", "--"], ["a", "ping", "-c"], ["b", "ping", "-W",
      "1", "-c", "1"], ["node1", "ip"], ["client", "ss"], ["scale", "deploy/web", "--replicas=3"],
      ["delete", "-f", extra], ["deploy/web", "cat"], ["inspect", "b", "ip", "route"])
    const line = fc.oneof(fc.array(word, { maxLength: 5 }),
      fc.tuple(head, fc.array(word, { maxLength: 5 })).map(([first, rest]) => [...first, ...rest]))
    await fc.assert(fc.asyncProperty(line, async (words) => {
      const line = words.map(quoted).join(" ")
      const { exitCode, stdout, stderr } = await say(line)
      expect(exitCode).toBeGreaterThanOrEqual(0)
      expect(exitCode).toBeLessThanOrEqual(255)
      if (exitCode === 2 && stdout === "") expect(stderr).not.toBe("")
      expect(Array.isArray(complete(session(), line)[0])).toBe(true)
    }), { seed: 7, numRuns: 600 })
  })
})
