/** What the host refused, in the words of Go's os.PathError and syscall.Errno. */

const TEXTS: Readonly<Record<string, string>> = {
  EACCES: "permission denied",
  EEXIST: "file exists",
  EFBIG: "file too large",
  EIO: "input/output error",
  EISDIR: "is a directory",
  ELOOP: "too many levels of symbolic links",
  EMFILE: "too many open files",
  ENAMETOOLONG: "file name too long",
  ENFILE: "too many open files in system",
  ENOENT: "no such file or directory",
  ENOSPC: "no space left on device",
  ENOTDIR: "not a directory",
  EPERM: "operation not permitted",
  EROFS: "read-only file system"
}

export function goError(error: unknown, verb = "", path = ""): string {
  const code = error instanceof Error && "code" in error ? String(error.code) : ""
  const text = TEXTS[code] ?? (error instanceof Error ? error.message : String(error))
  return verb === "" ? text : `${verb} ${path}: ${text}`
}
