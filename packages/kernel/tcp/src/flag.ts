/** What one acknowledgement turned out to be (FLAG_* of net/ipv4/tcp_input.c). */
const Data = 0x01
const WinUpdate = 0x02
const DataAcked = 0x04
const SynAcked = 0x10
const DataSacked = 0x20
const Ece = 0x40

export const Flag = {
  /** The segment carried data, changed the window, acknowledged data or the SYN, sacked something. */
  Data,
  WinUpdate,
  DataAcked,
  RetransDataAcked: 0x08,
  SynAcked,
  DataSacked,
  Ece,
  LostRetrans: 0x80,
  /** RTO or TLP timer is to be set anew. */
  SetXmitTimer: 0x100,
  /** Never retransmitted data was acknowledged or sacked (F-RTO). */
  OrigSackAcked: 0x200,
  SndUnaAdvanced: 0x400,
  DsackingAck: 0x800,
  SackReneging: 0x2000,
  UpdateTsRecent: 0x4000,
  NoChallengeAck: 0x8000,
  DsackTlp: 0x1_0000,
  Acked: DataAcked | SynAcked,
  NotDup: Data | WinUpdate | DataAcked | SynAcked,
  CaAlert: DataSacked | Ece | 0x800,
  ForwardProgress: DataAcked | SynAcked | DataSacked
} as const
