/**
 * Plays a script on our stack, in virtual time: one namespace with one card whose other end is the script.
 * Beside the script two promises of `socket.ts` are watched: `wake` is never called from inside a call, and a
 * call that would have blocked does not succeed before `wake` told so.
 */
import { Checksum, errnoName } from "@podwire/netdev"
import { get16, set16 } from "@podwire/wire/bytes"
import { finish, sum } from "@podwire/wire/checksum"
import { parse as ip } from "@podwire/wire/ip"
import { isReport, Rig } from "../../../netns/test/rig.ts"
import { stateName } from "../../src/state.ts"
import { Tcp } from "../../src/tcp.ts"
import type { TcpSocket } from "../../src/socket.ts"
import {
  complete, Flows, icmpFrame, pattern, PEER, PEER_PORT, pseudoOf, segmentFrame, STACK
} from "./frame.ts"
import { type Happened, TAIL_SECONDS, timestamped, type Tolerance } from "./match.ts"
import type { Call, Event, Script } from "./script.ts"

/** A millisecond for what Linux counts in jiffies or rounds. */
export const VIRTUAL: Tolerance = { seconds: 0.001, ratio: 0 }
const STEPS_MAX = 1e6

/** `look` sees the stack when the script is over. */
export function playVirtual(
  script: Script, family: 4 | 6, look: (tcp: Tcp) => void = () => {}
): ReadonlyArray<Happened> {
  return new Player(script, family).play(look)
}

interface Handle {
  readonly socket: TcpSocket
  sent: number
  received: number
  /** Who got EAGAIN and has not heard of anything since. */
  blockedIn: boolean
  blockedOut: boolean
}

class Player {
  readonly #script: Script
  readonly #family: 4 | 6
  readonly #rig: Rig
  readonly #tcp: Tcp
  readonly #flows = new Flows()
  readonly #handles = new Map<string, Handle>()
  readonly #happened: Array<Happened> = []
  readonly #startNs: number
  #inside = false
  readonly #broken: Array<string> = []

  constructor(script: Script, family: 4 | 6) {
    this.#script = script
    this.#family = family
    this.#rig = new Rig().quiet().sysctl(Object.fromEntries(script.sysctls))
    const nic = this.#rig.card("tap0", STACK.mac, `${STACK[4]}/24`, `${STACK[6]}/64`)
    this.#rig.ns.setMtu(nic, script.mtu)
    this.#rig.neigh(nic, PEER[4], PEER.mac)
    this.#rig.neigh(nic, PEER[6], PEER.mac)
    this.#tcp = Tcp.of(this.#rig.ns)
    this.#rig.run(3000)
    nic.wire = {
      send: (_from, frame) => {
        const bytes = frame.bytes.slice(frame.head, frame.tail)
        if (frame.csum === Checksum.Partial) finishPartial(bytes)
        this.#rig.pool.free(frame)
        if (isReport(bytes)) return
        this.#happened.push({ atSeconds: this.#now, kind: "frame", bytes })
        this.#flows.learn(bytes)
      }
    }
    this.#startNs = this.#rig.engine.nowNs
  }

  get #now(): number {
    return (this.#rig.engine.nowNs - this.#startNs) / 1e9
  }

  play(look: (tcp: Tcp) => void): ReadonlyArray<Happened> {
    const usual = timestamped(this.#script)
    for (const event of this.#script.events) {
      if (event.kind === "expect") continue
      this.#advance(event.atSeconds)
      const entry = { atSeconds: this.#now, kind: "caused" as const, result: "0" }
      this.#happened.push(entry)
      entry.result = this.#cause(event, usual)
      this.#advance(event.atSeconds)
      if (this.#broken.length > 0) entry.result = this.#broken.splice(0).join(", ")
    }
    this.#advance(Math.max(...this.#script.events.map(({ untilSeconds }) => untilSeconds)) + TAIL_SECONDS)
    look(this.#tcp)
    return this.#happened
  }

  #advance(seconds: number): void {
    this.#rig.engine.advance(this.#startNs + Math.round(seconds * 1e9), STEPS_MAX)
  }

  #cause(event: Event, usual: ReadonlySet<number>): string {
    const nic = this.#rig.ns.links.byName("tap0")!
    if (event.kind === "inject") {
      const { segment, flow, atSeconds } = event
      const outgoing = segmentFrame(segment, flow, this.#family, usual.has(flow), atSeconds)
      this.#rig.inject(nic, complete(outgoing, this.#flows))
    } else if (event.kind === "icmp") {
      this.#rig.inject(nic, complete(icmpFrame(event.icmp, event.flow, this.#family), this.#flows))
    } else if (event.kind === "call") {
      this.#inside = true
      try {
        return this.#call(event.call)
      } finally {
        this.#inside = false
      }
    }
    return "0"
  }

  #adopt(name: string, socket: TcpSocket): void {
    const handle: Handle = { socket, sent: 0, received: 0, blockedIn: false, blockedOut: false }
    socket.wake = () => {
      if (this.#inside) this.#broken.push(`${name}.wake came from inside a call`)
      handle.blockedIn = false
      handle.blockedOut = false
    }
    this.#handles.set(name, handle)
  }

  #call({ name, socket: key, args }: Call): string {
    if (name === "socket") {
      this.#adopt(key, this.#tcp.socket(this.#family))
      return "0"
    }
    const handle = this.#handles.get(key)
    if (handle === undefined) return `no socket ${key}`
    const { socket } = handle
    switch (name) {
      case "bind":
        return errno(socket.bind(null, Number(args[0])))
      case "listen":
        return errno(socket.listen(Number(args[0])))
      case "accept":
        return this.#accept(handle, args[0] ?? "")
      case "connect":
        return errno(socket.connect(ip(PEER[this.#family])!, PEER_PORT + Number(args[0] ?? 1)))
      case "send":
        return this.#send(handle, Number(args[0]))
      case "recv":
        return this.#recv(handle, Number(args[0]))
      case "shutdown":
        return errno(socket.shutdown(args[0] as "read" | "write" | "both"))
      case "close":
        socket.close()
        this.#handles.delete(key)
        return "0"
      case "setsockopt":
        return setOption(socket, args[0]!, Number(args[1]))
      case "so_error":
        return errno(socket.takeError())
      case "state":
        return stateName(socket.state)
      case "poll":
        return `${socket.readable ? "in " : ""}${socket.writable ? "out" : ""}`.trim() || "none"
      case "available":
        return String(socket.available)
      default:
        return `no call ${name}`
    }
  }

  #accept(handle: Handle, name: string): string {
    const made = handle.socket.accept()
    if (typeof made === "number") return told(handle, "blockedIn", errno(made))
    this.#adopt(name, made)
    return told(handle, "blockedIn", "0")
  }

  #send(handle: Handle, length: number): string {
    const bytes = Uint8Array.from({ length }, (_, i) => pattern(handle.sent + i))
    const took = handle.socket.send(bytes)
    if (took > 0) handle.sent += took
    return told(handle, "blockedOut", took < 0 ? errno(-took) : String(took))
  }

  #recv(handle: Handle, length: number): string {
    const into = new Uint8Array(length)
    const got = handle.socket.recv(into)
    if (got < 0) return told(handle, "blockedIn", errno(-got))
    const good = into.subarray(0, got).every((octet, i) => octet === pattern(handle.received + i))
    handle.received += got
    return told(handle, "blockedIn", good ? String(got) : `${got} other octets`)
  }
}

/** Our own shutdown ends the waiting of either without anybody telling. */
function told(handle: Handle, side: "blockedIn" | "blockedOut", result: string): string {
  const blocked = handle[side]
  handle[side] = result === "EAGAIN"
  return blocked && !["EAGAIN", "EPIPE", "0"].includes(result) ? `${result}, and wake never told` : result
}

function errno(value: number): string {
  return value === 0 ? "0" : errnoName(value)
}

function setOption(socket: TcpSocket, name: string, value: number): string {
  const on = value !== 0
  switch (name) {
    case "SO_REUSEADDR":
      socket.reuseAddr = on
      break
    case "IPV6_V6ONLY":
      socket.v6only = on
      break
    case "TCP_NODELAY":
      socket.noDelay = on
      break
    case "TCP_CORK":
      socket.cork = on
      break
    case "SO_KEEPALIVE":
      socket.keepAlive = on
      break
    case "SO_LINGER":
      socket.lingerSeconds = value
      break
    case "TCP_USER_TIMEOUT":
      socket.userTimeoutMs = value
      break
    case "TCP_KEEPIDLE":
      socket.keepIdleSeconds = value
      break
    case "TCP_KEEPINTVL":
      socket.keepIntervalSeconds = value
      break
    case "TCP_KEEPCNT":
      socket.keepCount = value
      break
    case "TCP_SYNCNT":
      socket.synCount = value
      break
    case "TCP_LINGER2":
      socket.linger2Seconds = value
      break
    case "TCP_MAXSEG":
      socket.maxSegment = value
      break
    default:
      return `no option ${name}`
  }
  socket.apply()
  return "0"
}

/** A checksum of the pseudo header only, as the stack leaves it for a device; a wrong one stays wrong. */
function finishPartial(frame: Uint8Array): void {
  const l4 = get16(frame, 12) === 0x0800 ? 34 : 54
  if (get16(frame, l4 + 16) !== pseudoOf(frame, l4, 6)) return
  set16(frame, l4 + 16, 0)
  set16(frame, l4 + 16, finish(sum(frame, l4, frame.length, pseudoOf(frame, l4, 6))))
}

