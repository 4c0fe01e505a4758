/**
 * Counters of the kernel that stand still while nothing goes wrong (include/uapi/linux/snmp.h): what was sent
 * again, thrown away, refused or not understood.
 */
import type { Counters } from "./kernel-peer.ts"

const TROUBLE = new RegExp(
  "^(Tcp\\.(RetransSegs|InErrs|InCsumErrors|AttemptFails|EstabResets|OutRsts)|" +
    "Ip\\.(InHdrErrors|InDiscards)|snmp6\\.Ip6(InHdrErrors|InDiscards)|" +
    "TcpExt\\.(EmbryonicRsts|\\w*Pruned?|PruneCalled|OutOfWindowIcmps|LockDroppedIcmps|PAWS\\w+|" +
    "BeyondWindow|TSEcrRejected|DelayedACKLost|Listen\\w+|" +
    "TCP\\w*(Recovery|Reorder|Undo|Failures|Retrans|RecoveryFail)|" +
    "TCPSACKReneging|TCPLostRetransmit|TCPTimeouts|TCPLossProbes|TCPRcvCollapsed|TCPDSACK\\w+|TCPAbort\\w+|" +
    "TCPSpuriousRTOs|TCPBacklogDrop|TCPReqQFull\\w+|TCPRetransFail|TCPOFO\\w+|TCPChallengeACK|" +
    "TCPSYNChallenge|TCP(To|From|Want)ZeroWindowAdv|" +
    "TCPACKSkipped\\w+|TCPWinProbe|TCPZeroWindowDrop|TCPRcvQDrop|Tcp\\w+Rehash|Syncookies\\w+))$"
)

/** Which of them moved, but for those that may, one a line. */
export function trouble(before: Counters, after: Counters, allowed: ReadonlyArray<string> = []): string {
  return Object.entries(after)
    .filter(([name, value]) => value !== before[name] && TROUBLE.test(name))
    .filter(([name]) => !allowed.includes(name.split(".")[1]!))
    .map(([name, value]) => `${name} +${value - (before[name] ?? 0)}\n`).join("")
}
