/**
 * TCP options (RFC 9293, section 3.1; RFC 7323; RFC 2018). `read` fills a scratch object as Linux's
 * tcp_parse_options does: a known option of the wrong size is skipped, a length that cannot be ends the
 * reading, and what came before counts. The first fault is named. `write` puts them in Linux's order
 * (tcp_options_write), padded with NOPs so that every value is word aligned.
 * Not supported: MD5 and AO signatures, fast open, MPTCP, experiments: counted as unknown.
 */
import { get16, get32, set16, set32 } from "./bytes.ts"

export const BYTES_MAX = 40
/** Larger shifts are taken as this one (RFC 7323, section 2.3). */
export const WINDOW_SCALE_MAX = 14
export const SACK_BLOCKS_MAX = 4

export const Kind = {
  End: 0, NoOperation: 1, MaxSegment: 2, WindowScale: 3, SackPermitted: 4, Sack: 5, Timestamps: 8
} as const

export const Fault = {
  None: 0,
  /** An option without its length octet. */
  Truncated: 1,
  /** A length below two, or over the end of the header. */
  Length: 2,
  /** A known option with a length that it cannot have. */
  Size: 3
} as const
export type Fault = (typeof Fault)[keyof typeof Fault]

/** What a segment's options said. One scratch object serves many segments. */
export class Options {
  /** -1 when absent. */
  maxSegment = -1
  windowScale = -1
  sackPermitted = false
  hasTimestamps = false
  /** Signed words, as sequence numbers are. */
  tsValue = 0
  tsEcho = 0
  /** Start and end of each block, `sackCount` of them. */
  readonly sack = new Int32Array(2 * SACK_BLOCKS_MAX)
  sackCount = 0
  unknown = 0

  clear(): this {
    this.maxSegment = -1
    this.windowScale = -1
    this.sackPermitted = false
    this.hasTimestamps = false
    this.tsValue = 0
    this.tsEcho = 0
    this.sackCount = 0
    this.unknown = 0
    return this
  }
}

/** The options in [from, end), which is what the data offset says behind the fixed header. */
export function read(bytes: Uint8Array, from: number, end: number, into: Options): Fault {
  into.clear()
  let first: Fault = Fault.None
  for (let i = from; i < end;) {
    const kind = bytes[i]!
    if (kind === Kind.End) break
    if (kind === Kind.NoOperation) {
      i++
      continue
    }
    if (i + 1 >= end) return first === Fault.None ? Fault.Truncated : first
    const length = bytes[i + 1]!
    if (length < 2 || i + length > end) return first === Fault.None ? Fault.Length : first
    if (!take(bytes, i, kind, length, into) && first === Fault.None) first = Fault.Size
    i += length
  }
  return first
}

/** How many octets `write` will take: a multiple of four, at most 40. */
export function byteLength(options: Options): number {
  const stamps = options.hasTimestamps ? 12 : 0
  const permitted = options.sackPermitted && !options.hasTimestamps ? 4 : 0
  const base = (options.maxSegment >= 0 ? 4 : 0) + stamps + permitted + (options.windowScale >= 0 ? 4 : 0)
  const blocks = sackBlocks(options, base)
  return base + (blocks > 0 ? 4 + 8 * blocks : 0)
}

/** SACK blocks that do not fit beside the rest are left out, the last first. Returns the length. */
export function write(bytes: Uint8Array, at: number, options: Options): number {
  let i = at
  if (options.maxSegment >= 0) {
    set16(bytes, i, (Kind.MaxSegment << 8) | 4)
    set16(bytes, i + 2, options.maxSegment)
    i += 4
  }
  if (options.hasTimestamps) {
    const before = options.sackPermitted ? (Kind.SackPermitted << 8) | 2 : NO_OPERATIONS
    set16(bytes, i, before)
    set16(bytes, i + 2, (Kind.Timestamps << 8) | 10)
    set32(bytes, i + 4, options.tsValue)
    set32(bytes, i + 8, options.tsEcho)
    i += 12
  } else if (options.sackPermitted) {
    set16(bytes, i, NO_OPERATIONS)
    set16(bytes, i + 2, (Kind.SackPermitted << 8) | 2)
    i += 4
  }
  if (options.windowScale >= 0) {
    set16(bytes, i, (Kind.NoOperation << 8) | Kind.WindowScale)
    set16(bytes, i + 2, (3 << 8) | options.windowScale)
    i += 4
  }
  const blocks = sackBlocks(options, i - at)
  if (blocks > 0) {
    set16(bytes, i, NO_OPERATIONS)
    set16(bytes, i + 2, (Kind.Sack << 8) | (2 + 8 * blocks))
    i += 4
    for (let k = 0; k < 2 * blocks; k++, i += 4) set32(bytes, i, options.sack[k]!)
  }
  return i - at
}

const NO_OPERATIONS = (Kind.NoOperation << 8) | Kind.NoOperation

function sackBlocks(options: Options, used: number): number {
  const room = (BYTES_MAX - used - 4) >> 3
  return room < options.sackCount ? Math.max(room, 0) : options.sackCount
}

/** False when the option is known and its length is wrong. */
function take(bytes: Uint8Array, at: number, kind: number, length: number, into: Options): boolean {
  if (kind === Kind.MaxSegment) {
    if (length !== 4) return false
    into.maxSegment = get16(bytes, at + 2)
  } else if (kind === Kind.WindowScale) {
    if (length !== 3) return false
    const shift = bytes[at + 2]!
    into.windowScale = shift > WINDOW_SCALE_MAX ? WINDOW_SCALE_MAX : shift
  } else if (kind === Kind.SackPermitted) {
    if (length !== 2) return false
    into.sackPermitted = true
  } else if (kind === Kind.Timestamps) {
    if (length !== 10) return false
    into.hasTimestamps = true
    into.tsValue = get32(bytes, at + 2)
    into.tsEcho = get32(bytes, at + 6)
  } else if (kind === Kind.Sack) {
    if (length < 10 || (length - 2) % 8 !== 0) return false
    into.sackCount = (length - 2) >> 3
    for (let k = 0; k < 2 * into.sackCount; k++) into.sack[k] = get32(bytes, at + 2 + 4 * k)
  } else into.unknown++
  return true
}
