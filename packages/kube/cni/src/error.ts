/**
 * What a plugin or the runtime refuses with: the error object of the CNI specification (section 5, "Error").
 * 0 to 99 are the specification's, the Go library reports everything of its own as 999.
 * As the real library prints it, the object has no `cniVersion`, though the specification shows one.
 */
import type { Json } from "./json.ts"

export const ErrorCode = {
  INCOMPATIBLE_VERSION: 1,
  UNSUPPORTED_FIELD: 2,
  UNKNOWN_CONTAINER: 3,
  INVALID_ENVIRONMENT: 4,
  IO_FAILURE: 5,
  DECODING_FAILURE: 6,
  INVALID_NETWORK_CONFIG: 7,
  INVALID_NETNS: 8,
  TRY_AGAIN_LATER: 11,
  PLUGIN_NOT_AVAILABLE: 50,
  LIMITED_CONNECTIVITY: 51,
  /** Ours: what an emulator cannot do to the machine that it runs on. */
  NOT_HERE: 100,
  INTERNAL: 999
} as const

export class CniError {
  readonly code: number
  readonly msg: string
  readonly details: string

  constructor(code: number, msg: string, details = "") {
    this.code = code
    this.msg = msg
    this.details = details
  }

  static internal(msg: string): CniError {
    return new CniError(ErrorCode.INTERNAL, msg)
  }

  /** The same error seen from one caller further out: its code stays. */
  within(prefix: string): CniError {
    return new CniError(this.code, `${prefix}: ${this.toString()}`)
  }

  toJson(): Json {
    return this.details === "" ? { code: this.code, msg: this.msg }
      : { code: this.code, msg: this.msg, details: this.details }
  }

  toString(): string {
    return this.details === "" ? this.msg : `${this.msg}; ${this.details}`
  }
}
