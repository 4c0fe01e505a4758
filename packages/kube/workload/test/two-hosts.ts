/**
 * The place of the goldens, emulated: a client at 10.0.0.1 and fd00::1, a server at 10.0.0.2, 10.0.0.3 and
 * fd00::2, one veth between them, and names of which some lead nowhere.
 */
import { Engine, SECOND } from "@podwire/engine"
import { Cable, FramePool, type LinkSpec, Nic, Veth } from "@podwire/netdev"
import { Netns } from "@podwire/netns"
import { parse as cidr } from "@podwire/wire/cidr"
import type { Host, Process, Program } from "@podwire/workload"

export interface TwoHosts {
  readonly engine: Engine
  readonly client: Host
  readonly server: Host
}

const HOSTS = `127.0.0.1 localhost
10.0.0.2 b.test web
fd00::2 b.test
fd00::3 dead.test
10.0.0.2 dead.test
fd00::9 gone.test
10.0.0.9 gone.test
`

/** With `link` the hosts have cards and a cable of that kind between them. */
export function twoHosts(files: ReadonlyArray<readonly [string, string]> = [],
  link: Partial<LinkSpec> | null = null): TwoHosts {
  const engine = new Engine(7)
  const pool = new FramePool(engine)
  const macs = [0x02000000000a, 0x02000000000b]
  const ends = link === null ? Veth.pair(engine, pool, "eth0", macs[0]!, "eth0", macs[1]!)
    : macs.map((mac) => new Nic(engine, pool, "eth0", mac))
  if (link !== null) new Cable(engine, pool, "cable", ends[0] as Nic, ends[1] as Nic, link)
  const [client, server] = ends.map((end, i): Host => {
    const netns = new Netns(engine, pool, i === 0 ? "client" : "server")
    netns.setUp(netns.lo)
    netns.attach(end)
    netns.setUp(end)
    netns.addAddress(end, cidr(`10.0.0.${i + 1}/24`)!)
    netns.addAddress(end, cidr(`fd00::${i + 1}/64`)!, { nodad: true })
    if (i === 1) netns.addAddress(end, cidr("10.0.0.3/24")!)
    return {
      engine, netns, hostname: i === 0 ? "client"
        : "server", files: new Map([["/etc/hosts", HOSTS], ...files]),
      env: new Map()
    }
  }) as [Host, Host]
  engine.advance(2 * SECOND, 100_000)
  return { engine, client, server }
}

/** Until the process has ended, or nothing happens any more, or a limit that no test comes near. */
export function finish(engine: Engine, process: Process): void {
  for (let i = 0; process.exitCode === null && engine.nextNs < Infinity && i < 100_000; i++) {
    engine.advance(engine.nextNs, 10_000)
  }
}

/** Output as the goldens have it: `1|` and `2|` before the lines of each stream, and how it ended. */
export function rendered(process: Process): string {
  return `${lines("1", process.stdout)}${lines("2", process.stderr)}exit ${process.exitCode}\n`
    .replace(/port \d{5} failed/g, "port PORT failed").replace(/after \d (ms|milliseconds)/g, "after N $1")
}

function lines(stream: string, text: string): string {
  if (text === "") return ""
  return text.replace(/\n$/, "").split("\n").map((line) => `${stream}|${line}\n`.replace(/\r/g, "\\r"))
    .join("")
}

/** `$ name words…` lines of a golden, with what follows each. */
export function commandsOf(golden: string): ReadonlyArray<string> {
  return [...golden.matchAll(/^\$ (.*)$/gm)].map((match) => match[1]!)
}

/** A shell's words: single quotes, nothing else. */
export function wordsOf(command: string): ReadonlyArray<string> {
  return [...command.matchAll(/(?:'[^']*'|[^\s'])+/g)].map((match) => match[0].replace(/'/g, ""))
}

/** The command, run in a world of its own, and what it said. */
export function transcript(hosts: TwoHosts, program: Program, command: string, stdin?: Uint8Array): string {
  const host = stdin === undefined ? hosts.client : { ...hosts.client, stdin }
  const process = program.start(host, wordsOf(command))
  finish(hosts.engine, process)
  return `$ ${command}\n${rendered(process)}`
}
