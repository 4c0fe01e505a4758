/** What a reader finds in a capture, in plain records; `reader.ts` makes them. */

export interface Section {
  readonly kind: "section"
  readonly offset: number
  readonly bigEndian: boolean
  readonly hardware: string | null
  readonly os: string | null
  readonly application: string | null
  readonly comments: ReadonlyArray<string>
}

export interface Interface {
  readonly kind: "interface"
  readonly offset: number
  /** Which section it belongs to, from 0; its number there restarts with each section. */
  readonly section: number
  readonly id: number
  readonly linkType: number
  readonly snapLength: number
  readonly name: string | null
  readonly description: string | null
  readonly mac: number | null
  readonly speed: number | null
  /** Units of its time stamps in a second. */
  readonly unitsPerSecond: number
  readonly epochSeconds: number
  readonly comments: ReadonlyArray<string>
}

export interface Packet {
  readonly kind: "packet"
  readonly offset: number
  readonly interface: Interface
  /** The exact time: real captures in nanoseconds since 1970 do not fit one number. */
  readonly seconds: number
  readonly nanoseconds: number
  /** The same in one number, exact up to 2^53 - 1. */
  readonly atNs: number
  /** A view of the file's bytes. */
  readonly bytes: Uint8Array
  readonly originalLength: number
  readonly flags: number | null
  readonly dropCount: number | null
  readonly packetId: number | null
  readonly verdict: { readonly by: number; readonly value: number } | null
  readonly comments: ReadonlyArray<string>
}

export interface Names {
  readonly kind: "names"
  readonly offset: number
  readonly entries: ReadonlyArray<{ readonly address: Uint8Array; readonly names: ReadonlyArray<string> }>
}

export interface InterfaceStatistics {
  readonly kind: "statistics"
  readonly offset: number
  readonly interface: Interface
  readonly atNs: number
  readonly startNs: number | null
  readonly endNs: number | null
  readonly received: number | null
  readonly dropped: number | null
  readonly filterAccepted: number | null
  readonly osDropped: number | null
  readonly delivered: number | null
  readonly comments: ReadonlyArray<string>
}

export interface Secrets {
  readonly kind: "secrets"
  readonly offset: number
  readonly type: number
  readonly bytes: Uint8Array
}

/** A block of a type that is not read. */
export interface Skipped {
  readonly kind: "skipped"
  readonly offset: number
  readonly type: number
  readonly length: number
}

export type FaultCode =
  /** The first four bytes are of no capture format that is read here. */
  | "NotACapture"
  /** The bytes end within a block or record. */
  | "Truncated"
  | "Version"
  | "ByteOrder"
  /** A block's length is impossible, or its two copies differ. */
  | "BlockLength"
  /** A packet says that it is longer than its block or than any packet. */
  | "PacketLength"
  | "OptionLength"
  /** A packet's interface is not described. */
  | "UnknownInterface"
  /** A time unit below what is computed exactly: 10^-14 or 2^-46 seconds. */
  | "TimeResolution"

/** Why reading ended before the end of the bytes; `offset` is where the fault stands. */
export interface Fault {
  readonly kind: "fault"
  readonly code: FaultCode
  readonly offset: number
  readonly message: string
}

export type Item =
  | Section | Interface | Packet | Names | InterfaceStatistics | Secrets | Skipped | Fault

export function fault(code: FaultCode, offset: number, message: string): Fault {
  return { kind: "fault", code, offset, message }
}
