/**
 * Counters under the names of /proc/net/snmp, snmp6 and netstat (include/uapi/linux/snmp.h): IP, ICMP and UDP of
 * each family, TCP of both together, as Linux counts it. Made when something is first counted.
 * Linux calls IPv6's HopLimit and Address errors by the same names.
 */
export class Mib {
  // Ip
  InReceives = 0
  InHdrErrors = 0
  InAddrErrors = 0
  ForwDatagrams = 0
  InUnknownProtos = 0
  InNoRoutes = 0
  InDelivers = 0
  OutRequests = 0
  OutNoRoutes = 0
  ReasmTimeout = 0
  ReasmReqds = 0
  ReasmOKs = 0
  ReasmFails = 0
  FragOKs = 0
  FragFails = 0
  FragCreates = 0
  OutTransmits = 0
  // IpExt, and among Ip6's own
  InOctets = 0
  OutOctets = 0
  InMcastPkts = 0
  InMcastOctets = 0
  OutMcastPkts = 0
  OutMcastOctets = 0
  InBcastPkts = 0
  InBcastOctets = 0
  OutBcastPkts = 0
  OutBcastOctets = 0
  InNoECTPkts = 0
  InECT1Pkts = 0
  InECT0Pkts = 0
  InCEPkts = 0
  // Icmp
  IcmpInMsgs = 0
  IcmpInErrors = 0
  IcmpInCsumErrors = 0
  IcmpOutMsgs = 0
  IcmpOutErrors = 0
  IcmpOutRateLimitGlobal = 0
  IcmpOutRateLimitHost = 0
  // Udp
  UdpInDatagrams = 0
  UdpNoPorts = 0
  UdpInErrors = 0
  UdpOutDatagrams = 0
  UdpRcvbufErrors = 0
  UdpInCsumErrors = 0
  #icmpIn: Map<number, number> | null = null
  #icmpOut: Map<number, number> | null = null

  /** By the two last bits of TOS or traffic class (INET_ECN_*). */
  countEcn(bits: number): void {
    if (bits === 0) this.InNoECTPkts++
    else if (bits === 1) this.InECT1Pkts++
    else if (bits === 2) this.InECT0Pkts++
    else this.InCEPkts++
  }

  /** A packet has passed POSTROUTING and any cutting, and is to leave (ip_finish_output2). */
  countTransmit(octets: number, type: string): void {
    this.OutTransmits++
    this.OutOctets += octets
    if (type === "multicast") {
      this.OutMcastPkts++
      this.OutMcastOctets += octets
    } else if (type === "broadcast") {
      this.OutBcastPkts++
      this.OutBcastOctets += octets
    }
  }

  countInMulticast(octets: number): void {
    this.InMcastPkts++
    this.InMcastOctets += octets
  }

  countInBroadcast(octets: number): void {
    this.InBcastPkts++
    this.InBcastOctets += octets
  }

  /** A sound message came; IcmpInMsgs counts the others too (ICMPMSGIN_INC_STATS). */
  countIcmpIn(type: number): void {
    const counts = (this.#icmpIn ??= new Map<number, number>())
    counts.set(type, (counts.get(type) ?? 0) + 1)
  }

  /** icmp_out_count */
  countIcmpOut(type: number): void {
    this.IcmpOutMsgs++
    const counts = (this.#icmpOut ??= new Map<number, number>())
    counts.set(type, (counts.get(type) ?? 0) + 1)
  }

  /** Messages of one type, as they were counted. */
  icmp(direction: "In" | "Out", type: number): number {
    return (direction === "In" ? this.#icmpIn : this.#icmpOut)?.get(type) ?? 0
  }
}

/** net->mib.tcp_statistics and, but for IP's few, net->mib.net_statistics; what belongs to the first begins with Tcp. */
export class TcpMib {
  TcpActiveOpens = 0
  TcpPassiveOpens = 0
  TcpAttemptFails = 0
  TcpEstabResets = 0
  TcpInSegs = 0
  TcpOutSegs = 0
  TcpRetransSegs = 0
  TcpInErrs = 0
  TcpOutRsts = 0
  TcpInCsumErrors = 0
  // TcpExt
  SyncookiesSent = 0
  SyncookiesRecv = 0
  SyncookiesFailed = 0
  EmbryonicRsts = 0
  PruneCalled = 0
  RcvPruned = 0
  OfoPruned = 0
  OutOfWindowIcmps = 0
  TW = 0
  TWRecycled = 0
  TWKilled = 0
  PAWSActive = 0
  PAWSEstab = 0
  BeyondWindow = 0
  TSEcrRejected = 0
  PAWSOldAck = 0
  PAWSTimewait = 0
  DelayedACKs = 0
  DelayedACKLocked = 0
  DelayedACKLost = 0
  ListenOverflows = 0
  ListenDrops = 0
  TCPHPHits = 0
  TCPPureAcks = 0
  TCPHPAcks = 0
  TCPRenoRecovery = 0
  TCPSackRecovery = 0
  TCPSACKReneging = 0
  TCPSACKReorder = 0
  TCPRenoReorder = 0
  TCPTSReorder = 0
  TCPFullUndo = 0
  TCPPartialUndo = 0
  TCPDSACKUndo = 0
  TCPLossUndo = 0
  TCPLostRetransmit = 0
  TCPRenoFailures = 0
  TCPSackFailures = 0
  TCPLossFailures = 0
  TCPFastRetrans = 0
  TCPSlowStartRetrans = 0
  TCPTimeouts = 0
  TCPLossProbes = 0
  TCPLossProbeRecovery = 0
  TCPRenoRecoveryFail = 0
  TCPSackRecoveryFail = 0
  TCPRcvCollapsed = 0
  TCPDSACKOldSent = 0
  TCPDSACKOfoSent = 0
  TCPDSACKRecv = 0
  TCPDSACKOfoRecv = 0
  TCPAbortOnData = 0
  TCPAbortOnClose = 0
  TCPAbortOnMemory = 0
  TCPAbortOnTimeout = 0
  TCPAbortOnLinger = 0
  TCPAbortFailed = 0
  TCPSACKDiscard = 0
  TCPDSACKIgnoredOld = 0
  TCPDSACKIgnoredNoUndo = 0
  TCPSpuriousRTOs = 0
  TCPSackShifted = 0
  TCPSackMerged = 0
  TCPSackShiftFallback = 0
  TCPTimeWaitOverflow = 0
  TCPReqQFullDoCookies = 0
  TCPReqQFullDrop = 0
  TCPRetransFail = 0
  TCPRcvCoalesce = 0
  TCPOFOQueue = 0
  TCPOFODrop = 0
  TCPOFOMerge = 0
  TCPChallengeACK = 0
  TCPSYNChallenge = 0
  TCPSpuriousRtxHostQueues = 0
  TCPAutoCorking = 0
  TCPFromZeroWindowAdv = 0
  TCPToZeroWindowAdv = 0
  TCPWantZeroWindowAdv = 0
  TCPSynRetrans = 0
  TCPOrigDataSent = 0
  TCPHystartTrainDetect = 0
  TCPHystartTrainCwnd = 0
  TCPHystartDelayDetect = 0
  TCPHystartDelayCwnd = 0
  TCPACKSkippedSynRecv = 0
  TCPACKSkippedPAWS = 0
  TCPACKSkippedSeq = 0
  TCPACKSkippedFinWait2 = 0
  TCPACKSkippedTimeWait = 0
  TCPACKSkippedChallenge = 0
  TCPWinProbe = 0
  TCPKeepAlive = 0
  TCPMTUPFail = 0
  TCPMTUPSuccess = 0
  TCPDelivered = 0
  TCPDeliveredCE = 0
  TCPAckCompressed = 0
  TCPZeroWindowDrop = 0
  TCPRcvQDrop = 0
  TCPWqueueTooBig = 0
  TcpTimeoutRehash = 0
  TcpDuplicateDataRehash = 0
  TCPDSACKRecvSegs = 0
  TCPDSACKIgnoredDubious = 0
}
