/**
 * The end of a connection (tcp_done_with_error, tcp_reset, tcp_set_state): it leaves the tables; its
 * program may still read.
 */
import { Errno } from "@podwire/netdev"
import type { Connection } from "./connection.ts"
import { purge, sendReset } from "./output.ts"
import { State } from "./state.ts"

/** `errno` OK: it ended in order. */
export function finish(c: Connection, errno: Errno): void {
  if (c.state === State.CLOSED) return
  const { mib } = c.tcp
  // What its own program gives up has not failed.
  if (errno !== Errno.OK && (c.state === State.SYN_SENT || c.state === State.SYN_RECV)) mib.TcpAttemptFails++
  if (c.state === State.ESTABLISHED || c.state === State.CLOSE_WAIT) mib.TcpEstabResets++
  if (errno !== Errno.OK) c.error = errno
  purge(c)
  c.state = State.CLOSED
  c.rcvShutdown = true
  c.sndShutdown = true
  c.queue.dropEarly()
  c.rto.cancel()
  c.delack.cancel()
  c.keepalive?.cancel()
  c.tcp.leave(c)
  c.wakeUp()
}

/** A RST came (tcp_reset). */
export function resetByPeer(c: Connection): void {
  const errno = c.state === State.SYN_SENT ? Errno.ECONNREFUSED
    : c.state === State.CLOSE_WAIT ? Errno.EPIPE : Errno.ECONNRESET
  finish(c, errno)
}

/** We end it with a RST (tcp_disconnect, tcp_send_active_reset). */
export function abort(c: Connection, errno: Errno): void {
  const { state } = c
  const known = state !== State.CLOSED && state !== State.SYN_SENT && state !== State.LISTEN
  // Only where the peer may still believe in it (tcp_need_reset).
  const needs = known && state !== State.LAST_ACK && state !== State.TIME_WAIT && state !== State.CLOSING
  if (needs || (known && c.unsent > 0)) sendReset(c)
  finish(c, errno)
}

/** Its program has closed it, and is one too many (tcp_check_oom). */
export function limitOrphans(c: Connection): void {
  if (c.state === State.CLOSED || !c.tcp.tooManyOrphans()) return
  c.tcp.mib.TCPAbortOnMemory++
  sendReset(c)
  finish(c, Errno.OK)
}
