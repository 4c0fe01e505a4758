/**
 * What a namespace counts, as /proc/net/snmp, snmp6, netstat and nstat print it. The expected counters are what
 * Linux 6.18 had after the same traffic between two namespaces.
 */
import { Engine } from "@podwire/engine"
import { FramePool, Veth } from "@podwire/netdev"
import { Netns } from "@podwire/netns"
import * as cidr from "@podwire/wire/cidr"
import * as ip from "@podwire/wire/ip"
import { expect, it } from "vitest"
import { inspect } from "../../src/inspect/inspect.ts"

function pair() {
  const engine = new Engine(1)
  const pool = new FramePool(engine)
  const both = ["a", "b"].map((name) => new Netns(engine, pool, name)) as [Netns, Netns]
  const ends = Veth.pair(engine, pool, "e0", 0x020000000001, "e0", 0x020000000002)
  for (const [i, netns] of both.entries()) {
    netns.sysctl.set("net.ipv6.conf.default.accept_dad", "0")
    netns.sysctl.set("net.ipv6.conf.default.router_solicitations", "0")
    netns.attach(ends[i]!)
  }
  for (const [i, netns] of both.entries()) {
    netns.setUp(ends[i]!)
    netns.addAddress(ends[i]!, cidr.parse(`10.9.0.${i + 1}/24`)!)
    netns.addAddress(ends[i]!, cidr.parse(`fd09::${i + 1}/64`)!, { nodad: true })
  }
  engine.advance(20e9, 1e5)
  return { engine, a: both[0], b: both[1] }
}

const at = (text: string) => ip.parse(text)!

function text(netns: Netns, line: string): string {
  const { stdout, stderr } = inspect(netns, line.split(" "))
  return stdout + stderr
}

it("IPv4: pings, a datagram in fragments for nobody, one that does not fit", () => {
  const { engine, a, b } = pair()
  const ping = a.ping(4)
  for (let i = 1; i <= 2; i++) ping.sendTo(at("10.9.0.2"), i, new Uint8Array(56), { ttl: 0, df: null })
  const udp = a.udp(4)
  udp.sendTo(at("10.9.0.2"), 9, new Uint8Array(3000))
  udp.sendTo(at("10.9.0.2"), 9, new Uint8Array(3000), undefined, { ttl: 0, df: true })
  udp.sendTo(at("192.0.2.1"), 9, new Uint8Array(1))
  engine.advance(21e9, 1e5)
  ping.sendTo(at("10.9.0.77"), 3, new Uint8Array(56), { ttl: 0, df: null })
  engine.advance(21.1e9, 1e5)
  expect(text(a, "nstat").split("\n").filter((line) => !/^\w+6/.test(line)))
    .toMatchInlineSnapshot(`
      [
        "#kernel",
        "IpInReceives                    3                  0.0",
        "IpInDelivers                    3                  0.0",
        "IpOutRequests                   4                  0.0",
        "IpOutNoRoutes                   1                  0.0",
        "IpFragOKs                       1                  0.0",
        "IpFragCreates                   3                  0.0",
        "IpOutTransmits                  6                  0.0",
        "IcmpInMsgs                      3                  0.0",
        "IcmpInDestUnreachs              1                  0.0",
        "IcmpInEchoReps                  2                  0.0",
        "IcmpOutMsgs                     3                  0.0",
        "IcmpOutEchos                    3                  0.0",
        "IcmpMsgInType0                  2                  0.0",
        "IcmpMsgInType3                  1                  0.0",
        "IcmpMsgOutType8                 3                  0.0",
        "UdpOutDatagrams                 1                  0.0",
        "IpExtInOctets                   744                0.0",
        "IpExtOutOctets                  3320               0.0",
        "IpExtInNoECTPkts                3                  0.0",
        "",
      ]
    `)
  expect(text(b, "nstat")).toMatchInlineSnapshot(`
    "#kernel
    IpInReceives                    5                  0.0
    IpInDelivers                    3                  0.0
    IpOutRequests                   3                  0.0
    IpReasmReqds                    3                  0.0
    IpReasmOKs                      1                  0.0
    IpOutTransmits                  3                  0.0
    IcmpInMsgs                      2                  0.0
    IcmpInEchos                     2                  0.0
    IcmpOutMsgs                     3                  0.0
    IcmpOutDestUnreachs             1                  0.0
    IcmpOutEchoReps                 2                  0.0
    IcmpMsgInType8                  2                  0.0
    IcmpMsgOutType0                 2                  0.0
    IcmpMsgOutType3                 1                  0.0
    UdpNoPorts                      1                  0.0
    Ip6InReceives                   4                  0.0
    Ip6OutRequests                  4                  0.0
    Ip6InMcastPkts                  4                  0.0
    Ip6OutMcastPkts                 4                  0.0
    Ip6InOctets                     304                0.0
    Ip6OutOctets                    304                0.0
    Ip6InMcastOctets                304                0.0
    Ip6OutMcastOctets               304                0.0
    Ip6InNoECTPkts                  4                  0.0
    Ip6OutTransmits                 4                  0.0
    Icmp6OutMsgs                    4                  0.0
    Icmp6OutMLDv2Reports            4                  0.0
    Icmp6OutType143                 4                  0.0
    IpExtInOctets                   3236               0.0
    IpExtOutOctets                  744                0.0
    IpExtInNoECTPkts                5                  0.0
    "
  `)
  expect(text(a, "cat /proc/net/snmp")).toMatchInlineSnapshot(`
    "Ip: Forwarding DefaultTTL InReceives InHdrErrors InAddrErrors ForwDatagrams InUnknownProtos InDiscards InDelivers OutRequests OutDiscards OutNoRoutes ReasmTimeout ReasmReqds ReasmOKs ReasmFails FragOKs FragFails FragCreates OutTransmits
    Ip: 2 64 3 0 0 0 0 0 3 4 0 1 0 0 0 0 1 0 3 6
    Icmp: InMsgs InErrors InCsumErrors InDestUnreachs InTimeExcds InParmProbs InSrcQuenchs InRedirects InEchos InEchoReps InTimestamps InTimestampReps InAddrMasks InAddrMaskReps OutMsgs OutErrors OutRateLimitGlobal OutRateLimitHost OutDestUnreachs OutTimeExcds OutParmProbs OutSrcQuenchs OutRedirects OutEchos OutEchoReps OutTimestamps OutTimestampReps OutAddrMasks OutAddrMaskReps
    Icmp: 3 0 0 1 0 0 0 0 0 2 0 0 0 0 3 0 0 0 0 0 0 0 0 3 0 0 0 0 0
    IcmpMsg: InType0 InType3 OutType8
    IcmpMsg: 2 1 3
    Tcp: RtoAlgorithm RtoMin RtoMax MaxConn ActiveOpens PassiveOpens AttemptFails EstabResets CurrEstab InSegs OutSegs RetransSegs InErrs OutRsts InCsumErrors
    Tcp: 1 200 120000 -1 0 0 0 0 0 0 0 0 0 0 0
    Udp: InDatagrams NoPorts InErrors OutDatagrams RcvbufErrors SndbufErrors InCsumErrors IgnoredMulti MemErrors
    Udp: 0 0 0 1 0 0 0 0 0
    UdpLite: InDatagrams NoPorts InErrors OutDatagrams RcvbufErrors SndbufErrors InCsumErrors IgnoredMulti MemErrors
    UdpLite: 0 0 0 0 0 0 0 0 0
    "
  `)
})

it("IPv6 by counter, by type; what is asked for", () => {
  const { engine, a, b } = pair()
  const ping = a.ping(6)
  ping.sendTo(at("fd09::2"), 1, new Uint8Array(56), { ttl: 0, df: null })
  a.udp(6).sendTo(at("fd09::2"), 9, new Uint8Array(8))
  engine.advance(21e9, 1e5)
  expect(text(b, "nstat")).toMatchInlineSnapshot(`
    "#kernel
    Ip6InReceives                   7                  0.0
    Ip6InDelivers                   3                  0.0
    Ip6OutRequests                  7                  0.0
    Ip6InMcastPkts                  5                  0.0
    Ip6OutMcastPkts                 4                  0.0
    Ip6InOctets                     536                0.0
    Ip6OutOctets                    584                0.0
    Ip6InMcastOctets                376                0.0
    Ip6OutMcastOctets               304                0.0
    Ip6InNoECTPkts                  7                  0.0
    Ip6OutTransmits                 7                  0.0
    Icmp6InMsgs                     2                  0.0
    Icmp6OutMsgs                    7                  0.0
    Icmp6InEchos                    1                  0.0
    Icmp6InNeighborSolicits         1                  0.0
    Icmp6OutDestUnreachs            1                  0.0
    Icmp6OutEchoReplies             1                  0.0
    Icmp6OutNeighborAdvertisements  1                  0.0
    Icmp6OutMLDv2Reports            4                  0.0
    Icmp6InType128                  1                  0.0
    Icmp6InType135                  1                  0.0
    Icmp6OutType1                   1                  0.0
    Icmp6OutType129                 1                  0.0
    Icmp6OutType136                 1                  0.0
    Icmp6OutType143                 4                  0.0
    Udp6NoPorts                     1                  0.0
    "
  `)
  expect(text(b, "cat /proc/net/snmp6").split("\n").filter((line) => !/\t0$/.test(line)).join("\n"))
    .toMatchInlineSnapshot(`
      "Ip6InReceives                   	7
      Ip6InDelivers                   	3
      Ip6OutRequests                  	7
      Ip6InMcastPkts                  	5
      Ip6OutMcastPkts                 	4
      Ip6InOctets                     	536
      Ip6OutOctets                    	584
      Ip6InMcastOctets                	376
      Ip6OutMcastOctets               	304
      Ip6InNoECTPkts                  	7
      Ip6OutTransmits                 	7
      Icmp6InMsgs                     	2
      Icmp6OutMsgs                    	7
      Icmp6InEchos                    	1
      Icmp6InNeighborSolicits         	1
      Icmp6OutDestUnreachs            	1
      Icmp6OutEchoReplies             	1
      Icmp6OutNeighborAdvertisements  	1
      Icmp6OutMLDv2Reports            	4
      Icmp6InType128                  	1
      Icmp6InType135                  	1
      Icmp6OutType1                   	1
      Icmp6OutType129                 	1
      Icmp6OutType136                 	1
      Icmp6OutType143                 	4
      Udp6NoPorts                     	1
      "
    `)
  expect(text(b, "nstat -j Udp6*")).toBe(`{"kernel":{"Udp6NoPorts":1}}\n`)
  expect(text(b, "nstat -z TcpIn*")).toMatchInlineSnapshot(`
    "#kernel
    TcpInSegs                       0                  0.0
    TcpInErrs                       0                  0.0
    TcpInCsumErrors                 0                  0.0
    "
  `)
  expect(text(b, "nstat -Q")).toBe("nstat: invalid option -- 'Q'\n")
})

it("TCP's counters, of both families", () => {
  const { a } = pair()
  Object.assign(a.sockets.tcpMib, { TcpActiveOpens: 3, TCPTimeouts: 2, TCPOrigDataSent: 17 })
  expect(text(a, "nstat Tcp*")).toBe(
    "#kernel\n" +
    "TcpActiveOpens                  3                  0.0\n" +
    "TcpExtTCPTimeouts               2                  0.0\n" +
    "TcpExtTCPOrigDataSent           17                 0.0\n"
  )
  const [names = "", values = ""] = text(a, "cat /proc/net/netstat").split("\n")
  expect(values.split(" ")[names.split(" ").indexOf("TCPOrigDataSent")]).toBe("17")
})
