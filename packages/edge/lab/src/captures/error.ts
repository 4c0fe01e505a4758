/** A capture could not be written: which file, why, and what to do. */
import * as Data from "effect/Data"
import * as Runtime from "effect/Runtime"

const ADVICE: Readonly<Record<string, string>> = {
  ENOSPC: "the disk is full; free some space, or name a folder on another disk with --out",
  EDQUOT: "your disk quota is used up; free some space, or name another folder with --out",
  EFBIG: "the file system takes no larger file; capture fewer devices or a shorter run",
  EACCES: "you may not write there; name another folder with --out",
  EPERM: "you may not write there; name another folder with --out",
  EROFS: "the file system is read-only; name another folder with --out",
  ENOTDIR: "a file stands where the folder should be; name another folder with --out",
  EEXIST: "a file stands where the folder should be; name another folder with --out",
  EISDIR: "a folder has the name of a capture; move it away, or name another folder with --out",
  EMFILE: "too many open files; raise `ulimit -n`",
  ENFILE: "too many open files on this machine; close some programs",
  EIO: "the disk reports an error; name a folder on another disk with --out"
}

export class CaptureWriteError extends Data.TaggedError("CaptureWriteError")<{
  readonly file: string
  readonly cause: unknown
}> {
  /** Not a bug and not a failed expectation: where it was told to write is unusable. */
  override readonly [Runtime.errorExitCode] = 2

  override get message(): string {
    const { cause } = this
    const code = cause instanceof Error && "code" in cause ? String(cause.code) : ""
    const what = cause instanceof Error ? cause.message : String(cause)
    const advice = ADVICE[code]
    return `${this.file}: cannot write captures: ${advice === undefined ? what : `${code}: ${advice}`}. ` +
      "What was written before is whole up to its last packet"
  }
}
