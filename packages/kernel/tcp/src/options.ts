/** What setsockopt sets, before and after a connection exists: a listener's are copied to what it accepts. */
export class SocketOptions {
  /** SO_REUSEADDR, IPV6_V6ONLY, TCP_NODELAY, TCP_CORK, SO_KEEPALIVE. */
  reuseAddr = false
  v6only = false
  noDelay = false
  cork = false
  keepAlive = false
  /** SO_LINGER in seconds; -1 is off, 0 resets at close. */
  lingerSeconds = -1
  /**
   * TCP_USER_TIMEOUT, TCP_KEEPIDLE, TCP_KEEPINTVL, TCP_KEEPCNT, TCP_SYNCNT, TCP_LINGER2, TCP_MAXSEG,
   * TCP_QUICKACK's ping-pong; 0 is the namespace's.
   */
  userTimeoutMs = 0
  keepIdleSeconds = 0
  keepIntervalSeconds = 0
  keepCount = 0
  synCount = 0
  linger2Seconds = 0
  maxSegment = 0
  /** SO_RCVBUF and SO_SNDBUF as getsockopt tells them (twice what was asked); 0 is automatic. */
  rcvbuf = 0
  sndbuf = 0
  /** SO_RCVLOWAT. */
  rcvlowat = 1
  /** TCP_CONGESTION; empty is the namespace's. */
  congestion = ""
  /** IP_TTL, IPV6_UNICAST_HOPS; 0 is the namespace's. IP_TOS, IPV6_TCLASS. */
  ttl = 0
  tos = 0
  /** IP_RECVERR: ICMP errors end an established connection's calls. */
  recvErr = false

  /** A listener's or a socket's, for a connection of its own. */
  copyFrom(other: SocketOptions): this {
    this.reuseAddr = other.reuseAddr
    this.v6only = other.v6only
    this.noDelay = other.noDelay
    this.cork = other.cork
    this.keepAlive = other.keepAlive
    this.lingerSeconds = other.lingerSeconds
    this.userTimeoutMs = other.userTimeoutMs
    this.keepIdleSeconds = other.keepIdleSeconds
    this.keepIntervalSeconds = other.keepIntervalSeconds
    this.keepCount = other.keepCount
    this.synCount = other.synCount
    this.linger2Seconds = other.linger2Seconds
    this.maxSegment = other.maxSegment
    this.rcvbuf = other.rcvbuf
    this.sndbuf = other.sndbuf
    this.rcvlowat = other.rcvlowat
    this.congestion = other.congestion
    this.ttl = other.ttl
    this.tos = other.tos
    this.recvErr = other.recvErr
    return this
  }
}
