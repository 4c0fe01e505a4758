/**
 * `ip [options] object [command]` (iproute2's ip.c): options, then the object by any beginning of its name.
 *
 * Supported: address, link, route, neighbour, rule and their `show`; `route get`, `neigh get`; -4 -6
 * -family -brief -details -json -oneline -pretty -statistics; -color, -Numeric and -loops change nothing.
 * Not supported: what changes state, help texts, `-resolve`, `-timestamp`, `-netns`, `-batch`, the other
 * objects.
 */
import type { Netns } from "@podwire/netns"
import { fail, notModelled } from "./failure.ts"
import { address } from "./ip-addr.ts"
import type { IpCall, IpOptions } from "./ip-call.ts"
import { link } from "./ip-link.ts"
import { neighbour } from "./ip-neigh.ts"
import { route } from "./ip-route.ts"
import { rule } from "./ip-rule.ts"
import { Printer } from "./printer.ts"
import { begins, invalid, pick, Words } from "./words.ts"

type IpObject = (call: IpCall) => void

/** In the order in which beginnings are tried. Null: Linux has it, Podwire does not. */
const OBJECTS: ReadonlyArray<readonly [string, IpObject | null]> = [
  ["address", address], ["addrlabel", null], ["maddress", null], ["route", route], ["rule", rule],
  ["neighbor", neighbour], ["neighbour", neighbour], ["ntable", null], ["ntbl", null], ["link", link],
  ["l2tp", null], ["fou", null], ["ila", null], ["macsec", null], ["tunnel", null], ["tunl", null],
  ["tuntap", null], ["tap", null], ["token", null], ["tcpmetrics", null], ["tcp_metrics", null],
  ["monitor", null], ["xfrm", null], ["mroute", null], ["mrule", null], ["netns", null], ["netconf", null],
  ["vrf", null], ["sr", null], ["nexthop", null], ["mptcp", null], ["ioam", null], ["help", null],
  ["stats", null]
]

const OPTIONS = [
  "-loops", "-family", "-human-readable", "-iec", "-statistics", "-details", "-resolve", "-oneline",
  "-timestamp", "-Version", "-force", "-batch", "-brief", "-json", "-rcvbuf", "-color", "-help", "-netns",
  "-Numeric", "-all", "-echo", "-pretty"
] as const

const FAMILIES: Readonly<Record<string, 4 | 6>> = { inet: 4, inet6: 6 }

export function ip(netns: Netns, args: ReadonlyArray<string>): string {
  const words = new Words(args)
  const options = readOptions(words)
  if (typeof options === "string") return options
  if (words.done) return notModelled("ip help")
  const word = words.take()
  const found = OBJECTS.find(([name]) => begins(word, name))
  if (found === undefined) fail(`Object "${word}" is unknown, try "ip help".`, 1)
  const [name, object] = found
  if (object === null) return notModelled(`ip ${name}`)
  const out = new Printer(options.oneline)
  object({ netns, options, words, out })
  return options.json ? out.json(options.pretty) : out.text
}

/** The rest of the words is the object and what follows it. A string is the answer to -Version. */
function readOptions(words: Words): IpOptions | string {
  let family: 4 | 6 | null = null
  let stats = 0
  let [details, brief, oneline, json, pretty] = [false, false, false, false, false]
  while (!words.done && words.peek().startsWith("-")) {
    const word = words.take()
    if (word === "--") break
    const option = word.startsWith("--") ? word.slice(1) : word
    if (option === "-4" || option === "-6") {
      family = option === "-4" ? 4 : 6
      continue
    }
    if (/^-c(olor)?(=(always|auto|never))?$/.test(option)) continue
    switch (pick(option, OPTIONS)) {
      case "-family":
        family = readFamily(words.argument())
        break
      case "-statistics":
        stats++
        break
      case "-details":
        details = true
        break
      case "-oneline":
        oneline = true
        break
      case "-brief":
        brief = true
        break
      case "-json":
        json = true
        break
      case "-pretty":
        pretty = true
        break
      case "-loops":
        words.argument()
        break
      case "-color":
      case "-Numeric":
        break
      case "-Version":
        return "ip utility, iproute2-6.1.0, libbpf 1.1.2\n"
      case null:
        return fail(`Option "${option}" is unknown, try "ip -help".`, 255)
      default:
        return notModelled(`ip ${option}`)
    }
  }
  return { family, stats, details, brief, oneline, json, pretty }
}

function readFamily(word: string): 4 | 6 {
  return FAMILIES[word] ?? (["mpls", "bridge", "link"].includes(word)
    ? notModelled(`ip -family ${word}`)
    : invalid(word, "invalid protocol family"))
}
