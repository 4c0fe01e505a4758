/**
 * Conversations drawn from a seed: mostly right, and then not. Each has addresses of its own, so that many
 * of them can be played through one router; a packet is named by its identification or flow label.
 */
import { Prng } from "@podwire/engine"
import { F, icmp, ip, isSix, tcp, type TcpFields, udp } from "./packets.ts"

export interface Step {
  /** From which side it comes: 0 the first host's, 1 the second's. */
  readonly from: 0 | 1
  readonly packet: Uint8Array
  /** The filter drops it. */
  readonly filtered: boolean
  readonly text: string
}

export interface Conversation {
  readonly name: string
  readonly steps: ReadonlyArray<Step>
}

const FILTERED_TOS = 0x10

class Draw {
  readonly steps: Array<Step> = []
  readonly random: Prng
  readonly hosts: readonly [string, string]
  readonly ports: readonly [number, number]
  readonly #nextId: () => number

  constructor(random: Prng, hosts: readonly [string, string], nextId: () => number) {
    this.random = random
    this.hosts = hosts
    this.ports = [1024 + random.below(60_000), 1 + random.below(1000)]
    this.#nextId = nextId
  }

  one<T>(values: ReadonlyArray<T>): T {
    return values[this.random.below(values.length)]!
  }

  chance(percent: number): boolean {
    return this.random.chance(percent, 100)
  }

  add(from: 0 | 1, text: string, build: (fields: { src: string, dst: string, id: number, tos: number }) => Uint8Array): void {
    const filtered = this.chance(4)
    const packet = build({
      src: this.hosts[from], dst: this.hosts[1 - from]!, id: this.#nextId(), tos: filtered ? FILTERED_TOS : 0
    })
    this.steps.push({ from, packet, filtered, text: `${from === 0 ? ">" : "<"} ${text}${filtered ? " filtered" : ""}` })
  }
}

/** `count` conversations; the same seed draws the same. */
export function conversations(seed: number, count: number): ReadonlyArray<Conversation> {
  const random = new Prng(seed, "conversations")
  let id = 0
  const nextId = (): number => ++id
  return Array.from({ length: count }, (_, i) => {
    const six = random.chance(1, 3)
    const tail = `${(i >> 7) + 1}`
    const first = six ? `fd01::${tail}:${(i & 127) + 1}` : `10.1.${tail}.${(i & 127) + 1}`
    const second = six ? `fd02::${tail}:${(i & 127) + 1}` : `10.2.${tail}.${(i & 127) + 1}`
    const draw = new Draw(random, [first, second], nextId)
    const kind = draw.one(["tcp", "tcp", "tcp", "tcp", "tcp", "udp", "icmp", "errors", "other"])
    if (kind === "tcp") drawTcp(draw)
    else if (kind === "udp") drawUdp(draw)
    else if (kind === "icmp") drawIcmp(draw)
    else if (kind === "errors") drawErrors(draw)
    else drawOther(draw)
    return { name: `${i} ${kind}${six ? "6" : "4"}`, steps: draw.steps }
  })
}

const SYN_OPTIONS: ReadonlyArray<ReadonlyArray<number>> = [
  [], [2, 4, 5, 180], [2, 4, 5, 180, 4, 2, 1, 3, 3, 7], [4, 2], [3, 3, 14], [3, 3, 20], [1, 1, 1, 3], [3, 1, 0, 0], [0], [4, 2, 3, 3, 0]
]
const FLAGS = [
  F.SYN, F.SYN, F.SYN | F.ACK, F.SYN | F.ACK, F.ACK, F.ACK, F.ACK, F.ACK, F.ACK | F.PSH, F.FIN | F.ACK, F.FIN | F.ACK, F.RST,
  F.RST | F.ACK, F.RST | F.ACK, 0, F.SYN | F.FIN, F.FIN, F.ACK | F.URG, F.SYN | F.RST, F.SYN | F.URG, F.ACK | 0xc0, F.SYN | F.PSH
]
const FLAG_NAMES = "FSRPAUEC"

/** Two hosts that know their numbers, and packets that pretend to. */
function drawTcp(draw: Draw): void {
  const next: [number, number] = [draw.random.u32() | 0, draw.random.u32() | 0]
  if (draw.chance(20)) next[draw.random.below(2)] = draw.random.below(60) - 30
  let win: [number, number] = [draw.one([0, 1, 1000, 8192, 65_535]), draw.one([0, 1, 1000, 8192, 65_535])]
  const send = (from: 0 | 1, flags: number, o: Partial<TcpFields> & { seqBy?: number, ackBy?: number } = {}): void => {
    const length = o.length ?? 0
    const seq = (next[from] + (o.seqBy ?? 0)) | 0
    const ack = (flags & F.ACK) === 0 && draw.chance(80) ? 0 : (next[1 - from]! + (o.ackBy ?? 0)) | 0
    const window = o.window ?? win[from]
    const wrong = draw.chance(2) ? { checksum: 1 } : {}
    const name = [...FLAG_NAMES].filter((_, bit) => (flags >> bit & 1) !== 0).join("") || "-"
    draw.add(from, `${name} seq ${o.seqBy ?? 0} ack ${o.ackBy ?? 0} win ${window} len ${length} opt ${o.options ?? "-"}${wrong.checksum ? " badsum" : ""}`, (fields) =>
      tcp(fields, {
        sport: draw.ports[from], dport: draw.ports[1 - from]!, flags, seq, ack, window, options: o.options ?? [], length
      }, wrong))
    if (o.seqBy === undefined && !wrong.checksum) {
      next[from] = (next[from] + length + ((flags & F.SYN) !== 0 ? 1 : 0) + ((flags & F.FIN) !== 0 ? 1 : 0)) | 0
    }
  }
  const begin = draw.random.below(10)
  if (begin < 7) {
    send(0, F.SYN, { options: draw.one(SYN_OPTIONS) })
    if (draw.chance(10)) send(0, F.SYN, { seqBy: -1, options: draw.one(SYN_OPTIONS) })
    if (begin < 6) send(1, F.SYN | F.ACK, { options: draw.one(SYN_OPTIONS) })
    if (begin < 5) send(0, F.ACK)
  } else if (begin === 8) {
    send(0, F.SYN, { options: draw.one(SYN_OPTIONS) })
    send(1, F.SYN, { options: draw.one(SYN_OPTIONS) })
  }
  const steps = 2 + draw.random.below(14)
  for (let i = 0; i < steps; i++) {
    const from = draw.random.below(2) as 0 | 1
    const act = draw.random.below(100)
    if (act < 10) win = [draw.one([0, 1, 500, 8192, 65_535]), draw.one([0, 1, 500, 8192, 65_535])]
    const length = draw.one([0, 0, 0, 1, 10, 200, 1000])
    if (act < 45) send(from, F.ACK, { length })
    else if (act < 50) for (let k = draw.random.below(5); k >= 0; k--) send(from, F.ACK, { length: 0 })
    else if (act < 57) send(from, F.FIN | F.ACK)
    else if (act < 62) send(from, F.RST | (draw.chance(50) ? F.ACK : 0))
    else if (act < 66) send(from, F.SYN, { options: draw.one(SYN_OPTIONS), seqBy: draw.one([0, 1000, 100_000, -5000]) })
    else if (act < 70) send(from, F.SYN | F.ACK, { options: draw.one(SYN_OPTIONS), seqBy: draw.one([0, 1000, -1]) })
    else if (act < 76) send(from, F.ACK, { options: sack(next[1 - from]!, draw), ackBy: draw.one([0, -100, -2000]) })
    else {
      const offsets = [0, 1, -1, -2, 100, -100, 1000, -1001, 8192, 65_535, 66_000, -66_000, 70_000, -70_000, 1 << 30, 1 << 31]
      send(from, draw.one(FLAGS), {
        length, seqBy: draw.one(offsets), ackBy: draw.one(offsets), options: draw.chance(20) ? draw.one(SYN_OPTIONS) : []
      })
    }
  }
}

function sack(next: number, draw: Draw): ReadonlyArray<number> {
  const octets: Array<number> = []
  const blocks = 1 + draw.random.below(3)
  for (let i = 0; i < blocks; i++) {
    const left = (next + draw.one([-500, 10, 100, 5000])) | 0
    for (const edge of [left, (left + draw.one([1, 50, -10])) | 0]) {
      octets.push(edge >>> 24, (edge >>> 16) & 255, (edge >>> 8) & 255, edge & 255)
    }
  }
  return [1, 1, 5, 2 + octets.length + (draw.chance(10) ? 1 : 0), ...octets]
}

function drawUdp(draw: Draw): void {
  const steps = 1 + draw.random.below(8)
  for (let i = 0; i < steps; i++) {
    const from = draw.random.below(3) === 0 ? 1 : 0
    const wrong = draw.one([{}, {}, {}, {}, {}, {}, { checksum: 5 }, { length: 1 }, { length: -1 }, { length: -20 }])
    const length = draw.one([0, 1, 40])
    draw.add(from, `udp ${JSON.stringify(wrong)} ${length}`, (fields) => {
      const packet = udp(fields, draw.ports[from], draw.ports[1 - from]!, length, wrong)
      if (draw.chance(10)) packet.fill(0, packet.length - length - 2, packet.length - length)
      return packet
    })
  }
}

function drawIcmp(draw: Draw): void {
  const six = isSix(draw.hosts[0])
  const types = six ? [128, 128, 128, 129, 129, 139, 140, 133, 136, 143, 130, 127, 200, 255] : [8, 8, 8, 0, 0, 13, 14, 15, 16, 17, 18, 19, 40, 9, 10]
  const steps = 1 + draw.random.below(8)
  for (let i = 0; i < steps; i++) {
    const from = draw.random.below(2) as 0 | 1
    const [type, code, id] = [draw.one(types), draw.one([0, 0, 0, 0, 1]), draw.one([1, 1, 2])]
    const wrong = draw.chance(5) ? { checksum: 1 } : {}
    const cut = draw.chance(3)
    draw.add(from, `icmp ${type}/${code} id ${id}${wrong.checksum ? " badsum" : ""}${cut ? " cut" : ""}`, (fields) => {
      const whole = icmp(fields, type, code, (id << 16) | i, new Uint8Array(8), wrong)
      // Too short for its header, with a checksum that is right.
      return cut ? ip({ ...fields, protocol: six ? 58 : 1 }, whole.slice(six ? 40 : 20, six ? 44 : 24)) : whole
    })
  }
}

/** A flow, and errors that quote its packets, some of them wrongly. */
function drawErrors(draw: Draw): void {
  const six = isSix(draw.hosts[0])
  const l4 = six ? 40 : 20
  const [a, b] = draw.hosts
  const proto = draw.one(["udp", "tcp", "echo"])
  const build = (from: 0 | 1) => (fields: { src: string, dst: string, id: number, tos: number }): Uint8Array => {
    const [sport, dport] = [draw.ports[from], draw.ports[1 - from]!]
    if (proto === "udp") return udp(fields, sport, dport, 20)
    if (proto === "tcp") {
      return tcp(fields, { sport, dport, flags: from === 0 ? F.SYN : F.SYN | F.ACK, seq: 100 * from, ack: from === 0 ? 0 : 1 })
    }
    return icmp(fields, from === 0 ? (six ? 128 : 8) : (six ? 129 : 0), 0, 7 << 16, new Uint8Array(8))
  }
  if (draw.chance(90)) draw.add(0, proto, build(0))
  if (draw.chance(50)) draw.add(1, `${proto} answer`, build(1))
  const steps = 1 + draw.random.below(6)
  for (let i = 0; i < steps; i++) {
    const about = draw.one([0, 0, 1] as const)
    const quote = build(about)({ src: about === 0 ? a : b, dst: about === 0 ? b : a, id: 0, tos: 0 })
    const kind = draw.one(six ? [[1, 4], [2, 0], [3, 0], [4, 0], [100, 0], [127, 0]] : [[3, 3], [3, 4], [11, 0], [12, 0], [5, 1], [4, 0]])
    const from = (draw.chance(85) ? 1 - about : about) as 0 | 1
    const router = draw.chance(50)
    const cut = draw.one([quote.length, quote.length, l4 + 8, l4 + 3, l4 - 1])
    const elsewhere = draw.chance(10)
    if (draw.chance(5)) quote[l4 + 1]! ^= 1
    if (!six && draw.chance(5)) quote[7]! |= 1
    draw.add(from, `error ${kind} about ${about} cut ${cut}${router ? " by router" : ""}${elsewhere ? " elsewhere" : ""}`, (fields) => {
      const routers = six ? ["fd01::ffff", "fd02::ffff"] : ["10.1.0.99", "10.2.0.99"]
      const src = router ? routers[from]! : fields.src
      const dst = elsewhere ? routers[1 - from]! : fields.dst
      return icmp({ ...fields, src, dst }, kind[0]!, kind[1]!, 0, quote.slice(0, cut))
    })
  }
}

function drawOther(draw: Draw): void {
  const protocol = draw.one([253, 47, 50, 136, 33, 2])
  const steps = 1 + draw.random.below(5)
  for (let i = 0; i < steps; i++) {
    const from = draw.random.below(3) === 0 ? 1 : 0
    draw.add(from, `protocol ${protocol}`, (fields) => {
      if (protocol === 136) return lite(draw, udp(fields, draw.ports[from], draw.ports[1 - from]!, 20, {}, 136, draw.one([17, 136])))
      return ip({ ...fields, protocol }, new Uint8Array(24))
    })
  }
}

/** UDP-Lite whose sum is UDP's or its own, over all of it, a part, or nothing that makes sense. */
function lite(draw: Draw, packet: Uint8Array): Uint8Array {
  const l4 = packet[0]! >>> 4 === 6 ? 40 : 20
  const coverage = draw.one([28, 28, 28, 0, 7, 8, 29])
  if (coverage !== 28) {
    packet[l4 + 5] = coverage
    if (draw.chance(20)) packet.fill(0, l4 + 6, l4 + 8)
  }
  return packet
}
