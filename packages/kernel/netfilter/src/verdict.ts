/** What a hook says of a packet; the kernel's numbers (include/uapi/linux/netfilter.h). */
export const Verdict = {
  /** The hook has ended the frame: the caller forgets it. */
  Drop: 0,
  Accept: 1,
  /** The hook keeps the frame for later: the caller forgets it. */
  Stolen: 2
} as const
export type Verdict = (typeof Verdict)[keyof typeof Verdict]
