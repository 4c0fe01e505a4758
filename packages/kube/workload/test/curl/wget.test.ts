/** BusyBox's wget against the real one's words, and its own time limit. */
import { readFileSync } from "node:fs"
import { parse } from "@podwire/wire/ip"
import { findProgram } from "@podwire/workload"
import { expect, it } from "vitest"
import { commandsOf, transcript, twoHosts, type TwoHosts } from "../two-hosts.ts"
import { ScriptedServer } from "./scripted-server.ts"

const golden = readFileSync(new URL("wget.golden.txt", import.meta.url), "utf8").replace(/^#.*\n/gm, "")
  .trim()
const wget = findProgram("wget")!

function place(): TwoHosts {
  const hosts = twoHosts()
  for (const [ip, port] of [["10.0.0.2", 80], ["10.0.0.2", 8080], ["fd00::2", 80]] as const) {
    new ScriptedServer(hosts.server, parse(ip)!, port)
  }
  return hosts
}

it("says what BusyBox's wget says", () => {
  const said = commandsOf(golden).map((command) => transcript(place(), wget, command))
  expect(said.join("\n").trim()).toBe(golden)
})

it("waits no longer than -T", () => {
  const hosts = place()
  const beganNs = hosts.engine.nowNs
  expect(transcript(hosts, wget, "wget -qO- -T 3 10.0.0.2/partial") + (hosts.engine.nowNs - beganNs) / 1e9)
    .toMatchInlineSnapshot(`
      "$ wget -qO- -T 3 10.0.0.2/partial
      1|hello
      2|wget: download timed out
      exit 1
      3"
    `)
})

it("refuses what is not modelled", () => {
  expect(["wget https://h/", "wget ftp://h/", "wget -o log h", "wget -T x h", "wget --header"]
    .map((command) => transcript(twoHosts(), wget, command)).join("")).toMatchInlineSnapshot(`
      "$ wget https://h/
      2|wget: https is not modelled in Podwire: https://h/
      exit 1
      $ wget ftp://h/
      2|wget: ftp is not modelled in Podwire: ftp://h/
      exit 1
      $ wget -o log h
      2|wget: -o is not modelled in Podwire
      exit 1
      $ wget -T x h
      2|wget: invalid number 'x'
      exit 1
      $ wget --header
      2|wget: option requires an argument -- 'header'
      2|BusyBox v1.35.0 (Podwire) multi-call binary.
      2|
      2|Usage: wget [-cqS] [--spider] [-O FILE] [--header STR] [--post-data STR] [-Y off]
      2|	[--no-check-certificate] [-P DIR] [-U AGENT] [-T SEC] URL...
      2|
      2|Retrieve files via HTTP
      2|
      2|	--spider	Only check URL existence: $? is 0 if exists
      2|	--header STR	Add STR (of form 'header: value') to headers
      2|	--post-data STR	Send STR using POST method
      2|	-q		Quiet
      2|	-P DIR		Save to DIR (default .)
      2|	-S    		Show server response
      2|	-T SEC		Network read timeout is SEC seconds
      2|	-O FILE		Save to FILE ('-' for stdout)
      2|	-U STR		Use STR for User-Agent header
      exit 1
      "
    `)
})
