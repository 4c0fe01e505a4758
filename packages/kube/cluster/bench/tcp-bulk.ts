/**
 * Bulk data over one connection from a pod to a pod on the other node: Gbit of payload a second of CPU,
 * with and without a capture of every interface in memory; the two are run by turns. To be set beside what
 * a kernel moves with offloads off, as here too every segment is a frame (perf.md).
 */
import { Capture, type Observer } from "@podwire/cluster"
import { assert, type Engine } from "@podwire/engine"
import { cpuNs, type Figure, figure, RUNS, say, small } from "./figure.ts"
import { MemorySink } from "./memory-sink.ts"
import { TcpPods } from "./tcp-pods.ts"

const BYTES = small() ? 1_000_000 : 200_000_000
const WRITE_BYTES = 128 * 1024

class Bulk extends TcpPods {
  received = 0
  #written = 0
  readonly #data = new Uint8Array(WRITE_BYTES).fill(0x61)
  readonly #pump: () => void

  constructor(version: 4 | 6, observe?: (engine: Engine) => ReadonlyArray<Observer>) {
    super(version, observe)
    const into = new Uint8Array(WRITE_BYTES)
    this.listen(1, (socket) => {
      socket.wake = () => {
        for (let count = socket.recv(into); count > 0; count = socket.recv(into)) this.received += count
      }
    })
    const source = this.connect()
    this.#pump = () => {
      while (this.#written < this.#goal) {
        const count = source.send(this.#data, 0, Math.min(WRITE_BYTES, this.#goal - this.#written))
        if (count <= 0) return
        this.#written += count
      }
    }
    source.wake = this.#pump
  }

  #goal = 0

  move(bytes: number): void {
    this.#goal += bytes
    const goal = this.#goal
    this.#pump()
    this.until(() => this.received >= goal)
    assert(this.received === goal, "every octet arrives once")
  }
}

function pair(version: 4 | 6): { readonly figures: ReadonlyArray<Figure>; readonly checksum: string } {
  const off = new Bulk(version)
  const on = new Bulk(version, (engine) => [new Capture(engine, () => new MemorySink(), { devices: false })])
  off.move(BYTES / 4)
  on.move(BYTES / 4)
  const offNs: Array<number> = []
  const onNs: Array<number> = []
  for (let run = 0; run < RUNS; run++) {
    offNs.push(cpuNs(() => off.move(BYTES)))
    onNs.push(cpuNs(() => on.move(BYTES)))
  }
  const gbits = (ns: number) => 8 * BYTES / ns
  const segments = BYTES / (version === 4 ? 1448 : 1428)
  return {
    checksum: `${off.checksum} ${on.checksum}`,
    figures: [
      figure(`ipv${version} goodput`, "Gbit/s CPU", offNs.map(gbits)),
      figure(`ipv${version} goodput, captured`, "Gbit/s CPU", onNs.map(gbits)),
      figure(`ipv${version} data segment, its share of ACKs with it`, "ns", offNs.map((ns) => ns / segments))
    ]
  }
}

const four = pair(4)
const six = pair(6)
say("tcp-bulk", `${four.checksum} ${six.checksum}`, [...four.figures, ...six.figures])
