/**
 * tcpdump's filter language (pcap-filter(7)), its common part, compiled to one function; nothing is allocated
 * for a frame. `and` and `or` have equal precedence and go from left to right; an address without qualifiers
 * takes those before it. Any text gives a filter or a sentence with the position; none throws.
 *
 * Not supported, and refused: names of hosts and networks, `gateway`, `ip broadcast` (an interface's netmask
 * is not known here), `protochain`, MPLS, PPPoE, Geneve, VXLAN, LLC and 802.3 protocols, 802.11, ATM, SS7,
 * `inbound`, `outbound`, pf, DECnet.
 */
import * as cidr from "../cidr.ts"
import * as ethertype from "../ethertype.ts"
import * as ip from "../ip.ts"
import * as ipproto from "../ipproto.ts"
import { lengthIs, multicast4, multicast6, NAMED } from "./arithmetic.ts"
import { FilterError, lex, numberOf, type Token } from "./lex.ts"
import * as ask from "./primitive.ts"
import { NETWORK_TYPES as TYPES, type Side } from "./primitive.ts"
import { readRelation } from "./relation.ts"
import { and, not, or, type Test, YES } from "./test.ts"

export type FrameFilter = (bytes: Uint8Array, at: number, end: number) => boolean

const LENGTH_MAX = 8192
const DEPTH_MAX = 200

export function compileFilter(text: string): FrameFilter | string {
  if (text.trim() === "") return () => true
  if (text.length > LENGTH_MAX) return `at ${LENGTH_MAX + 1}: a filter longer than ${LENGTH_MAX} characters`
  const tokens = lex(text)
  const test = tokens instanceof FilterError ? tokens : new Parser(tokens).all()
  if (test instanceof FilterError) return `at ${test.at + 1}: ${test.what}`
  return (bytes, at, end) => test(bytes, at, end) === YES
}

/** A word that begins a filter: one of its words, or no word at all, such as a number or a sign. */
export function startsFilter(text: string): boolean {
  const tokens = lex(text)
  if (tokens instanceof FilterError) return true
  const [{ kind, text: word }] = tokens as [Token]
  return kind !== "word" || WORDS.includes(word) ||
    [PROTOCOLS, TYPES, NAMED].some((table) => Object.hasOwn(table, word))
}

type Kind = "host" | "net" | "port" | "portrange" | "proto"

interface Qualifiers {
  readonly protocol: string
  readonly side: Side
  readonly kind: Kind
}

const PROTOCOLS: Readonly<Record<string, number>> = {
  icmp: ipproto.ICMP, igmp: ipproto.IGMP, tcp: ipproto.TCP, udp: ipproto.UDP, sctp: ipproto.SCTP,
  icmp6: ipproto.ICMPV6, "ipv6-icmp": ipproto.ICMPV6, ah: ipproto.AH, esp: ipproto.ESP, pim: 103, vrrp: 112
}
/** Port and, where the name belongs to one protocol only, that. */
const SERVICES: Readonly<Record<string, readonly [number, number | null]>> = {
  ftp: [21, ipproto.TCP], ssh: [22, ipproto.TCP], telnet: [23, ipproto.TCP], smtp: [25, ipproto.TCP],
  domain: [53, null], bootps: [67, ipproto.UDP], bootpc: [68, ipproto.UDP], http: [80, ipproto.TCP],
  ntp: [123, ipproto.UDP], https: [443, null]
}
const LINKS = ["ether", "link"]
const PORTED = ["tcp", "udp", "sctp"]
const WORDS = [
  ...LINKS, "src", "dst", "not", "vlan", "len", "less", "greater", "broadcast", "multicast", "gateway",
  "mpls", "host", "net", "port", "portrange", "proto"
]
const KINDS = ["host", "net", "port", "portrange", "proto"]

class Parser {
  readonly #tokens: ReadonlyArray<Token>
  #next = 0
  #depth = 0
  #l3 = 14
  /** What an address without qualifiers takes; null behind what has none. */
  #last: Qualifiers | null = null

  constructor(tokens: ReadonlyArray<Token>) {
    this.#tokens = tokens
  }

  all(): Test | FilterError {
    const test = this.#expression()
    if (test instanceof FilterError || this.#peek().kind === "end") return test
    return this.#wrong("and, or, or the end")
  }

  #expression(): Test | FilterError {
    let left = this.#term(false)
    while (!(left instanceof FilterError)) {
      const word = this.#peek().text
      const joins = word === "and" || word === "&&" ? and : word === "or" || word === "||" ? or : null
      if (joins === null) return left
      this.#next++
      const right = this.#term(true)
      left = right instanceof FilterError ? right : joins(left, right)
    }
    return left
  }

  #term(inherits: boolean): Test | FilterError {
    if (++this.#depth > DEPTH_MAX) return new FilterError(this.#peek().at, `more than ${DEPTH_MAX} levels`)
    const test = this.#nested(inherits)
    this.#depth--
    return test
  }

  #nested(inherits: boolean): Test | FilterError {
    const relation = readRelation(this.#tokens, this.#next, this.#l3)
    if (relation instanceof FilterError) return relation
    if (relation !== null) {
      this.#next = relation.next
      this.#last = null
      return relation.test
    }
    const { text, kind } = this.#peek()
    if (text === "not" || text === "!") {
      this.#next++
      const test = this.#term(inherits)
      return test instanceof FilterError ? test : not(test)
    }
    if (text === "(") {
      this.#next++
      const before = this.#last
      // Inside, addresses may stand alone when qualifiers came before the parenthesis.
      const test = inherits && this.#isAddress() ? this.#chain() : this.#expression()
      if (test instanceof FilterError) return test
      if (this.#peek().text !== ")") return this.#wrong(")")
      this.#next++
      this.#last = before
      return test
    }
    if (inherits && this.#isAddress()) return this.#address()
    if (kind !== "word") return this.#wrong("a primitive such as host, port, tcp")
    return this.#primitive()
  }

  #chain(): Test | FilterError {
    let left = this.#term(true)
    while (!(left instanceof FilterError) && /^(and|or|&&|\|\|)$/.test(this.#peek().text)) {
      const joins = /^(and|&&)$/.test(this.#peek().text) ? and : or
      this.#next++
      const right = this.#term(true)
      left = right instanceof FilterError ? right : joins(left, right)
    }
    return left
  }

  #isAddress(): boolean {
    const { kind, text } = this.#peek()
    return kind === "number" || kind === "ip4" || kind === "ip6" || kind === "mac" || kind === "escaped" ||
      (kind === "word" && (Object.hasOwn(SERVICES, text) || /^\d+-\d+$/.test(text)))
  }

  #primitive(): Test | FilterError {
    const first = this.#peek()
    let protocol = ""
    if ([PROTOCOLS, TYPES].some((table) => Object.hasOwn(table, first.text)) || LINKS.includes(first.text)) {
      protocol = first.text === "link" ? "ether" : first.text
      this.#next++
    }
    if (this.#peek().text === "vlan" && protocol === "") return this.#vlan()
    if (this.#peek().text === "broadcast" || this.#peek().text === "multicast") return this.#cast(protocol)
    if ((first.text === "less" || first.text === "greater") && protocol === "") return this.#length()
    const side = this.#side()
    const { text, kind } = this.#peek()
    let what: Kind = "host"
    if (KINDS.includes(text) && kind === "word") {
      what = text as Kind
      this.#next++
    } else if (side === null) {
      if (protocol === "" || protocol === "ether" || text === "[") return this.#refuse()
      if (text === "protochain" || text === "gateway") return this.#refuse()
      this.#last = null
      return this.#abbreviation(protocol)
    }
    this.#last = { protocol, side: side ?? "either", kind: what }
    if (this.#peek().text === "(") {
      this.#next++
      const test = this.#chain()
      if (test instanceof FilterError) return test
      if (this.#peek().text !== ")") return this.#wrong(")")
      this.#next++
      return test
    }
    return this.#address()
  }

  #side(): Side | null {
    const { text } = this.#peek()
    if (text !== "src" && text !== "dst") return null
    this.#next++
    const joint = this.#peek().text
    const other = this.#tokens[this.#next + 1]?.text
    if (other !== (text === "src" ? "dst" : "src") || !/^(and|or|&&|\|\|)$/.test(joint)) return text
    this.#next += 2
    return /^(and|&&)$/.test(joint) ? "both" : "either"
  }

  /** Addresses of a group, or of all. */
  #cast(protocol: string): Test | FilterError {
    const { text, at } = this.#peek()
    this.#next++
    this.#last = null
    const link = protocol === "" || protocol === "ether"
    if (text === "broadcast") {
      if (link) return ask.mac("dst", 0xffff, -1)
      const known = protocol === "ip" ? "the netmask is not known here; say dst host" : null
      return new FilterError(at, `broadcast: ${known ?? `not behind ${protocol}`}`)
    }
    if (link) return ask.group()
    if (protocol === "ip") return multicast4(this.#l3)
    if (protocol === "ip6") return multicast6(this.#l3)
    return new FilterError(at, `multicast: not behind ${protocol}`)
  }

  #length(): Test | FilterError {
    const sign = this.#peek().text === "less" ? "<=" : ">="
    this.#next++
    const { kind, text } = this.#peek()
    const named = kind === "word" && Object.hasOwn(NAMED, text) ? NAMED[text]! : null
    const bound = kind === "number" ? numberOf(text) : named
    if (bound === null) return this.#wrong("a length of 32 bits")
    this.#next++
    this.#last = null
    return lengthIs(sign, bound)
  }

  #vlan(): Test | FilterError {
    this.#next++
    this.#last = null
    const { kind, text, at } = this.#peek()
    let id: number | null = null
    if (kind === "number") {
      id = numberOf(text)
      if (id === null || id > 0xfff) return new FilterError(at, `VLAN ${text}: more than 4095`)
      this.#next++
    }
    const test = ask.vlan(this.#l3, id)
    this.#l3 += 4
    return test
  }

  #abbreviation(protocol: string): Test {
    const l3 = this.#l3
    if (protocol in TYPES) return ask.type(l3, TYPES[protocol]!)
    const id = PROTOCOLS[protocol]!
    if (protocol === "icmp" || protocol === "igmp" || protocol === "vrrp") return ask.proto4(l3, id)
    return protocol === "icmp6" ? ask.proto6(l3, id) : ask.proto(l3, id)
  }

  #address(): Test | FilterError {
    const token = this.#peek()
    if (token.text === "not" || token.text === "!") return this.#term(true)
    if (this.#last === null) {
      return new FilterError(token.at, `${token.text}: say what it is: host, net, port`)
    }
    if (token.kind === "sign" || token.kind === "end") return this.#wrong(`${this.#last.kind} to be named`)
    this.#next++
    const { kind } = this.#last
    if (kind === "port" || kind === "portrange") return this.#ports(token, this.#last)
    if (kind === "proto") return this.#proto(token, this.#last)
    return this.#host(token, this.#last)
  }

  #ports(token: Token, { protocol, side, kind }: Qualifiers): Test | FilterError {
    const bad = (what: string) => new FilterError(token.at, what)
    if (protocol !== "" && !PORTED.includes(protocol)) {
      return bad(`"${protocol}" has no ports; tcp, udp and sctp have`)
    }
    let text = token.text
    if (kind === "portrange" && token.kind === "number" && this.#peek().text === "-") {
      text += `-${this.#tokens[this.#next + 1]!.text}`
      this.#next += 2
    }
    const parts = kind === "portrange" ? text.split("-") : [text]
    if (parts.length > 2) return bad(`${text}: expected FIRST-LAST`)
    let only = protocol === "" ? null : PROTOCOLS[protocol]!
    const found: Array<number> = []
    for (const part of parts) {
      const service = Object.hasOwn(SERVICES, part) ? SERVICES[part]! : null
      const port = service?.[0] ?? numberOf(part)
      if (port === null) return bad(`port "${part}" is not known; say its number`)
      if (port > 0xffff) return bad(`port ${part}: more than 65535`)
      if (service !== null && service[1] !== null && kind === "port") {
        if (only !== null && only !== service[1]) return bad(`port "${part}" does not belong to ${protocol}`)
        only = service[1]
      }
      found.push(port)
    }
    const [low, high = low] = found as [number, number?]
    return ask.ports(this.#l3, side, Math.min(low, high), Math.max(low, high), only)
  }

  #proto(token: Token, { protocol }: Qualifiers): Test | FilterError {
    const name = token.kind === "escaped" ? token.text.slice(1) : token.text
    const table = protocol === "ether" ? TYPES : PROTOCOLS
    const id = Object.hasOwn(table, name) && token.kind === "escaped" ? table[name]! : numberOf(name)
    if (id === null) {
      const what = `protocol "${name}" is not known; names stand behind a backslash: \\tcp`
      return new FilterError(token.at, what)
    }
    if (protocol === "ether") {
      if (id <= ethertype.LENGTH_MAX || id > 0xffff) {
        return new FilterError(token.at, `EtherType ${name}: 802.3 protocols are not supported`)
      }
      return ask.type(this.#l3, id)
    }
    if (id > 0xff) return new FilterError(token.at, `protocol ${name}: more than 255`)
    if (protocol === "") return ask.proto(this.#l3, id)
    if (protocol === "ip") return ask.proto4(this.#l3, id)
    if (protocol === "ip6") return ask.proto6(this.#l3, id)
    return new FilterError(token.at, `"${protocol} proto" is not supported`)
  }

  #host(token: Token, { protocol, side, kind }: Qualifiers): Test | FilterError {
    const bad = (what: string) => new FilterError(token.at, what)
    if (protocol === "ether") {
      const digits = token.kind === "mac" ? macDigits(token.text) : null
      if (digits === null || kind !== "host") return bad(`${token.text}: expected an Ethernet address`)
      return ask.mac(side, parseInt(digits.slice(0, 4), 16), parseInt(digits.slice(4), 16) | 0)
    }
    if (token.kind === "mac") return bad("an Ethernet address; say ether host")
    if (protocol in PROTOCOLS) return bad(`"${protocol}" applies to ports, not to ${kind}`)
    if (token.kind === "ip6") return this.#host6(token, side, protocol, kind)
    if (token.kind !== "ip4" && token.kind !== "number") {
      return bad(`"${token.text}": names are not looked up, say an address`)
    }
    if (protocol === "ip6") return bad("an IPv4 address, behind ip6")
    const parsed = token.kind === "number" ? numbered(token.text, kind) : dotted(token.text)
    if (parsed === null) return bad(`${token.text}: not an IPv4 address`)
    let mask = parsed.mask
    if (token.kind === "ip4" && this.#peek().text === "/") {
      const bits = this.#prefix(32)
      if (bits instanceof FilterError) return bits
      mask = cidr.mask4(bits)
    } else if (token.kind === "ip4" && this.#peek().text === "mask") {
      const given = dotted(this.#tokens[this.#next + 1]!.text)
      this.#next += 2
      if (given === null) return bad("the mask is not an IPv4 address")
      mask = given.address
    }
    if ((parsed.address & ~mask) !== 0) return bad(`${token.text}: bits outside the network are set`)
    return ask.host4(this.#l3, side, parsed.address, mask, protocol === "" ? null : TYPES[protocol]!)
  }

  #host6(token: Token, side: Side, protocol: string, kind: Kind): Test | FilterError {
    const address = ip.parse(token.text)
    if (address === null) return new FilterError(token.at, `${token.text}: not an IPv6 address`)
    if (protocol !== "" && protocol !== "ip6") {
      return new FilterError(token.at, `an IPv6 address, behind ${protocol}`)
    }
    let bits: number | FilterError = 128
    if (this.#peek().text === "/") {
      if (kind === "host") return new FilterError(this.#peek().at, "a prefix length is for net, not for host")
      bits = this.#prefix(128)
      if (bits instanceof FilterError) return bits
    }
    const length = bits
    const mask = address.map((_, i) => cidr.mask4(length - 32 * i))
    if (cidr.hostBitsSet({ ip: address, bits })) {
      return new FilterError(token.at, `${token.text}: bits outside the network are set`)
    }
    return ask.host6(this.#l3, side, address, mask)
  }

  #prefix(most: number): number | FilterError {
    const { text, at } = this.#tokens[this.#next + 1]!
    const bits = numberOf(text)
    if (bits === null || bits > most) {
      return new FilterError(at, `prefix length ${text}: expected 0 to ${most}`)
    }
    this.#next += 2
    return bits
  }

  #peek(): Token {
    return this.#tokens[Math.min(this.#next, this.#tokens.length - 1)]!
  }

  #wrong(expected: string): FilterError {
    const { at, text } = this.#peek()
    return new FilterError(at, `found ${text}, expected ${expected}`)
  }

  #refuse(): FilterError {
    const { at, text } = this.#peek()
    return new FilterError(at, `"${text}" is not supported here`)
  }
}

interface Masked {
  readonly address: number
  readonly mask: number
}

/** `10.1` is 10.1.0.0 with 16 bits. */
function dotted(text: string): Masked | null {
  const parts = text.split(".")
  if (parts.length > 4 || parts.some((part) => !/^\d{1,3}$/.test(part) || Number(part) > 255)) return null
  const address = parts.reduce((word, part, i) => word | (Number(part) << (24 - 8 * i)), 0)
  return { address, mask: cidr.mask4(8 * parts.length) }
}

/** `net 10` is 10.0.0.0 with 8 bits, `host 10` is 0.0.0.10. */
function numbered(text: string, kind: Kind): Masked | null {
  const value = numberOf(text)
  if (value === null) return null
  let address = value | 0
  let mask = -1
  while (kind === "net" && address !== 0 && (address & 0xff000000) === 0) {
    address <<= 8
    mask <<= 8
  }
  return { address, mask }
}

function macDigits(text: string): string | null {
  const parts = text.split(/[:.-]/)
  const digits = parts.length === 6 ? parts.map((part) => part.padStart(2, "0")).join("") : parts.join("")
  return digits.length === 12 ? digits : null
}
