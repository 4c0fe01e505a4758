/**
 * What capturing every interface into memory costs: one common pcapng file, small frames and full ones. The
 * slowdown is of pairs of runs, with and without, one after the other.
 */
import { Capture } from "@podwire/cluster"
import { assert } from "@podwire/engine"
import { cpuNs, type Figure, figure, RUNS, say, small } from "./figure.ts"
import { Flow } from "./flow.ts"
import { MemorySink } from "./memory-sink.ts"

const FRAMES = small() ? 3_200 : 128_000
const FULL = 1472

function pair(
  name: string, payloadBytes: number
): { readonly figures: ReadonlyArray<Figure>; readonly checksum: string } {
  const sink = new MemorySink()
  let capture: Capture | null = null
  const off = new Flow(4, undefined, payloadBytes)
  const on = new Flow(
    4, (engine) => [capture = new Capture(engine, () => sink, { devices: false })], payloadBytes
  )
  const crossings = off.crossings()
  off.send(FRAMES)
  on.send(FRAMES)
  const offNs: Array<number> = []
  const onNs: Array<number> = []
  for (let run = 0; run < RUNS; run++) {
    const before = capture!.frames
    offNs.push(cpuNs(() => off.send(FRAMES)) / FRAMES)
    onNs.push(cpuNs(() => on.send(FRAMES)) / FRAMES)
    assert(capture!.frames - before >= FRAMES * crossings, "no frame is missing from the capture")
  }
  return {
    checksum: `${on.checksum} ${sink.written}`,
    figures: [
      figure(`${name} frame`, "ns", offNs),
      figure(`${name} frame, captured`, "ns", onNs),
      figure(`${name} slowdown by capture`, "x", onNs.map((ns, i) => ns / offNs[i]!))
    ]
  }
}

const little = pair("60 octets", 18)
const full = pair("1,514 octets", FULL)
say("capture", `${little.checksum} ${full.checksum}`, [...little.figures, ...full.figures])
