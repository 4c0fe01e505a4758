/**
 * Numbers that an outsider must not guess (net/core/secure_seq.c): the first sequence number, which is a
 * keyed hash of the connection plus a clock of 64 ns (RFC 6528), the offset of a pair's timestamps, and where
 * in its range a connect begins to look for a port (RFC 6056, algorithm 3). One object a namespace, both
 * families. Linux has one key a machine; a key a namespace keeps namespaces from drawing on each other.
 */
import type { Ns, Prng } from "@podwire/engine"
import type { Ip } from "@podwire/wire/ip"
import { KeyedHash } from "./keyed-hash.ts"

const CLOCK_NS = 64

export class Isn {
  readonly #net: KeyedHash
  readonly #stamp: KeyedHash

  /** Its stream is `isn:` and the namespace's name. */
  constructor(prng: Prng) {
    this.#net = KeyedHash.drawn(prng)
    this.#stamp = KeyedHash.drawn(prng)
  }

  /** secure_tcp_seq, secure_tcpv6_seq: a signed word; the clock comes round after 274 s. */
  sequence(local: Ip, remote: Ip, localPort: number, remotePort: number, nowNs: Ns): number {
    const hash = this.#net.begin().addAll(local).addAll(remote).add((localPort << 16) | remotePort).end()
    return (hash + Math.floor(nowNs / CLOCK_NS)) | 0
  }

  /**
   * secure_tcp_ts_off, secure_tcpv6_ts_off: a signed word. Of use while tcp_timestamps is 1; at 2 it is 0.
   */
  timestampOffset(local: Ip, remote: Ip): number {
    return this.#stamp.begin().addAll(local).addAll(remote).end()
  }

  /**
   * secure_ipv4_port_ephemeral, secure_ipv6_port_ephemeral: a signed word. No connection has port 0, so it is
   * apart.
   */
  portOffset(local: Ip, remote: Ip, remotePort: number): number {
    return this.#net.begin().addAll(local).addAll(remote).add(remotePort).end()
  }
}
