/**
 * What a person would type on a node or in a pod to look at its network, answered from the emulated state
 * byte for byte as the Linux tools print it (iproute2 6.1, net-tools 2.10, procps 4.0; standard output is
 * no terminal, so nothing is coloured or widened). It reads and changes nothing.
 *
 * A new tool is a file of its own and a line in `TOOLS`. What a tool's file header calls not supported
 * answers "not modelled yet" and status 2, so that nobody takes silence for an empty table.
 */
import type { Netns } from "@podwire/netns"
import { arp } from "./arp.ts"
import { bridge } from "./bridge.ts"
import { Failure, notModelled } from "./failure.ts"
import { ip } from "./ip.ts"
import { nstat } from "./nstat.ts"
import { cat } from "./proc.ts"
import { ss } from "./ss.ts"
import { sysctl } from "./sysctl.ts"

interface Inspection {
  readonly stdout: string
  readonly stderr: string
  readonly exitCode: number
}

/** A tool's arguments without its name in, its standard output out; anything else is a `Failure`. */
type Tool = (netns: Netns, args: ReadonlyArray<string>) => string

/** Tools whose state Podwire does not have: the answer says so. */
function absent(name: string): Tool {
  return () => notModelled(name)
}

const TOOLS: Readonly<Record<string, Tool>> = {
  arp,
  bridge,
  cat,
  conntrack: absent("conntrack"),
  "ip6tables-save": absent("ip6tables-save"),
  ip,
  ip6tables: absent("ip6tables"),
  iptables: absent("iptables"),
  "iptables-save": absent("iptables-save"),
  ipvsadm: absent("ipvsadm"),
  netstat: absent("netstat"),
  nft: absent("nft"),
  nstat,
  ss,
  sysctl
}

/** `argv` is the command line, the tool's name first. */
export function inspect(netns: Netns, argv: ReadonlyArray<string>): Inspection {
  const name = argv[0] ?? ""
  const tool = Object.hasOwn(TOOLS, name) ? TOOLS[name] : undefined
  if (tool === undefined) return { stdout: "", stderr: `${name}: command not found\n`, exitCode: 127 }
  try {
    return { stdout: tool(netns, argv.slice(1)), stderr: "", exitCode: 0 }
  } catch (error) {
    if (!(error instanceof Failure)) throw error
    return { stdout: error.stdout, stderr: error.stderr, exitCode: error.exitCode }
  }
}
