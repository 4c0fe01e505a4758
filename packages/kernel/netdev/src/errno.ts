/**
 * What a caller's mistake is answered with: Linux's numbers and names (errno-base.h, errno.h). 0 is
 * success.
 */
export type Errno = number

export const Errno = {
  OK: 0, EPERM: 1, ENOENT: 2, ESRCH: 3, EINTR: 4, EIO: 5, ENXIO: 6, EAGAIN: 11, ENOMEM: 12,
  EACCES: 13, EBUSY: 16, EEXIST: 17, ENODEV: 19, EINVAL: 22, ENFILE: 23, ENOSPC: 28, EPIPE: 32,
  ERANGE: 34, ELOOP: 40, EXFULL: 54, ENONET: 64, EPROTO: 71, EDESTADDRREQ: 89, EMSGSIZE: 90,
  ENOPROTOOPT: 92, EPROTONOSUPPORT: 93,
  EOPNOTSUPP: 95, EAFNOSUPPORT: 97, EADDRINUSE: 98, EADDRNOTAVAIL: 99, ENETDOWN: 100,
  ENETUNREACH: 101, ECONNABORTED: 103, ECONNRESET: 104, ENOBUFS: 105, EISCONN: 106, ENOTCONN: 107,
  ETIMEDOUT: 110, ECONNREFUSED: 111, EHOSTDOWN: 112, EHOSTUNREACH: 113, EALREADY: 114,
  EINPROGRESS: 115
} as const

const NAMES = new Map<number, string>(Object.entries(Errno).map(([name, number]) => [number, name]))

/** glibc's strerror for the ones that programs print. */
const TEXTS = new Map<number, string>([
  [Errno.EPERM, "Operation not permitted"],
  [Errno.ENOENT, "No such file or directory"],
  [Errno.ESRCH, "No such process"],
  [Errno.EAGAIN, "Resource temporarily unavailable"],
  [Errno.EACCES, "Permission denied"],
  [Errno.EBUSY, "Device or resource busy"],
  [Errno.EEXIST, "File exists"],
  [Errno.ENODEV, "No such device"],
  [Errno.EINVAL, "Invalid argument"],
  [Errno.EPIPE, "Broken pipe"],
  [Errno.ERANGE, "Numerical result out of range"],
  [Errno.EXFULL, "Exchange full"],
  [Errno.ENONET, "Machine is not on the network"],
  [Errno.EPROTO, "Protocol error"],
  [Errno.EDESTADDRREQ, "Destination address required"],
  [Errno.EMSGSIZE, "Message too long"],
  [Errno.ENOPROTOOPT, "Protocol not available"],
  [Errno.EOPNOTSUPP, "Operation not supported"],
  [Errno.EAFNOSUPPORT, "Address family not supported by protocol"],
  [Errno.EADDRINUSE, "Address already in use"],
  [Errno.EADDRNOTAVAIL, "Cannot assign requested address"],
  [Errno.ENETDOWN, "Network is down"],
  [Errno.ENETUNREACH, "Network is unreachable"],
  [Errno.ECONNRESET, "Connection reset by peer"],
  [Errno.ENOBUFS, "No buffer space available"],
  [Errno.ETIMEDOUT, "Connection timed out"],
  [Errno.ECONNREFUSED, "Connection refused"],
  [Errno.EHOSTUNREACH, "No route to host"],
  [Errno.EINPROGRESS, "Operation now in progress"],
  [Errno.EALREADY, "Operation already in progress"],
  [Errno.EISCONN, "Transport endpoint is already connected"],
  [Errno.ENOTCONN, "Transport endpoint is not connected"],
  [Errno.ECONNABORTED, "Software caused connection abort"],
  [Errno.EHOSTDOWN, "Host is down"]
])

export function errnoName(errno: Errno): string {
  return NAMES.get(errno) ?? `errno ${errno}`
}

export function strerror(errno: Errno): string {
  return errno === 0 ? "Success" : TEXTS.get(errno) ?? errnoName(errno)
}
