/**
 * Counters of one family under the names of /proc/net/snmp and /proc/net/snmp6 (include/uapi/linux/snmp.h).
 * Linux calls IPv6's HopLimit and Address errors by the same names. Not counted: octets.
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
  // Tcp
  TcpInSegs = 0
  TcpInCsumErrors = 0
  TcpOutRsts = 0
}
