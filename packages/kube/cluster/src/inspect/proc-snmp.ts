/**
 * /proc/net/snmp, snmp6 and netstat (net/ipv4/proc.c, net/ipv6/proc.c of 6.18): what the namespace has counted,
 * in Linux's order and under its names.
 *
 * Not counted, so 0: IPv4 groups other than all hosts, reverse path filtering (its drops are counted by reason),
 * UDP-Lite, TCP's backlog, Fast Open, MD5, AO, PLB and rehashes of what has none. IPv6's
 * counters are the namespace's; no file tells them by device. The line of MPTCP is absent, as in a kernel without.
 */
import type { Mib, Netns } from "@podwire/netns"
import { State } from "@podwire/tcp"

const IP = "InReceives InHdrErrors InAddrErrors ForwDatagrams InUnknownProtos InDiscards InDelivers OutRequests " +
  "OutDiscards OutNoRoutes ReasmTimeout ReasmReqds ReasmOKs ReasmFails FragOKs FragFails FragCreates OutTransmits"
const ICMP_TYPES = [
  ["DestUnreachs", 3], ["TimeExcds", 11], ["ParmProbs", 12], ["SrcQuenchs", 4], ["Redirects", 5], ["Echos", 8],
  ["EchoReps", 0], ["Timestamps", 13], ["TimestampReps", 14], ["AddrMasks", 17], ["AddrMaskReps", 18]
] as const
const TCP = "ActiveOpens PassiveOpens AttemptFails EstabResets CurrEstab InSegs OutSegs RetransSegs InErrs " +
  "OutRsts InCsumErrors"
const UDP = "InDatagrams NoPorts InErrors OutDatagrams RcvbufErrors SndbufErrors InCsumErrors IgnoredMulti " +
  "MemErrors"
const TCP_EXT = `SyncookiesSent SyncookiesRecv SyncookiesFailed EmbryonicRsts PruneCalled RcvPruned OfoPruned
  OutOfWindowIcmps LockDroppedIcmps ArpFilter TW TWRecycled TWKilled PAWSActive PAWSEstab BeyondWindow TSEcrRejected
  PAWSOldAck PAWSTimewait DelayedACKs DelayedACKLocked DelayedACKLost ListenOverflows ListenDrops TCPHPHits
  TCPPureAcks TCPHPAcks TCPRenoRecovery TCPSackRecovery TCPSACKReneging TCPSACKReorder TCPRenoReorder TCPTSReorder
  TCPFullUndo TCPPartialUndo TCPDSACKUndo TCPLossUndo TCPLostRetransmit TCPRenoFailures TCPSackFailures
  TCPLossFailures TCPFastRetrans TCPSlowStartRetrans TCPTimeouts TCPLossProbes TCPLossProbeRecovery
  TCPRenoRecoveryFail TCPSackRecoveryFail TCPRcvCollapsed TCPBacklogCoalesce TCPDSACKOldSent TCPDSACKOfoSent
  TCPDSACKRecv TCPDSACKOfoRecv TCPAbortOnData TCPAbortOnClose TCPAbortOnMemory TCPAbortOnTimeout TCPAbortOnLinger
  TCPAbortFailed TCPMemoryPressures TCPMemoryPressuresChrono TCPSACKDiscard TCPDSACKIgnoredOld
  TCPDSACKIgnoredNoUndo TCPSpuriousRTOs TCPMD5NotFound TCPMD5Unexpected TCPMD5Failure TCPSackShifted TCPSackMerged
  TCPSackShiftFallback TCPBacklogDrop PFMemallocDrop TCPMinTTLDrop TCPDeferAcceptDrop IPReversePathFilter
  TCPTimeWaitOverflow TCPReqQFullDoCookies TCPReqQFullDrop TCPRetransFail TCPRcvCoalesce TCPOFOQueue TCPOFODrop
  TCPOFOMerge TCPChallengeACK TCPSYNChallenge TCPFastOpenActive TCPFastOpenActiveFail TCPFastOpenPassive
  TCPFastOpenPassiveFail TCPFastOpenListenOverflow TCPFastOpenCookieReqd TCPFastOpenBlackhole
  TCPSpuriousRtxHostQueues BusyPollRxPackets TCPAutoCorking TCPFromZeroWindowAdv TCPToZeroWindowAdv
  TCPWantZeroWindowAdv TCPSynRetrans TCPOrigDataSent TCPHystartTrainDetect TCPHystartTrainCwnd
  TCPHystartDelayDetect TCPHystartDelayCwnd TCPACKSkippedSynRecv TCPACKSkippedPAWS TCPACKSkippedSeq
  TCPACKSkippedFinWait2 TCPACKSkippedTimeWait TCPACKSkippedChallenge TCPWinProbe TCPKeepAlive TCPMTUPFail
  TCPMTUPSuccess TCPDelivered TCPDeliveredCE TCPAckCompressed TCPZeroWindowDrop TCPRcvQDrop TCPWqueueTooBig
  TCPFastOpenPassiveAltKey TcpTimeoutRehash TcpDuplicateDataRehash TCPDSACKRecvSegs TCPDSACKIgnoredDubious
  TCPMigrateReqSuccess TCPMigrateReqFailure TCPPLBRehash TCPAORequired TCPAOBad TCPAOKeyNotFound TCPAOGood
  TCPAODroppedIcmps`
const IP_EXT = `InNoRoutes InTruncatedPkts InMcastPkts OutMcastPkts InBcastPkts OutBcastPkts InOctets OutOctets
  InMcastOctets OutMcastOctets InBcastOctets OutBcastOctets InCsumErrors InNoECTPkts InECT1Pkts InECT0Pkts InCEPkts
  ReasmOverlaps`

const IP6 = `InReceives InHdrErrors InTooBigErrors InNoRoutes InAddrErrors InUnknownProtos InTruncatedPkts InDiscards
  InDelivers OutForwDatagrams OutRequests OutDiscards OutNoRoutes ReasmTimeout ReasmReqds ReasmOKs ReasmFails
  FragOKs FragFails FragCreates InMcastPkts OutMcastPkts InOctets OutOctets InMcastOctets OutMcastOctets
  InBcastOctets OutBcastOctets InNoECTPkts InECT1Pkts InECT0Pkts InCEPkts OutTransmits`
const ICMP6_TYPES_IN = [
  ["DestUnreachs", 1], ["PktTooBigs", 2], ["TimeExcds", 3], ["ParmProblems", 4], ["Echos", 128],
  ["EchoReplies", 129], ["GroupMembQueries", 130], ["GroupMembResponses", 131], ["GroupMembReductions", 132],
  ["RouterSolicits", 133], ["RouterAdvertisements", 134], ["NeighborSolicits", 135],
  ["NeighborAdvertisements", 136], ["Redirects", 137], ["MLDv2Reports", 143]
] as const
const UDP_LITE6 = "InDatagrams NoPorts InErrors OutDatagrams RcvbufErrors SndbufErrors InCsumErrors MemErrors"
/** ICMP has 256 types; a line of IcmpMsg has 16. */
const TYPES = 256
const PER_LINE = 16
const NAME_BYTES_6 = 32

type Counters = ReadonlyArray<readonly [name: string, value: number]>
/** A group of counters under one name, as a pair of lines shows it. */
export type Group = readonly [name: string, counters: Counters]

export function snmp(netns: Netns): string {
  return lines(snmpGroups(netns))
}

export function netstat(netns: Netns): string {
  return lines(netstatGroups(netns))
}

export function snmpGroups(netns: Netns): ReadonlyArray<Group> {
  const { globals, all4 } = netns.sysctl
  const { mib } = netns.ip4
  const ip: Counters = [
    ["Forwarding", all4.forwarding !== 0 ? 1 : 2], ["DefaultTTL", globals.ip_default_ttl], ...read(mib, IP)
  ]
  return [
    ["Ip", ip], ["Icmp", icmp(mib)], ...icmpMsg(mib), ["Tcp", tcp(netns)], ["Udp", read(mib, UDP, "Udp")],
    ["UdpLite", read({}, UDP)]
  ]
}

export function netstatGroups(netns: Netns): ReadonlyArray<Group> {
  return [["TcpExt", read(netns.sockets.tcpMib, TCP_EXT)], ["IpExt", read(netns.ip4.mib, IP_EXT)]]
}

function icmp(mib: Mib): Counters {
  const types = (way: "In" | "Out"): Counters =>
    ICMP_TYPES.map(([name, type]) => [`${way}${name}`, mib.icmp(way, type)] as const)
  return [
    ...read(mib, "InMsgs InErrors InCsumErrors", "Icmp"), ...types("In"),
    ...read(mib, "OutMsgs OutErrors OutRateLimitGlobal OutRateLimitHost", "Icmp"), ...types("Out")
  ]
}

/** icmpmsg_put: a line for each sixteen types that were seen. */
function icmpMsg(mib: Mib): ReadonlyArray<Group> {
  const seen = typesSeen(mib)
  const groups: Array<Group> = []
  for (let i = 0; i < seen.length; i += PER_LINE) groups.push(["IcmpMsg", seen.slice(i, i + PER_LINE)])
  return groups
}

function typesSeen(mib: Mib): Counters {
  const seen: Array<readonly [string, number]> = []
  for (const way of ["In", "Out"] as const) {
    for (let type = 0; type < TYPES; type++) {
      const count = mib.icmp(way, type)
      if (count > 0) seen.push([`${way}Type${type}`, count])
    }
  }
  return seen
}

/** The first four are constants (tcp_init): milliseconds, and no limit. */
function tcp(netns: Netns): Counters {
  const CurrEstab = netns.sockets.tcpRows()
    .filter(({ state }) => state === State.ESTABLISHED || state === State.CLOSE_WAIT).length
  const { tcpMib } = netns.sockets
  return [
    ["RtoAlgorithm", 1], ["RtoMin", 200], ["RtoMax", 120_000], ["MaxConn", -1],
    ...read(tcpMib, TCP, "Tcp").map((one) => one[0] === "CurrEstab" ? [one[0], CurrEstab] as const : one)
  ]
}

/** One counter a line. Only what belongs to IPv6: TCP's stand among IPv4's. */
export function snmp6(netns: Netns): string {
  return snmp6Counters(netns).map(([name, value]) => `${name.padEnd(NAME_BYTES_6)}\t${value}\n`).join("")
}

export function snmp6Counters(netns: Netns): Counters {
  const { mib } = netns.ip6
  const ip = { ...mib, OutForwDatagrams: mib.ForwDatagrams, InTooBigErrors: mib.FragFails }
  const types = (way: "In" | "Out"): Counters =>
    ICMP6_TYPES_IN.map(([name, type]) => [`${way}${name}`, mib.icmp(way, type)] as const)
  const icmp6: Counters = [
    ...read(mib, "InMsgs InErrors OutMsgs OutErrors InCsumErrors OutRateLimitHost", "Icmp"), ...types("In"),
    ...types("Out"), ...typesSeen(mib)
  ]
  return [
    ...named("Ip6", read(ip, IP6)), ...named("Icmp6", icmp6), ...named("Udp6", read(mib, UDP, "Udp")),
    ...named("UdpLite6", read({}, UDP_LITE6))
  ]
}

function named(prefix: string, counters: Counters): Counters {
  return counters.map(([name, value]) => [`${prefix}${name}`, value] as const)
}

/** The fields of these names, zero where nothing counts them. */
function read(mib: object, names: string, prefix = ""): Counters {
  const fields = mib as Readonly<Record<string, number | undefined>>
  return names.split(/\s+/).map((name) => [name, fields[prefix + name] ?? 0] as const)
}

function lines(groups: ReadonlyArray<Group>): string {
  return groups.map(([group, counters]) =>
    `${group}: ${counters.map(([name]) => name).join(" ")}\n` +
    `${group}: ${counters.map(([, value]) => value).join(" ")}\n`).join("")
}
