/** What a protocol's tracker says of a packet of its entry. */
export const Track = {
  /** Lost: there is no way to tell (NF_DROP). */
  Drop: 0,
  Accept: 1,
  /** It belongs to no flow (-NF_ACCEPT). */
  Invalid: -1,
  /** The entry is gone: look again (-NF_REPEAT). */
  Repeat: -4
} as const
export type Track = (typeof Track)[keyof typeof Track]
