/**
 * What connection tracking costs: a packet of a known flow, a packet that opens one, and the memory of a
 * million.
 *
 *   node packages/kernel/netfilter/bench/conntrack.ts [flows]      1,000,000 by default
 *
 * Times are the median of seven rounds, each of a packet from PREROUTING to the last hook; the checksum at
 * the end is what the work left behind. TCP segments are acknowledgements with no data, sums verified
 * already unless said.
 */
import { Engine, SECOND } from "@podwire/engine"
import { Checksum, type Frame, FramePool } from "@podwire/netdev"
import { set16, set32 } from "@podwire/wire/bytes"
import * as ipv4 from "@podwire/wire/ipv4"
import * as ipv6 from "@podwire/wire/ipv6"
import * as tcp from "@podwire/wire/tcp"
import * as udp from "@podwire/wire/udp"
import { ConntrackConf } from "../src/conntrack/conf.ts"
import { confirm } from "../src/conntrack/confirm.ts"
import { Conntrack } from "../src/conntrack/conntrack.ts"
import { track } from "../src/conntrack/track.ts"
import { PREROUTING } from "../src/hook.ts"

const flows = Number(process.argv[2] ?? 1_000_000)
const ROUNDS = 7

interface Case {
  readonly name: string
  readonly six: boolean
  readonly kind: "tcp" | "udp"
  readonly verify: boolean
}

class Bench {
  readonly engine = new Engine(1)
  readonly pool = new FramePool(this.engine)
  readonly conntrack: Conntrack
  readonly #frame: Frame
  readonly #case: Case

  constructor(one: Case, max: number) {
    const conf = Object.assign(Object.create(ConntrackConf.prototype), new ConntrackConf(), { nf_conntrack_max: max })
    this.conntrack = new Conntrack(this.engine, conf as ConntrackConf)
    this.#case = one
    this.#frame = this.pool.alloc(200)!
    const { bytes } = this.#frame
    const l3 = this.#frame.head + 14
    this.#frame.l3 = l3
    const l4 = l3 + (one.six ? 40 : 20)
    this.#frame.tail = l4 + (one.kind === "tcp" ? 20 : 28)
    const octets = this.#frame.tail - l4
    const protocol = one.kind === "tcp" ? 6 : 17
    if (one.six) ipv6.writeHeader(bytes, l3, 0, 0, octets, protocol, 64, Int32Array.of(1, 2, 3, 0), Int32Array.of(1, 2, 3, 4))
    else ipv4.writeHeader(bytes, l3, 0, octets + 20, 0, 0, 64, protocol, 0, 0x0a600001)
    if (one.kind === "tcp") tcp.writeHeader(bytes, l4, 0, 80, 0, 0, 20, 0, 1000)
    else udp.writeHeader(bytes, l4, 0, 53, 28)
    this.#frame.csum = one.verify ? Checksum.None : Checksum.Unnecessary
  }

  /** Packet of flow `i`; replies have the ends turned. */
  packet(i: number, flags: number, seq: number, ack: number, reply: boolean): number {
    const frame = this.#frame
    const { bytes, words, l3 } = frame
    const { six, kind, verify } = this.#case
    const l4 = l3 + (six ? 40 : 20)
    const client = 0x0a000000 + (i >>> 12)
    const port = 1024 + (i & 4095)
    if (six) {
      set32(bytes, l3 + (reply ? 36 : 20), client)
      set32(bytes, l3 + (reply ? 20 : 36), 4)
    } else {
      set32(bytes, l3 + (reply ? 16 : 12), client)
      set32(bytes, l3 + (reply ? 12 : 16), 0x0a600001)
    }
    set16(bytes, l4 + (reply ? 2 : 0), port)
    set16(bytes, l4 + (reply ? 0 : 2), 80)
    if (kind === "tcp") {
      set32(bytes, l4 + 4, seq)
      set32(bytes, l4 + 8, ack)
      bytes[l4 + 13] = flags
    }
    if (verify) {
      if (six) tcp.finishChecksum6(bytes, l4, frame.tail, l3, words)
      else tcp.finishChecksum4(bytes, l4, frame.tail, ipv4.src(bytes, l3), ipv4.dst(bytes, l3), words)
    }
    frame.ct = -1
    frame.ctinfo = 0
    const verdict = track(this.conntrack, frame, PREROUTING)
    confirm(this.conntrack, frame)
    return verdict + frame.ctinfo
  }

  open(i: number): number {
    return this.packet(i, tcp.SYN, i, 0, false)
  }

  establish(i: number): void {
    this.packet(i, tcp.SYN | tcp.ACK, 7, i + 1, true)
    this.packet(i, tcp.ACK, i + 1, 8, false)
  }

  known(i: number): number {
    return this.packet(i, tcp.ACK, i + 1, 8, false)
  }
}

let checksum = 0

function nsPerPacket(count: number, run: (i: number) => number): number {
  const times = Array.from({ length: ROUNDS }, () => {
    const begin = process.hrtime.bigint()
    let sum = 0
    for (let i = 0; i < count; i++) sum += run(i)
    checksum = (checksum + sum) | 0
    return Number(process.hrtime.bigint() - begin) / count
  })
  return times.sort((a, b) => a - b)[ROUNDS >> 1]!
}

function report(name: string, value: string): void {
  console.log(`${name.padEnd(46)} ${value.padStart(14)}`)
}

const CASES: ReadonlyArray<Case> = [
  { name: "TCP", six: false, kind: "tcp", verify: false },
  { name: "TCP, sums verified", six: false, kind: "tcp", verify: true },
  { name: "TCP over IPv6", six: true, kind: "tcp", verify: false },
  { name: "UDP", six: false, kind: "udp", verify: false }
]

for (const one of CASES) {
  const bench = new Bench(one, 0)
  for (let i = 0; i < 10_000; i++) {
    bench.open(i)
    bench.establish(i)
  }
  const few = nsPerPacket(400_000, (i) => bench.known(i & 63))
  const many = nsPerPacket(400_000, (i) => bench.known(i % 10_000))
  report(`${one.name}: known flow, of 64 / of 10,000`, `${few.toFixed(0)} / ${many.toFixed(0)} ns`)
}

for (const one of CASES.filter(({ verify }) => !verify)) {
  const times: Array<number> = []
  for (let round = 0; round < ROUNDS; round++) {
    const bench = new Bench(one, 0)
    // The table has its size; what is measured is a flow, not the growth.
    for (let i = 0; i < 50_000; i++) bench.open(i)
    bench.conntrack.flush()
    const begin = process.hrtime.bigint()
    for (let i = 0; i < 50_000; i++) checksum = (checksum + bench.open(i)) | 0
    times.push(Number(process.hrtime.bigint() - begin) / 50_000)
  }
  report(`${one.name}: new flow`, `${times.sort((a, b) => a - b)[ROUNDS >> 1]!.toFixed(0)} ns`)
}

for (const one of CASES.filter(({ name }) => name.startsWith("TCP") && !name.includes("sums"))) {
  const bench = new Bench(one, 0)
  let begin = process.hrtime.bigint()
  for (let i = 0; i < flows; i++) bench.open(i)
  const opened = Number(process.hrtime.bigint() - begin) / flows
  for (let i = 0; i < flows; i++) bench.establish(i)
  const { bytes, count } = bench.conntrack
  report(`${one.name}: ${count} entries`, `${(bytes / 2 ** 20).toFixed(0)} MiB`)
  report("  each, at this size", `${(bytes / count).toFixed(0)} bytes`)
  report("  each new one, growth in it", `${opened.toFixed(0)} ns`)
  let i = 0
  const random = nsPerPacket(Math.min(flows, 400_000), () => {
    i = (Math.imul(i, 1_664_525) + 1_013_904_223) >>> 0
    return bench.known(i % flows)
  })
  report("  known flow, in random order", `${random.toFixed(0)} ns`)
  begin = process.hrtime.bigint()
  bench.engine.advance(500_000 * SECOND, Infinity)
  checksum = (checksum + bench.conntrack.count) | 0
  report("  each end by time", `${(Number(process.hrtime.bigint() - begin) / flows).toFixed(0)} ns`)
  checksum = (checksum + bench.conntrack.table.used) | 0
}
console.log(`checksum ${checksum}`)
