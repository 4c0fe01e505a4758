/**
 * Rules of the whole language as text that `iptables-restore` takes: every match and target that there is,
 * where it may be, in the words that people write (not those that are printed). The kernel's own checks are
 * passed by construction.
 */
import fc, { type Arbitrary } from "fast-check"

export type Family = 4 | 6

const int = (min: number, max: number) => fc.integer({ min, max })
const pick = <T>(...all: ReadonlyArray<T>) => fc.constantFrom(...all)
const join = (...parts: ReadonlyArray<Arbitrary<string>>) =>
  fc.tuple(...parts).map((all) => all.filter((part) => part !== "").join(" "))
const maybe = (one: Arbitrary<string>) => fc.oneof(fc.constant(""), one)
/** Some inverted. */
const not = (one: Arbitrary<string>) => fc.tuple(pick("", "", "! "), one).map(([bang, text]) => bang + text)
const some = (list: ReadonlyArray<string>) =>
  fc.subarray([...list], { minLength: 1 }).map((all) => all.join(","))

const address4 = fc.tuple(int(1, 223), int(0, 255), int(0, 255), int(0, 255)).map((all) => all.join("."))
const address6 = fc.array(fc.oneof(fc.constant(0), int(0, 0xffff)), { minLength: 7, maxLength: 7 })
  .map((all) => ["fd00", ...all.map((group) => group.toString(16))].join(":"))
const addressOf = (family: Family) => family === 4 ? address4 : address6
const maskOf = (family: Family) => family === 4
  ? fc.oneof(int(0, 32).map(String), pick("255.255.0.0", "255.0.255.0", "0.0.0.255"))
  : fc.oneof(int(0, 128).map(String), pick("ffff:ffff::", "ffff:0:ffff::", "::ffff"))
const networkOf = (family: Family) =>
  fc.tuple(addressOf(family), fc.option(maskOf(family))).map(([ip, mask]) => mask === null ? ip
    : `${ip}/${mask}`)
const device = pick("eth0", "veth+", "cni0", "br-1.5", "lo", "abcdefghijklmno", "e+")
const port = int(0, 65535).map(String)
const range = fc.oneof(
  port, fc.tuple(int(0, 65535), int(0, 65535)).map(([a, b]) => `${Math.min(a, b)}:${Math.max(a, b)}`),
  port.map((one) => `:${one}`), port.map((one) => `${one}:`)
)
const word = fc.oneof(int(0, 0xffffffff), pick(0, 1, 0x4000, 0xffffffff))
  .chain((value) => pick(`${value}`, `0x${value.toString(16)}`))
const masked = fc.oneof(word, fc.tuple(word, word).map((both) => both.join("/")))
const text = fc.string({
  unit: fc.oneof(fc.constantFrom(..."abcXYZ019 _-:/.,;!\"\\'#$()[]{}*&>"),
    fc.constantFrom("\u00fc", "\u4e2d", "\t")),
  maxLength: 30
}).map((raw) => `"${raw.replace(/["\\]/g, "\\$&")}"`)
const name = pick("foo", "KUBE-SEP-ABCDEFGHIJKLMNOP", "DEFAULT", "x_1")

const flags = (names: ReadonlyArray<string>) => some(names)
const FLAGS = ["FIN", "SYN", "RST", "PSH", "ACK", "URG"]
const STATES = ["INVALID", "NEW", "RELATED", "ESTABLISHED", "UNTRACKED", "SNAT", "DNAT"]
const ct = (family: Family) => join(
  pick("-m conntrack --ctstate NEW"), maybe(not(port.map((one) => `--ctorigdstport ${one}`))),
  maybe(not(range.filter((one) => !/^:|:$/.test(one)).map((one) => `--ctreplsrcport ${one}`))),
  maybe(not(networkOf(family).map((one) => `--ctorigsrc ${one}`))),
  maybe(not(networkOf(family).map((one) => `--ctrepldst ${one}`))),
  maybe(not(int(1, 255).map((one) => `--ctproto ${one}`))),
  maybe(not(some(["EXPECTED", "SEEN_REPLY", "ASSURED", "CONFIRMED"]).map((one) => `--ctstatus ${one}`))),
  maybe(not(fc.tuple(int(0, 99), int(100, 9999)).map(([a, b]) => `--ctexpire ${a}:${b}`))),
  maybe(pick("--ctdir ORIGINAL", "--ctdir reply"))
)
const types6 = ["LOCAL", "ANYCAST", "MULTICAST", "UNICAST", "UNSPEC", "UNREACHABLE"]
const recent = fc.oneof(
  not(pick("--set", "--remove")),
  join(not(pick("--rcheck", "--update")), maybe(int(1, 9999).map((s) => `--seconds ${s}`)),
    maybe(int(1, 20).map((n) => `--hitcount ${n}`)), maybe(fc.constant("--rttl"))),
  int(1, 99).map((s) => `--update --seconds ${s} --reap`)
)
const rate = fc.tuple(int(1, 500), pick("second", "min", "h", "s")).map((both) => both.join("/"))
const mac = fc.array(int(0, 255), { minLength: 6, maxLength: 6 })
  .map((all) => all.map((one) => one.toString(16).padStart(2, "0")).join(":"))

/** Matches that any chain may have. */
const anywhere = (family: Family): ReadonlyArray<Arbitrary<string>> => [
  text.map((one) => `-m comment --comment ${one}`),
    not(masked.map((one) => `--mark ${one}`)).map((one) => `-m mark ${one}`),
  not(masked.map((one) => `--mark ${one}`)).map((one) => `-m connmark ${one}`), ct(family),
  not(some(STATES).map((one) => `--ctstate ${one}`)).map((one) => `-m conntrack ${one}`),
  not(some(STATES.slice(0, 5)).map((one) => `--state ${one}`)).map((one) => `-m state ${one}`),
  join(fc.constant("-m addrtype"),
    not(some(family === 4 ? [...types6, "BROADCAST", "THROW"] : types6).map((one) => `--dst-type ${one}`)),
    maybe(not(some(types6).map((one) => `--src-type ${one}`)))),
  not(int(0, 10_000).map((p) => `--probability ${(p / 10_000).toFixed(4)}`)).map((one) =>
    `-m statistic --mode random ${one}`),
  fc.tuple(int(1, 9), int(0, 8),
    pick("", "! ")).map(([n, p, bang]) => `-m statistic --mode nth ${bang}--every ${n} --packet ${p % n}`),
  join(fc.constant("-m recent"), maybe(name.map((one) => `--name ${one}`)), recent,
    maybe(pick("--rdest", "--rsource"))),
  join(rate.map((one) => `-m limit --limit ${one}`), maybe(int(1, 100).map((n) => `--limit-burst ${n}`))),
  join(pick("-m hashlimit --hashlimit-name foo", "-m hashlimit --hashlimit-name bar"),
    fc.tuple(pick("upto", "above"), rate).map(([how, one]) => `--hashlimit-${how} ${one}`),
    maybe(some(["srcip", "srcport", "dstip", "dstport"]).map((one) => `--hashlimit-mode ${one}`)),
    maybe(int(1, 32).map((n) => `--hashlimit-srcmask ${n}`)),
      maybe(int(1, 99).map((n) => `--hashlimit-burst ${n}`)),
    maybe(int(1, 9999).map((n) => `--hashlimit-htable-expire ${n}`))),
  not(range.map((one) => `--length ${one}`)).map((one) => `-m length ${one}`),
  family === 4
    ? fc.oneof(not(int(0, 255).map((n) => `--ttl-eq ${n}`)),
      int(0, 255).map((n) => `--ttl-lt ${n}`)).map((one) => `-m ttl ${one}`)
    : fc.oneof(not(int(0, 255).map((n) => `--hl-eq ${n}`)),
      int(0, 255).map((n) => `--hl-gt ${n}`)).map((one) => `-m hl ${one}`),
  not(device.map((one) => `--physdev-in ${one}`)).map((one) => `-m physdev ${one}`),
  pick("-m physdev --physdev-is-bridged", "-m physdev ! --physdev-is-in")
]

/** `-p` and what comes with it. */
const protocol = (family: Family): Arbitrary<string> => fc.oneof(
  fc.constant(""), int(1, 255).filter((n) => ![43, 44, 51, 60].includes(n)).map((n) => `-p ${n}`),
    fc.constant("! -p udp"),
  join(pick("-p tcp", "-p udp", "-p 17", "-p sctp"), maybe(not(range.map((one) => `--sport ${one}`))),
    maybe(not(range.map((one) => `--dport ${one}`)))),
  join(fc.constant("-p tcp"),
    maybe(not(fc.tuple(flags(FLAGS), flags(FLAGS)).map(([a, b]) => `--tcp-flags ${a} ${b}`))),
    maybe(not(int(1, 255).map((n) => `--tcp-option ${n}`)))),
  join(fc.constant("-p tcp"), not(fc.constant("--syn"))),
  join(pick("-p tcp -m multiport", "-p udp -m multiport"), not(fc.tuple(
    pick("--dports", "--sports", "--ports"), fc.array(fc.oneof(port, range.filter((one) => {
      const [a, b] = one.split(":")
      return b !== undefined && a !== "" && b !== "" && Number(a) < Number(b)
    })), { minLength: 1, maxLength: 7 })
  ).map(([option, list]) => `${option} ${list.join(",")}`))),
  family === 4
    ? join(fc.constant("-p icmp"),
      not(fc.oneof(pick("any", "echo-request", "port-unreachable", "redirect", "host-redirect"),
      int(0, 254).map(String),
        fc.tuple(int(0, 254), int(0, 255)).map((both) => both.join("/"))).map((one) => `--icmp-type ${one}`)))
    : join(fc.constant("-p icmpv6"), not(fc.oneof(pick("echo-request", "no-route", "packet-too-big"),
      int(0, 255).map(String),
        fc.tuple(int(0, 255), int(0, 255)).map((both) => both.join("/"))).map((one) =>
          `--icmpv6-type ${one}`)))
)

const mark = fc.oneof(
  fc.tuple(pick("set-xmark", "set-mark"), masked).map(([how, one]) => `--${how} ${one}`),
  fc.tuple(pick("and-mark", "or-mark", "xor-mark"), word).map(([how, one]) => `--${how} ${one}`)
)
const log = join(fc.constant("-j LOG"),
  maybe(text.filter((one) => one !== "\"\"" && !/[^\0-\x7f]/.test(one)).map((one) => `--log-prefix ${one}`)),
  maybe(int(0, 7).map((n) => `--log-level ${n}`)),
    maybe(pick("--log-uid", "--log-tcp-options --log-ip-options")))
const targetsAnywhere: ReadonlyArray<Arbitrary<string>> = [
  fc.constant(""), pick("-j ACCEPT", "-j RETURN"), mark.map((one) => `-j MARK ${one}`),
    mark.map((one) => `-j CONNMARK ${one}`),
  fc.tuple(pick("save", "restore"), fc.option(fc.tuple(word, word)))
    .map(([how, masks]) =>
      `-j CONNMARK --${how}-mark${masks === null ? "" : ` --nfmask ${masks[0]} --ctmask ${masks[1]}`}`),
  log
]
const natFlags = (...names: ReadonlyArray<string>) =>
  fc.subarray([...names]).map((all) => all.map((one) => `--${one}`).join(" "))
const ports = fc.tuple(int(0, 65535), int(0, 65535)).map(([a, b]) => a === b ? `${a}`
  : `${Math.min(a, b)}-${Math.max(a, b)}`)
const ipRange = (family: Family) =>
  fc.oneof(addressOf(family), fc.tuple(addressOf(family), addressOf(family)).map((both) => both.join("-")))
const natTo = (family: Family) => fc.oneof(
  fc.tuple(ipRange(family),
    ports).map(([ip, p]) => `-p tcp ${family === 4 ? `@ ${ip}:${p}` : `@ [${ip}]:${p}`}`),
  ipRange(family).map((ip) => `@ ${ip}`), ports.map((p) => `-p udp @ :${p}`)
)
const natTarget = (family: Family, target: string, option: string, ...names: ReadonlyArray<string>) =>
  fc.tuple(natTo(family),
    natFlags(...names)).map(([to, more]) => to.replace("@", `-j ${target} --${option}`) +
      (more === "" ? "" : ` ${more}`))

/** Whole rules, with their protocol, that only one chain of a table may have. */
const special = (family: Family, table: string, chain: string): ReadonlyArray<Arbitrary<string>> => {
  const out: Array<Arbitrary<string>> = []
  if (table === "filter") {
    out.push(family === 4
      ? pick("icmp-net-unreachable", "host-unreach",
        "icmp-admin-prohibited").map((one) => `-j REJECT --reject-with ${one}`)
      : pick("icmp6-no-route", "addr-unreach").map((one) => `-j REJECT --reject-with ${one}`))
    out.push(pick("-j REJECT", "-p tcp -j REJECT --reject-with tcp-reset", "-j DROP"))
  }
  if (table === "nat" && (chain === "PREROUTING" || chain === "OUTPUT")) {
    out.push(natTarget(family, "DNAT", "to-destination", "random", "persistent"))
    out.push(fc.tuple(ports,
      natFlags("random")).map(([p, more]) => `-p udp -j REDIRECT --to-ports ${p} ${more}`.trim()),
        pick("-j REDIRECT"))
  }
  if (table === "nat" && (chain === "POSTROUTING" || chain === "INPUT")) {
    out.push(natTarget(family, "SNAT", "to-source", "random", "random-fully", "persistent"))
  }
  if (table === "nat" && chain === "POSTROUTING") {
    out.push(natFlags("random", "random-fully").map((more) => `-j MASQUERADE ${more}`.trim()))
    out.push(ports.map((p) => `-p tcp -j MASQUERADE --to-ports ${p}`))
  }
  if (table === "nat") out.push(networkOf(family).map((one) => `-j NETMAP --to ${one}`))
  if (table === "mangle") {
    const option = family === 4 ? "TTL --ttl" : "HL --hl"
    out.push(fc.tuple(pick("set", "dec", "inc"), int(1, 255)).map(([how, n]) => `-j ${option}-${how} ${n}`))
    out.push(int(0, 9000).map((mss) => `-p tcp --tcp-flags SYN,RST SYN -j TCPMSS --set-mss ${mss}`))
    if (chain === "FORWARD") out.push(pick("-p tcp --syn -j TCPMSS --clamp-mss-to-pmtu"))
    if (chain === "POSTROUTING") out.push(fc.tuple(int(0, 0xffff),
      int(0, 0xffff)).map(([a, b]) => `-j CLASSIFY --set-class ${a.toString(16)}:${b.toString(16)}`))
    if (chain === "PREROUTING") out.push(pick("-m rpfilter --loose -j MARK --set-mark 1",
      "-m rpfilter --invert --validmark"))
  }
  if (table === "raw") {
    out.push(pick("-j CT --notrack", "-j NOTRACK", "-j CT --zone 5", "-j CT --zone-orig mark", "-j CT"))
  }
  if (chain === "PREROUTING" || chain === "INPUT" || chain === "FORWARD") {
    out.push(not(mac.map((one) => `--mac-source ${one}`)).map((one) => `-m mac ${one}`))
  }
  return out
}

const CHAINS: Readonly<Record<string, ReadonlyArray<string>>> = {
  raw: ["PREROUTING", "OUTPUT"], mangle: ["PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING"],
  nat: ["PREROUTING", "INPUT", "OUTPUT", "POSTROUTING"], filter: ["INPUT", "FORWARD", "OUTPUT"]
}
const USERS = ["U0", "KUBE-SERVICES", "Zz.9", "a-b"]

function rule(family: Family, table: string, chain: string): Arbitrary<string> {
  const user = USERS.indexOf(chain)
  const dev = chain === "POSTROUTING" || chain === "OUTPUT" ? "o" : "i"
  const selector = join(
    maybe(not(networkOf(family).map((one) => `-s ${one}`))),
      maybe(not(networkOf(family).map((one) => `-d ${one}`))),
    maybe(not(device.map((one) => `-${dev} ${one}`))), family === 4 ? maybe(not(fc.constant("-f")))
      : fc.constant("")
  )
  const jumps = USERS.slice(user + 1).flatMap((name) => [`-j ${name}`, `-g ${name}`])
  const targets = jumps.length === 0 ? targetsAnywhere : [...targetsAnywhere, pick(...jumps), pick(...jumps)]
  const matches = fc.array(fc.oneof(...anywhere(family)), { maxLength: 3 }).map((all) => all.join(" "))
  const plain = join(selector, protocol(family), matches, fc.oneof(...targets))
  const only = user >= 0 ? [] : special(family, table, chain)
  const body = only.length === 0 ? plain : fc.oneof(plain, join(selector, matches, fc.oneof(...only)))
  return body.map((one) => `-A ${chain} ${one}`.trimEnd())
}

/** A table with user chains that only call later ones, as text to restore with -c. */
export function table(family: Family): Arbitrary<string> {
  return pick(...Object.keys(CHAINS)).chain((name) => {
    const chains = [...CHAINS[name]!, ...USERS]
    const counter = fc.tuple(int(0, 0xffffffff), int(0, 0xffffffff)).map((both) => `[${both.join(":")}]`)
    const lines = fc.array(fc.tuple(counter,
      fc.oneof(...chains.map((chain) => rule(family, name, chain)))), { maxLength: 12 })
    const policies = fc.tuple(...CHAINS[name]!.map((chain) =>
      fc.tuple(pick("ACCEPT", "DROP"), counter).map(([policy, count]) => `:${chain} ${policy} ${count}`)
    ))
    return fc.tuple(policies, lines).map(([heads, rules]) => [
      `*${name}`, ...heads, ...USERS.map((user) => `:${user} - [0:0]`),
      ...rules.map((both) => both.join(" ")), "COMMIT", ""
    ].join("\n"))
  })
}
