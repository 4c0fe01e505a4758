/**
 * `nstat` (iproute2's nstat.c): the counters of /proc/net/snmp, snmp6 and netstat that are not zero. Nothing is
 * remembered between two calls, so each is as the first one after boot: all counters from zero, all rates 0.0.
 * Not supported: -d, -t, -s and -r change nothing here and are taken; patterns know only `*` and `?`.
 */
import type { Netns } from "@podwire/netns"
import { fail, notModelled } from "./failure.ts"
import { netstatGroups, snmp6Counters, snmpGroups } from "./proc-snmp.ts"

/** No counters (is_useless, in nstat's own words: "useless_numbers"). */
const SETTINGS = [
  "IpForwarding", "IpDefaultTTL", "TcpRtoAlgorithm", "TcpRtoMin", "TcpRtoMax", "TcpMaxConn", "TcpCurrEstab"
]
const LONG: Readonly<Record<string, string>> = {
  "--ignore": "a", "--zeros": "z", "--reset": "r", "--nooutput": "n", "--noupdate": "s", "--json": "j",
  "--pretty": "p"
}

export function nstat(netns: Netns, args: ReadonlyArray<string>): string {
  const [letters, patterns] = readArguments(args)
  if (letters.includes("n")) return ""
  const wanted = all(netns).filter(([name, value]) =>
    !SETTINGS.includes(name) && (value !== 0 || letters.includes("z")) &&
    (patterns.length === 0 || patterns.some((pattern) => pattern.test(name))))
  if (letters.includes("j")) return json(wanted, letters.includes("p"))
  return "#kernel\n" +
    wanted.map(([name, value]) => `${name.padEnd(32)}${String(value).padEnd(16)}${"0.0".padStart(6)}\n`).join("")
}

function all(netns: Netns): ReadonlyArray<readonly [string, number]> {
  const flat = ([group, counters]: ReturnType<typeof snmpGroups>[number]) =>
    counters.map(([name, value]) => [`${group}${name}`, value] as const)
  return [
    ...snmpGroups(netns).flatMap(flat), ...snmp6Counters(netns), ...netstatGroups(netns).flatMap(flat)
  ]
}

function readArguments(args: ReadonlyArray<string>): readonly [letters: string, patterns: ReadonlyArray<RegExp>] {
  let letters = ""
  const patterns: Array<RegExp> = []
  for (const arg of args) {
    if (!arg.startsWith("-")) patterns.push(glob(arg))
    else letters += arg.startsWith("--") ? LONG[arg] ?? notModelled(`nstat ${arg}`) : arg.slice(1)
  }
  for (const letter of letters) {
    if ("hvVdt".includes(letter)) notModelled(`nstat -${letter}`)
    if (!"azrnsjp".includes(letter)) fail(`nstat: invalid option -- '${letter}'`, 255)
  }
  return [letters, patterns]
}

/** fnmatch(3), without brackets. */
function glob(text: string): RegExp {
  if (text.includes("[")) notModelled(`nstat ${text}`)
  const quoted = text.replace(/[.+^${}()|\]\\]/g, "\\$&")
  return new RegExp(`^${quoted.replaceAll("*", ".*").replaceAll("?", ".")}$`)
}

function json(counters: ReadonlyArray<readonly [string, number]>, pretty: boolean): string {
  const object = { kernel: Object.fromEntries(counters) }
  return pretty ? `${JSON.stringify(object, null, 4)}\n` : `${JSON.stringify(object)}\n`
}
