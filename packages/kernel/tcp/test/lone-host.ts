/**
 * One host whose only neighbour is the test: segments are written here, whatever they say, and what the host
 * sends is read, counted and forgotten. Drops are counted by reason.
 */
import { Engine, SECOND } from "@podwire/engine"
import { completeChecksum, dropReasonName, type Frame, FramePool, Nic } from "@podwire/netdev"
import { Netns } from "@podwire/netns"
import { Tcp } from "@podwire/tcp"
import { set16 } from "@podwire/wire/bytes"
import { parse as cidr } from "@podwire/wire/cidr"
import * as eth from "@podwire/wire/eth"
import { parse as ip, v4 } from "@podwire/wire/ip"
import * as ipv4 from "@podwire/wire/ipv4"
import * as ipv6 from "@podwire/wire/ipv6"
import * as tcp from "@podwire/wire/tcp"

export const HOST = { 4: ip("10.0.0.1")!, 6: ip("fd00::1")! } as const
const HOST_MAC = 0x020000000001
const PEER_MAC = 0x020000000002
const STEPS_MAX = 1e8

export interface Given {
  readonly family?: 4 | 6
  /** The peer's: the last word of its address, and its port. */
  readonly host?: number
  readonly from?: number
  readonly to: number
  readonly seq?: number
  readonly ack?: number
  readonly flags: number
  readonly window?: number
  /** Padded to words by whoever gives them. */
  readonly options?: Uint8Array
  readonly data?: Uint8Array
  /** In words, when it is not to be what it should. */
  readonly dataOffset?: number
  readonly badSum?: boolean
}

const NOTHING = new Uint8Array(0)

/** The network behind the host's card, 10.0.0.0/8 and fd00::/64. */
export function segment(given: Given): Uint8Array {
  const { family = 4, host = 2, from = 50_000, seq = 0, ack = 0, window = 65_535 } = given
  const { options = NOTHING, data = NOTHING } = given
  const l4 = eth.HEADER_BYTES + (family === 4 ? ipv4.HEADER_BYTES_MIN : ipv6.HEADER_BYTES)
  const bytes = new Uint8Array(l4 + 20 + options.length + data.length)
  eth.write(bytes, 0, { dst: HOST_MAC, src: PEER_MAC, etherType: family === 4 ? 0x0800 : 0x86dd })
  tcp.writeHeader(bytes, l4, from, given.to, seq, ack, 20 + options.length, given.flags, window)
  bytes.set(options, l4 + 20)
  bytes.set(data, l4 + 20 + options.length)
  if (given.dataOffset !== undefined) bytes[l4 + 12] = given.dataOffset << 4
  if (family === 4) {
    const src = (10 << 24) + host
    ipv4.writeHeader(bytes, 14, 0, bytes.length - 14, 1, ipv4.DF, 64, 6, src, HOST[4][0]!)
    tcp.finishChecksum4(bytes, l4, bytes.length, src, HOST[4][0]!)
  } else {
    ipv6.writeHeader(bytes, 14, 0, 0, bytes.length - l4, 6, 64, peer(6, host), HOST[6])
    tcp.finishChecksum6(bytes, l4, bytes.length, 14)
  }
  if (given.badSum === true) set16(bytes, l4 + 16, tcp.checksum(bytes, l4) ^ 0x0101)
  return bytes
}

export function peer(family: 4 | 6, host = 2): Int32Array {
  return family === 4 ? v4((10 << 24) + host) : Int32Array.of(ip("fd00::")![0]!, 0, 0, host)
}

export interface Reply {
  readonly flags: number
  readonly seq: number
  readonly ack: number
  readonly window: number
  readonly dstPort: number
  readonly bytes: number
}

export class LoneHost {
  readonly engine: Engine
  readonly pool: FramePool
  readonly ns: Netns
  readonly tcp: Tcp
  readonly nic: Nic
  readonly drops = new Map<string, number>()
  replies = 0
  resets = 0
  last: Reply | null = null

  constructor(sysctls: Readonly<Record<string, string | number>> = {}, seed = 7) {
    this.engine = new Engine(seed)
    this.pool = new FramePool(this.engine)
    this.pool.observer = {
      dropped: (_, reason) => {
        const name = dropReasonName(reason)
        this.drops.set(name, (this.drops.get(name) ?? 0) + 1)
      }
    }
    this.ns = new Netns(this.engine, this.pool, "host")
    const all = { "net.ipv6.conf.default.router_solicitations": 0, ...sysctls }
    for (const [name, value] of Object.entries(all)) {
      const errno = this.ns.sysctl.set(name, String(value))
      if (errno !== 0) throw new Error(`${name}: errno ${errno}`)
    }
    this.ns.setUp(this.ns.lo)
    this.nic = new Nic(this.engine, this.pool, "eth0", HOST_MAC)
    this.nic.wire = { send: (_, frame) => this.#leaves(frame) }
    this.ns.attach(this.nic)
    this.ns.setUp(this.nic)
    this.ns.addAddress(this.nic, cidr("10.0.0.1/8")!)
    this.ns.addAddress(this.nic, cidr("fd00::1/64")!, { nodad: true })
    this.tcp = Tcp.of(this.ns)
    for (const family of [4, 6] as const) this.knows(family, 2)
    this.run(3)
    this.drops.clear()
    this.replies = 0
  }

  /** A neighbour that needs no asking. */
  knows(family: 4 | 6, host: number): void {
    const table = family === 4 ? this.ns.neigh4 : this.ns.neigh6
    table.add(this.nic, peer(family, host), PEER_MAC, "permanent")
  }

  run(seconds: number): void {
    this.engine.advance(this.engine.nowNs + seconds * SECOND, STEPS_MAX)
  }

  /** It arrives, and what it causes at once happens. */
  inject(bytes: Uint8Array): void {
    const frame = this.pool.alloc(bytes.length)!
    frame.bytes.set(bytes, frame.head)
    frame.tail = frame.head + bytes.length
    this.engine.soon(this.nic, frame)
    this.engine.advance(this.engine.nowNs, STEPS_MAX)
  }

  send(given: Given): void {
    this.inject(segment(given))
  }

  /** Drops since the last question, as text. */
  get dropped(): string {
    const text = [...this.drops].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, count]) => `${name} ${count}`)
    this.drops.clear()
    return text.join(", ")
  }

  #leaves(frame: Frame): void {
    const { bytes, head, tail } = frame
    const type = eth.etherType(bytes, head)
    const v4 = type === 0x0800
    const isTcp = v4 ? bytes[head + 23] === 6 : type === 0x86dd && bytes[head + 20] === 6
    if (isTcp) {
      completeChecksum(frame)
      const l4 = head + (v4 ? 34 : 54)
      this.replies++
      const { flags, seq, ack, window, dstPort, headerBytes } = tcp.read(bytes, l4)
      if ((flags & tcp.RST) !== 0) this.resets++
      this.last = { flags, seq, ack, window, dstPort, bytes: tail - l4 - headerBytes }
    }
    this.pool.free(frame)
  }
}
