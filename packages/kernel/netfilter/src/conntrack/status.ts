/** The bits and numbers that the kernel and its tools know a connection by (nf_conntrack_common.h). */

/** enum ip_conntrack_status */
export const Status = {
  EXPECTED: 1 << 0,
  SEEN_REPLY: 1 << 1,
  ASSURED: 1 << 2,
  /** Both tuples are in the index. */
  CONFIRMED: 1 << 3,
  SRC_NAT: 1 << 4,
  DST_NAT: 1 << 5,
  NAT_MASK: (1 << 4) | (1 << 5),
  SEQ_ADJUST: 1 << 6,
  SRC_NAT_DONE: 1 << 7,
  DST_NAT_DONE: 1 << 8,
  NAT_DONE_MASK: (1 << 7) | (1 << 8),
  /** It is out of the index; frames on their way may still look at it. */
  DYING: 1 << 9,
  FIXED_TIMEOUT: 1 << 10,
  TEMPLATE: 1 << 11,
  /** It lost a clash and is in the index by its reply only. */
  NAT_CLASH: 1 << 12,
  HELPER: 1 << 13,
  OFFLOAD: 1 << 14,
  /** Ours: this entry counts packets (the accounting extension is attached when an entry is made). */
  ACCT: 1 << 20
} as const

/** enum ip_conntrack_info, what `Frame.ctinfo` is. With no entry, anything but UNTRACKED is INVALID. */
export const Ctinfo = {
  ESTABLISHED: 0,
  RELATED: 1,
  NEW: 2,
  IS_REPLY: 3,
  ESTABLISHED_REPLY: 3,
  RELATED_REPLY: 4,
  UNTRACKED: 7
} as const

export const Direction = { ORIGINAL: 0, REPLY: 1 } as const
export type Direction = 0 | 1

export function directionOf(ctinfo: number): Direction {
  return ctinfo >= Ctinfo.IS_REPLY ? 1 : 0
}

/** enum ip_conntrack_events, as bits. */
export const Event = {
  NEW: 1 << 0,
  RELATED: 1 << 1,
  DESTROY: 1 << 2,
  REPLY: 1 << 3,
  ASSURED: 1 << 4,
  PROTOINFO: 1 << 5,
  HELPER: 1 << 6,
  MARK: 1 << 7
} as const

/** Hears what happens to entries; `table` is as it was when it happened. */
export interface ConntrackObserver {
  event(ct: number, events: number): void
}
