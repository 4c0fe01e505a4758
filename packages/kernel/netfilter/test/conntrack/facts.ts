/**
 * What connection tracking is known to do, as time lines: packets with the class that each must have, and
 * what is listed after them (protocol, seconds left, state, flags). Played to us, and to a kernel where
 * there is one.
 */
import { F, icmp, ip, isSix, tcp, type TcpFields, udp, type Wrong } from "./packets.ts"

export type Ends = { readonly src: string, readonly dst: string, readonly id?: number, readonly tos?: number }
export type Step =
  | { readonly kind: "send", readonly from: 0 | 1, readonly build: (ends: Ends) => Uint8Array, readonly state: string }
  | { readonly kind: "listed", readonly text: string }
  | { readonly kind: "wait", readonly seconds: number }

export interface Fact {
  readonly name: string
  readonly six?: boolean
  readonly steps: ReadonlyArray<Step>
}

const X = 1000
const Y = 500_000

type Segment = readonly [flags: number, seq: number, ack: number, o?: Partial<TcpFields>, wrong?: Wrong]

const segment = (from: 0 | 1, [flags, seq, ack, o, wrong]: Segment, state: string): Step => ({
  kind: "send", from, state, build: (ends) =>
    tcp(ends, { sport: from === 0 ? 5000 : 80, dport: from === 0 ? 80 : 5000, flags, seq, ack, ...o }, wrong)
})
const listed = (text: string): Step => ({ kind: "listed", text })
const wait = (seconds: number): Step => ({ kind: "wait", seconds })
const datagram = (from: 0 | 1, state: string, wrong?: Wrong): Step => ({
  kind: "send", from, state, build: (ends) => udp(ends, from === 0 ? 5000 : 53, from === 0 ? 53 : 5000, 4, wrong)
})
const echo = (from: 0 | 1, type: 8 | 0, state: string, wrong?: Wrong): Step => ({
  kind: "send", from, state, build: (ends) =>
    icmp(ends, isSix(ends.src) ? (type === 8 ? 128 : 129) : type, 0, 7 << 16, new Uint8Array(8), wrong)
})

const SYN = segment(0, [F.SYN, X, 0], "NEW")
const SYNACK = segment(1, [F.SYN | F.ACK, Y, X + 1], "ESTABLISHED reply")
const HANDSHAKE: ReadonlyArray<Step> = [SYN, SYNACK, segment(0, [F.ACK, X + 1, Y + 1], "ESTABLISHED")]

/** An error of a router about the flow's first packet. */
const error = (quote: (ends: Ends) => Uint8Array, state: string, src?: string): Step => ({
  kind: "send", from: 1, state, build: (ends) => {
    const quoted = quote({ src: ends.dst, dst: ends.src })
    const six = isSix(ends.src)
    return icmp({ ...ends, src: src ?? ends.src }, six ? 1 : 3, six ? 4 : 3, 0, quoted)
  }
})

const bothFamilies = (fact: Fact): ReadonlyArray<Fact> => [fact, { ...fact, name: `${fact.name} (IPv6)`, six: true }]

export const FACTS: ReadonlyArray<Fact> = [
  {
    name: "35: the life of a connection",
    steps: [
      SYN, listed("tcp 120 SYN_SENT [UNREPLIED]"), SYNACK, listed("tcp 60 SYN_RECV"),
      segment(0, [F.ACK, X + 1, Y + 1], "ESTABLISHED"), listed("tcp 432000 ESTABLISHED [ASSURED]"),
      segment(0, [F.FIN | F.ACK, X + 1, Y + 1], "ESTABLISHED"), listed("tcp 120 FIN_WAIT [ASSURED]"),
      segment(1, [F.ACK, Y + 1, X + 2], "ESTABLISHED reply"), listed("tcp 60 CLOSE_WAIT [ASSURED]"),
      segment(1, [F.FIN | F.ACK, Y + 1, X + 2], "ESTABLISHED reply"), listed("tcp 30 LAST_ACK [ASSURED]"),
      segment(0, [F.ACK, X + 2, Y + 2], "ESTABLISHED"), listed("tcp 120 TIME_WAIT [ASSURED]")
    ]
  },
  {
    name: "35: reset after the handshake",
    steps: [...HANDSHAKE, segment(1, [F.RST, Y + 1, 0], "ESTABLISHED reply"), listed("tcp 10 CLOSE [ASSURED]")]
  },
  {
    name: "35: a lone ACK", steps: [
      segment(0, [F.ACK, X, Y], "NEW"), listed("tcp 300 ESTABLISHED [UNREPLIED]"),
      segment(1, [F.ACK, Y, X], "ESTABLISHED reply"), segment(0, [F.ACK, X, Y], "ESTABLISHED"),
      listed("tcp 432000 ESTABLISHED [ASSURED]")
    ]
  },
  {
    name: "35: SYNs that cross",
    steps: [SYN, segment(1, [F.SYN, Y, 0], "ESTABLISHED reply"), listed("tcp 120 SYN_SENT2")]
  },
  {
    name: "36: a SYN that is refused",
    steps: [SYN, segment(1, [F.RST | F.ACK, 0, X + 1], "ESTABLISHED reply"), listed("")]
  },
  {
    name: "36: a filtered packet opens nothing", steps: [
      { kind: "send", from: 0, state: "filtered", build: (ends) =>
        tcp({ ...ends, tos: 0x10 }, { sport: 5000, dport: 80, flags: F.SYN, seq: X }) },
      listed(""), SYN, listed("tcp 120 SYN_SENT [UNREPLIED]")
    ]
  },
  ...bothFamilies({
    name: "37: UDP", steps: [
      datagram(0, "NEW"), listed("udp 30 [UNREPLIED]"), datagram(1, "ESTABLISHED reply"), listed("udp 30"),
      datagram(0, "ESTABLISHED"), datagram(1, "ESTABLISHED reply"), listed("udp 30"), wait(2.1),
      listed("udp 27"), datagram(0, "ESTABLISHED"), listed("udp 120 [ASSURED]")
    ]
  }),
  { name: "37: echo", steps: [
    echo(0, 8, "NEW"), listed("icmp 30 [UNREPLIED]"), echo(1, 0, "ESTABLISHED reply"), listed("icmp 30"),
    echo(1, 0, "ESTABLISHED reply")
  ] },
  { name: "37: another protocol", steps: [
    { kind: "send", from: 0, state: "NEW", build: (ends) => ip({ ...ends, protocol: 253 }, new Uint8Array(9)) },
    listed("unknown 600 [UNREPLIED]")
  ] },
  ...bothFamilies({
    name: "38: classes of TCP", steps: [
      SYN, SYN, SYNACK, segment(0, [F.ACK, X + 1, Y + 1], "ESTABLISHED"),
      segment(0, [F.ACK, X + 200_000, Y + 1, { length: 100 }], "INVALID"),
      segment(0, [F.ACK, X + 1, Y + 1_000_000], "INVALID"),
      segment(1, [F.RST, Y + 501, 0], "ESTABLISHED reply"), listed("tcp 10 ESTABLISHED [ASSURED]")
    ]
  }),
  { name: "38: a SYN inside a live connection",
    steps: [...HANDSHAKE, segment(0, [F.SYN, X + 70_000, 0], "ESTABLISHED"), listed("tcp 432000 ESTABLISHED [ASSURED]")] },
  { name: "38: an unknown SYN-ACK", steps: [segment(0, [F.SYN | F.ACK, X, Y], "INVALID"), listed("")] },
  { name: "38: an unknown reset", steps: [segment(0, [F.RST, X, 0], "INVALID"), listed("")] },
  { name: "38: an unknown FIN", steps: [segment(0, [F.FIN | F.ACK, X, Y], "INVALID"), listed("")] },
  { name: "38: no flags", steps: [segment(0, [0, X, 0], "INVALID"), listed("")] },
  { name: "38: SYN and FIN", steps: [segment(0, [F.SYN | F.FIN, X, 0], "INVALID"), listed("")] },
  ...bothFamilies({ name: "38: bad sums", steps: [
    segment(0, [F.SYN, X, 0, {}, { checksum: 1 }], "INVALID"), datagram(0, "INVALID", { checksum: 1 }),
    echo(0, 8, "INVALID", { checksum: 1 }), datagram(0, "INVALID", { length: 4 }), listed("")
  ] }),
  ...bothFamilies({ name: "38: an echo reply that nobody asked for", steps: [echo(1, 0, "INVALID"), listed("")] }),
  ...bothFamilies({ name: "38: errors about a flow", steps: [
    datagram(0, "NEW"), error((ends) => udp(ends, 5000, 53, 4), "RELATED reply"), listed(`udp 30 [UNREPLIED]`)
  ] }),
  { name: "38: an error of a router in between", steps: [
    datagram(0, "NEW"), error((ends) => udp(ends, 5000, 53, 4), "RELATED reply", "10.2.0.99")
  ] },
  ...bothFamilies({ name: "38: an error about nothing known", steps: [
    error((ends) => udp(ends, 5000, 53, 4), "INVALID"), listed("")
  ] })
]

/** What of TCP the facts do not name, and only a time line shows. */
const LAST_ACK: ReadonlyArray<Step> = [
  ...HANDSHAKE, segment(0, [F.FIN | F.ACK, X + 1, Y + 1], "ESTABLISHED"),
  segment(1, [F.FIN | F.ACK, Y + 1, X + 2], "ESTABLISHED reply")
]

export const CORNERS: ReadonlyArray<Fact> = [
  { name: "a challenge ACK to a SYN in LAST_ACK is not the last ACK", steps: [
    ...LAST_ACK, segment(0, [F.SYN, X + 90_000, 0], "ESTABLISHED"), segment(1, [F.ACK, Y + 2, X + 2], "ESTABLISHED reply"),
    listed("tcp 30 LAST_ACK [ASSURED]"), segment(1, [F.ACK, Y + 2, X + 2], "ESTABLISHED reply"),
    listed("tcp 120 TIME_WAIT [ASSURED]")
  ] },
  { name: "a challenge ACK to a SYN, and the reset that answers it", steps: [
    SYN, segment(1, [F.ACK, Y, 4242], "ESTABLISHED reply"), listed("tcp 120 SYN_SENT"),
    segment(0, [F.RST, 4242, 0], "ESTABLISHED"), listed("tcp 10 CLOSE")
  ] },
  { name: "a SYN in TIME_WAIT begins anew", steps: [
    ...LAST_ACK, segment(0, [F.ACK, X + 2, Y + 2], "ESTABLISHED"), listed("tcp 120 TIME_WAIT [ASSURED]"),
    segment(0, [F.SYN, X + 90_000, 0], "NEW"), listed("tcp 120 SYN_SENT [UNREPLIED]")
  ] },
  { name: "a SYN after a reset begins anew when the same side sent both", steps: [
    ...HANDSHAKE, segment(0, [F.RST | F.ACK, X + 1, Y + 1], "ESTABLISHED"), listed("tcp 10 CLOSE [ASSURED]"),
    segment(0, [F.SYN, X + 90_000, 0], "NEW"), listed("tcp 120 SYN_SENT [UNREPLIED]")
  ] },
  { name: "a new connection over a live one, believed by its SYN-ACK", steps: [
    ...HANDSHAKE, segment(0, [F.SYN, X + 90_000, 0], "ESTABLISHED"),
    segment(1, [F.SYN | F.ACK, Y + 80_000, X + 90_001], "ESTABLISHED reply"), listed("tcp 60 SYN_RECV [ASSURED]"),
    segment(0, [F.ACK, X + 90_001, Y + 80_001], "ESTABLISHED"), listed("tcp 432000 ESTABLISHED [ASSURED]")
  ] },
  { name: "a reset answers a SYN over a live connection", steps: [
    ...HANDSHAKE, segment(0, [F.SYN, X + 90_000, 0], "ESTABLISHED"),
    segment(1, [F.RST | F.ACK, 0, X + 90_001], "ESTABLISHED reply"), listed("tcp 10 CLOSE [ASSURED]")
  ] },
  { name: "SYNs that cross, to the end", steps: [
    SYN, segment(1, [F.SYN, Y, 0], "ESTABLISHED reply"), segment(0, [F.SYN | F.ACK, X, Y + 1], "ESTABLISHED"),
    listed("tcp 60 SYN_RECV"), segment(1, [F.ACK, Y + 1, X + 1], "ESTABLISHED reply"),
    listed("tcp 432000 ESTABLISHED [ASSURED]")
  ] },
  { name: "the same ACK over and over", steps: [
    ...HANDSHAKE, ...[1, 2, 3].map(() => segment(0, [F.ACK, X + 1, Y + 1], "ESTABLISHED")),
    listed("tcp 300 ESTABLISHED [ASSURED]"), segment(1, [F.ACK, Y + 1, X + 1], "ESTABLISHED reply"),
    listed("tcp 432000 ESTABLISHED [ASSURED]")
  ] },
  { name: "data that waits for its ACK, and a window that closes", steps: [
    ...HANDSHAKE, segment(0, [F.ACK, X + 1, Y + 1, { length: 100 }], "ESTABLISHED"), listed("tcp 300 ESTABLISHED [ASSURED]"),
    segment(1, [F.ACK, Y + 1, X + 101], "ESTABLISHED reply"), listed("tcp 432000 ESTABLISHED [ASSURED]"),
    segment(1, [F.ACK, Y + 1, X + 101, { window: 0 }], "ESTABLISHED reply"), listed("tcp 300 ESTABLISHED [ASSURED]")
  ] },
  { name: "FINs of both sides out of every window shorten its life", steps: [
    ...HANDSHAKE, segment(0, [F.FIN | F.ACK, X + 900_000, Y + 1], "INVALID"), listed("tcp 432000 ESTABLISHED [ASSURED]"),
    segment(1, [F.FIN | F.ACK, Y + 900_000, X + 1], "INVALID"), listed("tcp 300 ESTABLISHED [ASSURED]")
  ] }
]

/** A listing in the short form of a fact: only what concerns this host. */
export function shortened(listing: string, host: string): string {
  return listing.split("\n").filter((line) => line.includes(`src=${host} `)).map((line) => {
    const [, protocol, seconds, state] = /^(\S+) +\d+ (\d+) ([A-Z_0-9]+ )?/.exec(line)!
    const flags = [...line.matchAll(/\[[A-Z]+\]/g)].map(([flag]) => ` ${flag}`).join("")
    return `${protocol!.replace("icmpv6", "icmp")} ${seconds} ${state ?? ""}`.trimEnd() + flags
  }).join("\n")
}

export const hostsOf = (fact: Fact, index: number): readonly [string, string] =>
  fact.six === true ? [`fd01::${index + 1}`, `fd02::${index + 1}`] : [`10.1.0.${index + 1}`, `10.2.0.${index + 1}`]
