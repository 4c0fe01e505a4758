/**
 * Two programs that talk over a `Pair`: each writes its octets in pieces, reads what comes in other pieces,
 * rests now and then, and ends as it was told. What they learn is compared with what was sent; what is left
 * when they are gone is looked for.
 */
import { CallbackTimer, type Ns, type Prng, SECOND } from "@podwire/engine"
import { Errno, errnoName, type LinkSpec, type NetDevice } from "@podwire/netdev"
import type { Netns } from "@podwire/netns"
import { parse as ip } from "@podwire/wire/ip"
import type { TcpSocket } from "../src/socket.ts"
import { State } from "../src/state.ts"
import { Pair } from "./pair.ts"
import { WireLaws } from "./wire-laws.ts"

export const PORT = 8080
const MACS = [0x020000000001, 0x020000000002] as const

/** When a side ends its direction, and how. */
export type Ending =
  /** Its last octet written; it reads on. */
  | "shutdown"
  /** When the other side has ended. */
  | "after"
  /** Its last octet written; it is gone, nobody reads. */
  | "close"

export interface Side {
  readonly octets: number
  readonly writeMax: number
  readonly readMax: number
  /** Chance of a rest after each call, in 256; and its length at the most. */
  readonly rests: number
  readonly restNs: Ns
  readonly rcvbuf: number
  readonly sndbuf: number
  readonly noDelay: boolean
  readonly mtu: number
  readonly ending: Ending
  readonly sysctls: Readonly<Record<string, number | string>>
}

export interface Talk {
  readonly seed: number
  readonly family: 4 | 6
  readonly forth: Partial<LinkSpec>
  readonly back: Partial<LinkSpec>
  readonly a: Side
  readonly b: Side
  /** From then on everything is lost, for ever. */
  readonly cutNs?: Ns
  /** Where sequence numbers and clocks begin. */
  readonly iss?: readonly [number, number]
  readonly clocks?: readonly [number, number]
}

export interface Heard {
  /** "end" is the end of the stream, "gone" that it closed before; else an errno. */
  readonly outcome: string
  readonly octets: number
  /** Octets that were not those that were sent. */
  readonly wrong: number
}

export interface Story {
  readonly a: Heard
  readonly b: Heard
  readonly accepted: number
  /** Laws that were broken on the wire, and what was left over. */
  readonly complaints: ReadonlyArray<string>
  readonly endNs: Ns
  readonly segments: number
}

/** Octet `offset` of what `a` (0) or `b` (1) says. */
export function octet(side: 0 | 1, offset: number): number {
  return (Math.imul(offset ^ (offset >>> 7), 0x9e3779b1) >>> 13 ^ side) & 0xff
}

/** Longer than any timeout of the stack. */
const BOUND_NS = 20_000 * SECOND
/** More, and a peer that has closed would give up a reader as slow as that (tcp_orphan_retries). */
const RESTS_MAX = 6
const STEPS_MAX = 5_000_000

class Program {
  readonly #side: Side
  readonly #which: 0 | 1
  readonly #prng: Prng
  readonly #rest: CallbackTimer
  readonly #pair: Pair
  #socket: TcpSocket | null = null
  #rested = 0
  #sent = 0
  #ended = false
  #heardEnd = false
  outcome = ""
  octets = 0
  wrong = 0

  constructor(pair: Pair, side: Side, which: 0 | 1) {
    this.#pair = pair
    this.#side = side
    this.#which = which
    this.#prng = pair.engine.prng(`program ${which}`)
    this.#rest = new CallbackTimer(() => this.step())
  }

  options(socket: TcpSocket): TcpSocket {
    socket.rcvbuf = this.#side.rcvbuf
    socket.sndbuf = this.#side.sndbuf
    socket.noDelay = this.#side.noDelay
    // Who only listens learns of a dead peer by asking.
    socket.keepAlive = true
    socket.keepIdleSeconds = 40
    socket.keepIntervalSeconds = 10
    socket.keepCount = 16
    return socket
  }

  has(socket: TcpSocket): void {
    this.#socket = socket
    socket.wake = () => {
      if (!this.#rest.armed) this.step()
    }
  }

  step(): void {
    const socket = this.#socket
    if (socket === null || socket.state === State.SYN_SENT) return
    const errno = socket.takeError()
    if (errno !== Errno.OK) return this.#leave(errnoName(errno))
    for (let more = true; more && this.#socket !== null;) {
      more = this.#write(socket)
      if (this.#socket === null || this.#rests()) return
      more = this.#read(socket) || more
      if (this.#socket === null || this.#rests()) return
    }
  }

  #rests(): boolean {
    if (this.#rested === RESTS_MAX || !this.#prng.chance(this.#side.rests, 256)) return false
    this.#rested++
    this.#pair.engine.arm(this.#rest, 1 + this.#prng.below(this.#side.restNs))
    return true
  }

  #write(socket: TcpSocket): boolean {
    const { octets, writeMax, ending } = this.#side
    if (this.#ended) return false
    const count = Math.min(octets - this.#sent, 1 + this.#prng.below(writeMax))
    if (count > 0) {
      const sent = this.#sent
      const took = socket.send(Uint8Array.from({ length: count }, (_, i) => octet(this.#which, sent + i)))
      if (took === -Errno.EAGAIN) return false
      if (took < 0) {
        this.#leave(errnoName(-took))
        return false
      }
      this.#sent += took
      return true
    }
    if (ending === "after" && !this.#heardEnd) return false
    this.#ended = true
    if (ending === "close") this.#leave("gone")
    else socket.shutdown("write")
    if (this.#heardEnd && ending !== "close") this.#leave("end")
    return false
  }

  #read(socket: TcpSocket): boolean {
    if (this.#heardEnd) return false
    const into = new Uint8Array(1 + this.#prng.below(this.#side.readMax))
    const got = socket.recv(into)
    if (got === -Errno.EAGAIN) return false
    if (got < 0) {
      this.#leave(errnoName(-got))
      return false
    }
    const other = this.#which === 0 ? 1 : 0
    for (let i = 0; i < got; i++) if (into[i] !== octet(other, this.octets + i)) this.wrong++
    this.octets += got
    if (got > 0) return true
    this.#heardEnd = true
    if (this.#ended) this.#leave("end")
    return this.#socket !== null
  }

  #leave(outcome: string): void {
    this.outcome = outcome
    this.#socket!.close()
    this.#socket = null
  }

  get heard(): Heard {
    return { outcome: this.outcome, octets: this.octets, wrong: this.wrong }
  }

  /** It has an end, or never had a beginning. */
  get isOver(): boolean {
    return this.#socket === null
  }
}

export function play(talk: Talk): Story {
  const pair = new Pair(talk.seed, {})
  const { engine } = pair
  const sides = [talk.a, talk.b] as const
  const spaces = [pair.a, pair.b] as const
  const programs = [new Program(pair, talk.a, 0), new Program(pair, talk.b, 1)] as const
  const laws = spaces.map((ns, i) => prepare(ns, sides[i]!, i as 0 | 1))
  const stacks = [pair.tcpA, pair.tcpB] as const
  for (const i of [0, 1] as const) {
    if (talk.iss !== undefined) stacks[i].isn.sequence = () => talk.iss![i]
    if (talk.clocks !== undefined) stacks[i].isn.timestampOffset = () => talk.clocks![i]
  }
  pair.run(3 * SECOND)
  pair.cable.forth.set(talk.forth)
  pair.cable.back.set(talk.back)
  const listener = programs[1].options(stacks[1].socket(talk.family))
  listener.bind(null, PORT)
  listener.listen(5)
  let accepted = 0
  listener.wake = () => {
    for (let made = listener.accept(); typeof made !== "number"; made = listener.accept()) {
      if (accepted++ > 0) return made.close()
      programs[1].has(made)
      programs[1].step()
    }
  }
  const client = programs[0].options(stacks[0].socket(talk.family))
  programs[0].has(client)
  client.connect(ip(talk.family === 4 ? "10.0.0.2" : "fd00::2")!, PORT)
  const clientPort = client.localPort
  if (talk.cutNs !== undefined) {
    engine.arm(new CallbackTimer(() => {
      pair.cable.forth.set({ lossPpm: 1_000_000 })
      pair.cable.back.set({ lossPpm: 1_000_000 })
    }), talk.cutNs)
  }
  const startNs = engine.nowNs
  const isOver = () =>
    programs[0].isOver && programs[1].isOver && stacks[1].flows.list().every(({ kind }) => kind === "time-wait")
  let steps = 0
  while (!isOver() && engine.nowNs - startNs < BOUND_NS && engine.nextNs !== Infinity && steps < STEPS_MAX) {
    steps += engine.advance(engine.nowNs + SECOND, STEPS_MAX).steps
  }
  const endNs = engine.nowNs - startNs
  const complaints = laws.flatMap((law, i) => law.broken.map((text) => `${"ab"[i]}: ${text}`))
  if (!programs[0].isOver || !programs[1].isOver) complaints.push(`hangs after ${endNs / SECOND} s`)
  listener.close()
  engine.advance(engine.nowNs + 2_000 * SECOND, STEPS_MAX)
  complaints.push(...leftovers(pair, clientPort))
  return {
    a: programs[0].heard, b: programs[1].heard, accepted, complaints, endNs,
    segments: laws[0]!.segments + laws[1]!.segments
  }
}

function prepare(ns: Netns, side: Side, which: 0 | 1): WireLaws {
  const nic = ns.links.byName("eth0") as NetDevice
  ns.setMtu(nic, side.mtu)
  // A neighbour's answer has no checksum: a flipped bit would send all to nobody.
  const other = which === 0 ? 1 : 0
  ns.neigh4.add(nic, ip(`10.0.0.${other + 1}`)!, MACS[other], "permanent")
  ns.neigh6.add(nic, ip(`fd00::${other + 1}`)!, MACS[other], "permanent")
  for (const [name, value] of Object.entries(side.sysctls)) {
    const errno = ns.sysctl.set(`net.ipv4.${name}`, String(value))
    if (errno !== 0) throw new Error(`${name}: ${errnoName(errno)}`)
  }
  return new WireLaws(nic, {
    pattern: (offset) => octet(which, offset), shrinks: side.sysctls["tcp_shrink_window"] === 1
  })
}

/** Everything is gone: frames, timers, flows, ports. */
function leftovers(pair: Pair, clientPort: number): ReadonlyArray<string> {
  const { engine, pool } = pair
  const left: Array<string> = []
  const dueNs = engine.nextNs - engine.nowNs
  if (dueNs !== Infinity) left.push(`a timer is left, due in ${dueNs / SECOND} s`)
  if (pool.inFlight !== 0) left.push(`${pool.inFlight} frames in flight`)
  const balance = pool.balance()
  if (balance !== null) left.push(balance)
  for (const [name, tcp] of [["a", pair.tcpA], ["b", pair.tcpB]] as const) {
    for (const flow of tcp.flows.list()) left.push(`${name} has a ${flow.kind}`)
    for (const port of [PORT, clientPort]) {
      if (tcp.ports.at(port) !== undefined) left.push(`${name} has port ${port}`)
    }
    tcp.ns.sysctl.set("net.ipv4.tcp_max_orphans", "0")
    if (tcp.tooManyOrphans()) left.push(`${name} has orphans`)
  }
  return left
}
