/** nc against the real one's words: alone with a server that is there, and in pairs. */
import { readFileSync } from "node:fs"
import { ascii } from "@podwire/wire/bytes"
import { parse } from "@podwire/wire/ip"
import { findProgram, type Host, type Process } from "@podwire/workload"
import { expect, it } from "vitest"
import { ScriptedServer } from "../curl/scripted-server.ts"
import { rendered, transcript, twoHosts, type TwoHosts, wordsOf } from "../two-hosts.ts"

const golden = readFileSync(new URL("nc.golden.txt", import.meta.url), "utf8").replace(/^# .*\n/gm, (line) =>
  line.startsWith("# nc ") ? line : "").trim()
const stories = golden.split("\n\n")
const nc = findProgram("nc")!

function place(): TwoHosts {
  const hosts = twoHosts()
  for (const ip of ["10.0.0.2", "fd00::2"]) new ScriptedServer(hosts.server, parse(ip)!, 80)
  return hosts
}

function start(host: Host, command: string, stdin: string): Process {
  return nc.start({ ...host, stdin: ascii(stdin) }, wordsOf(command))
}

/** `# server`, `$ client`, each with `< what it is given`: both run for as long as the real ones were let. */
function pair(story: string): string {
  const [server, serverInput = "", client, clientInput = ""] =
    /^# (.*)\n(?:< (.*)\n)?[^$]*\$ (.*)\n(?:< (.*)\n)?/.exec(story)!
      .slice(1) as [string, string?, string?, string?]
  const hosts = place()
  const text = (input: string) => input.replace(/\\n/g, "\n").replace(/\\r/g, "\r")
  const first = start(hosts.server, server, text(serverInput))
  hosts.engine.advance(hosts.engine.nowNs + 250_000_000, 1_000_000)
  const second = start(hosts.client, client!, text(clientInput))
  hosts.engine.advance(hosts.engine.nowNs + 2_500_000_000, 1_000_000)
  const given = (input: string) => input === "" ? "" : `< ${input}\n`
  const said = (process: Process) =>
    rendered(process).replace(/(received on \S+) \d{5}/, "$1 PORT").replace("null", "none")
  return `# ${server}\n${given(serverInput)}${said(first)}$ ${client}\n${given(clientInput)}${said(second)}`
    .trim()
}

it("says what OpenBSD's nc says", () => {
  const said = stories.map((story) => story.startsWith("# ")
    ? pair(story) : transcript(place(), nc, /^\$ (.*)/.exec(story)![1]!).trim())
  expect(said.join("\n\n")).toBe(golden)
})

it("keeps listening with -k, one connection after the other", () => {
  const { engine, client, server } = twoHosts()
  const listener = nc.start(server, ["nc", "-lkn", "9000"])
  const first = start(client, "nc -N 10.0.0.2 9000", "one\n")
  const second = start(client, "nc -N 10.0.0.2 9000", "two\n")
  engine.advance(engine.nowNs + 5_000_000_000, 1_000_000)
  expect([first.exitCode, second.exitCode, listener.exitCode, listener.stdout])
    .toEqual([0, 0, null, "one\ntwo\n"])
  listener.kill()
  engine.advance(engine.nowNs + 100_000_000_000, 1_000_000)
  expect([server, client].map((host) => host.netns.sockets.tcpRows().length)).toEqual([0, 0])
})

it("tells a datagram port that answers from one that does not", () => {
  const hosts = twoHosts()
  const listener = nc.start(hosts.server, ["nc", "-luk", "53"])
  const beganNs = hosts.engine.nowNs
  expect(transcript(hosts, nc, "nc -zvu 10.0.0.2 53") +
    (hosts.engine.nowNs - beganNs) / 1e9).toMatchInlineSnapshot(`
    "$ nc -zvu 10.0.0.2 53
    2|Connection to 10.0.0.2 53 port [udp/domain] succeeded!
    exit 0
    3"
  `)
  expect([listener.stdout, transcript(hosts, nc, "nc -zvuw 1 10.0.0.2 54")]).toMatchInlineSnapshot(`
    [
      "XXXXX",
      "$ nc -zvuw 1 10.0.0.2 54
    exit 1
    ",
    ]
  `)
})

it("carries much data both ways through a narrow link", () => {
  const { engine, client, server } = twoHosts([], { delayNs: 2_000_000, rateBps: 20_000_000 })
  const text = (letter: string) => letter.repeat(300_000)
  const listener = start(server, "nc -lN 9000", text("s"))
  const caller = start(client, "nc -N fd00::2 9000", text("c"))
  const caller4 = start(client, "nc -N 10.0.0.2 9000", text("c"))
  engine.advance(engine.nowNs + 20_000_000_000, 10_000_000)
  expect([caller.exitCode, caller4.exitCode, listener.exitCode]).toEqual([1, 0, 0])
  expect([caller4.stdout === text("s"), listener.stdout === text("c")]).toEqual([true, true])
})

it("refuses what is not modelled", () => {
  expect(["nc -U /run/x", "nc -X 5 h 80", "nc -i 1 h 80", "nc -T lowdelay h 80"]
    .map((command) => transcript(twoHosts(), nc, command)).join("")).toMatchInlineSnapshot(`
      "$ nc -U /run/x
      2|nc: -U is not modelled in Podwire
      exit 1
      $ nc -X 5 h 80
      2|nc: -X is not modelled in Podwire
      exit 1
      $ nc -i 1 h 80
      2|nc: -i is not modelled in Podwire
      exit 1
      $ nc -T lowdelay h 80
      2|nc: -T is not modelled in Podwire
      exit 1
      "
    `)
})
