/**
 * One namespace on a test bench: its devices end in the test, which sees every frame that leaves, as one
 * line of text with the virtual time since the last `mark`, and puts frames in.
 */
import { Engine } from "@podwire/engine"
import { completeChecksum, Direction, errnoName, type Frame, FramePool, type NetDevice, Nic } from "@podwire/netdev"
import { Netns, type UdpSocket } from "@podwire/netns"
import { parse as cidr } from "@podwire/wire/cidr"
import { format, parse as ip } from "@podwire/wire/ip"
import * as mac from "@podwire/wire/mac"
import { line } from "@podwire/wire/print"

export interface Sent {
  readonly ns: number
  readonly dev: string
  readonly bytes: Uint8Array
  /** Something that happened and is no frame. */
  readonly note?: string
}

const NOTHING = new Uint8Array(80)

export class Rig {
  readonly engine: Engine
  readonly pool: FramePool
  readonly ns: Netns
  readonly sent: Array<Sent> = []
  #markNs = 0

  constructor(seed = 7, name = "host") {
    this.engine = new Engine(seed)
    this.pool = new FramePool(this.engine)
    this.ns = new Netns(this.engine, this.pool, name)
    this.ns.setUp(this.ns.lo)
  }

  /** A card with that MAC, up, with these addresses: without tests unless they end in "?". */
  card(name: string, address: string, ...cidrs: ReadonlyArray<string>): Nic {
    const nic = new Nic(this.engine, this.pool, name, mac.parse(address)!)
    nic.wire = { send: (from, frame) => this.#leave(from as Nic, frame) }
    this.ns.attach(nic)
    this.ns.setUp(nic)
    for (const text of cidrs) {
      const tested = text.endsWith("?")
      this.ns.addAddress(nic, cidr(text.replace("?", ""))!, { nodad: !tested })
    }
    return nic
  }

  /** Settings, then devices: what is given before `card` counts for the default. */
  sysctl(settings: Readonly<Record<string, string | number>>): this {
    for (const [name, value] of Object.entries(settings)) {
      const errno = this.ns.sysctl.set(name, String(value))
      if (errno !== 0) throw new Error(`${name}: errno ${errno}`)
    }
    return this
  }

  /** No groups, no routers, no tests of addresses: for tests about something else. */
  quiet(): this {
    return this.sysctl({
      "net.ipv6.conf.all.accept_dad": 0, "net.ipv6.conf.default.accept_dad": 0,
      "net.ipv6.conf.default.router_solicitations": 0
    })
  }

  loopback(...cidrs: ReadonlyArray<string>): void {
    for (const text of cidrs) this.ns.addAddress(this.ns.lo, cidr(text)!)
  }

  route(
    dst: string, via: string | null, type: "unicast" | "unreachable" | "prohibit" | "blackhole" | "throw" = "unicast",
    dev?: NetDevice
  ): number {
    return this.ns.addRoute({
      dst: cidr(dst)!, type, ...(via === null ? {} : { via: ip(via)! }), ...(dev === undefined ? {} : { dev })
    })
  }

  neigh(dev: Nic, address: string, at: string): void {
    const table = address.includes(":") ? this.ns.neigh6 : this.ns.neigh4
    table.add(dev, ip(address)!, mac.parse(at)!, "permanent")
  }

  /** What goes over `lo` shows in the text too. */
  watchLo(): this {
    const { lo } = this.ns
    lo.tap = {
      see: (_dev, direction, frame) => {
        if (direction !== Direction.Out) return
        this.sent.push({ ns: this.engine.nowNs, dev: "lo", bytes: frame.bytes.slice(frame.head, frame.tail) })
      }
    }
    return this
  }

  note(text: string): void {
    this.sent.push({ ns: this.engine.nowNs, dev: "", bytes: NOTHING, note: text })
  }

  /** A UDP socket whose arrivals and errors are noted. */
  udp(version: 4 | 6, name = "socket"): UdpSocket {
    const socket = this.ns.udp(version)
    socket.recvErr = true
    socket.onError = () => {
      const [error] = socket.errors.splice(0)
      const from = error === undefined ? "" : ` (${error.type}/${error.code} from ${format(error.offender)})`
      this.note(`${name}: ${errnoName(socket.takeError())}${from}`)
    }
    socket.onReceive = (_, datagram) => {
      this.note(`${name}: ${datagram.payload.length} octets from ${format(datagram.src)}.${datagram.srcPort}`)
    }
    return socket
  }

  /** As `ip neigh` lists them. */
  neighbours(version: 4 | 6): string {
    const table = version === 4 ? this.ns.neigh4 : this.ns.neigh6
    return table.list().map((neigh) =>
      `${format(neigh.ip)} dev ${neigh.dev.name}${neigh.valid ? ` lladdr ${mac.format(neigh.mac)}` : ""} ` +
      table.stateOf(neigh)
    ).join("\n")
  }

  /** A frame arrives; what it causes at this instant happens. */
  inject(dev: NetDevice, bytes: Uint8Array): void {
    const frame = this.pool.alloc(bytes.length)!
    frame.bytes.set(bytes, frame.head)
    frame.tail = frame.head + bytes.length
    this.engine.soon(dev, frame)
    this.engine.advance(this.engine.nowNs, 1e5)
  }

  run(milliseconds: number): void {
    this.engine.advance(this.engine.nowNs + milliseconds * 1e6, 1e6)
  }

  /** Forget what was sent so far and count time from here. */
  mark(): void {
    this.sent.length = 0
    this.#markNs = this.engine.nowNs
  }

  /** What left since the last mark or text, one line a frame; group reports only when asked for. */
  text(groups = false): string {
    const lines = this.sent.filter(({ bytes }) => groups || !isReport(bytes)).map(({ ns, dev, bytes, note }) => {
      const at = ((ns - this.#markNs) / 1e6).toFixed(0)
      if (note !== undefined) return `${at} ${note}`
      const printed = line(bytes, 0, bytes.length, { link: true })
      return `${at} ${dev} ${printed.replace(/, ethertype ([^ ]+) \(0x[0-9a-f]+\), length \d+/, "")}`
    })
    this.sent.length = 0
    return lines.join("\n")
  }

  /** Nothing is left of any frame. */
  get atRest(): { readonly inFlight: number; readonly balance: string | null } {
    return { inFlight: this.pool.inFlight, balance: this.pool.balance() }
  }

  /** A card finishes the checksum that was left to it. */
  #leave(nic: Nic, frame: Frame): void {
    completeChecksum(frame)
    this.sent.push({
      ns: this.engine.nowNs, dev: nic.name, bytes: frame.bytes.slice(frame.head, frame.tail)
    })
    this.pool.free(frame)
  }
}

/** MLD and IGMP. */
export function isReport(bytes: Uint8Array): boolean {
  const type = (bytes[12]! << 8) | bytes[13]!
  if (type === 0x86dd) return bytes[20] === 0 && bytes[54] === 58 && bytes[62] === 143
  return type === 0x0800 && bytes[23] === 2
}
