/**
 * The pod's TCP frame by frame: the same stories told by the pod and by the kernel in its part, both with the
 * kernel on the other side, give the same segments at about the same times. What is lost is lost on purpose.
 *
 * Needs what `tcp-kernel.test.ts` needs, and a kernel that is not older than the one whose behaviour is ours;
 * says so and does nothing otherwise. With PODWIRE_NEAR=kernel the kernel is judged by itself.
 */
import { release } from "node:os"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { pause } from "./support/tap/conversation.ts"
import { Crafter } from "./support/tap/crafter.ts"
import { segmentOf } from "./support/tap/frame-ring.ts"
import { missing } from "./support/tap/kernel-wire.ts"
import type { Family } from "./support/tap/peer.ts"
import { type Probe, PROBES } from "./support/tap/probes.ts"
import { LONG, POORER, type Stage, STORIES, type Story } from "./support/tap/stories.ts"
import { difference, type Line, Transcript } from "./support/tap/transcript.ts"
import { World } from "./support/tap/world.ts"

const judged = process.env["PODWIRE_NEAR"] === "kernel" ? "kernel" : "pod"
const OLDEST = [6, 12] as const
const why = missing() ?? tooOld()
if (why !== null) console.log(`skipped: no TCP to compare frames with, ${why}`)

function tooOld(): string | null {
  const [major, minor] = release().split(".").map(Number) as [number, number]
  const old = major < OLDEST[0] || (major === OLDEST[0] && minor < OLDEST[1])
  return old ? `Linux ${release()} is too old` : null
}

const ATTEMPTS = 6
/** So many stories may be told otherwise in the end: they are printed. */
const ONE_IN = 50
/** More make the machine late. */
const AT_ONCE = 140
const ROUND_TRIP = { delayNs: 25e6 }
const PORT = 20_000
/** Where slow start ends depends on microseconds of the machine, and with it how long a whole story takes. */
const SLOWER = 2
/** Where we differ, by story or probe, and how. */
const KNOWN: ReadonlyMap<string, string> = new Map([
  ["half open: an ACK with a wrong echo", "Linux acknowledges (TSEcrRejected), we say nothing"],
  ...["speaks: a narrow way", "speaks: a very narrow way"]
    .map((name) => [name, "Linux cuts each segment by itself, we cut the stretch that is lost"] as const),
  ["speaks: into a small window", "Linux does not cut what it bound to half of the largest window, we do"]
])

/** A story or a probe, told in a world. */
type Telling = (on: {
  readonly world: World
  readonly family: Family
  readonly port: number
  readonly number: number
  readonly lose: Stage["lose"]
}) => Promise<void>

/** Plays all of them, many at once; what the near card saw of each. */
async function tell(
  world: World, stories: ReadonlyMap<string, Telling>, attempt: number
): Promise<Map<string, ReadonlyArray<Line>>> {
  const transcript = new Transcript()
  world.watch(transcript)
  const losses = new Map<number, (forth: boolean, header: Uint8Array) => boolean>()
  world.span.censor = (forth, { bytes, head, tail }) => {
    const segment = segmentOf(0, forth, bytes.subarray(head, tail))
    if (segment === null) return false
    const loses = losses.get(segment.srcPort) ?? losses.get(segment.dstPort)
    return loses !== undefined && loses(forth, bytes.subarray(head, tail))
  }
  const told = new Map<string, ReadonlyArray<Line>>()
  const one = async (name: string, story: Telling, i: number) => {
    const port = PORT + attempt * 1000 + i
    transcript.watch(port)
    const family = name.startsWith("IPv6") ? 6 : 4
    const lose: Stage["lose"] = (fits, ...numbers) => {
      let count = 0
      losses.set(port, (forth, header) => fits(segmentOf(0, forth, header)!) && numbers.includes(++count))
    }
    await story({ world, family, port, number: port - PORT, lose })
      .catch((failure: Error) => told.set(`${name}: ${failure.message}`, []))
    // What comes after the last call.
    await pause(150)
    told.set(name, transcript.lines(port))
  }
  const all = [...stories]
  for (let from = 0; from < all.length; from += AT_ONCE) {
    await Promise.all(all.slice(from, from + AT_ONCE).map(([name, story], i) => one(name, story, from + i)))
  }
  world.span.censor = null
  return told
}

interface Cost {
  readonly ms: number
  readonly again: number
}

/** How long it took, and how many segments with data went more than once. */
function cost(lines: ReadonlyArray<Line>): Cost {
  const said = lines.flatMap(({ out, text }) => {
    const seq = /seq \d+:\d+/.exec(text)
    return seq === null ? [] : [`${out} ${seq[0]}`]
  })
  return { ms: lines.at(-1)!.ms, again: said.length - new Set(said).size }
}

function both<T>(
  some: Readonly<Record<string, T>>, telling: (it: T) => Telling
): ReadonlyMap<string, Telling> {
  return new Map([4, 6].flatMap((family) =>
    Object.entries(some).map(([name, it]) => [`IPv${family}, ${name}`, telling(it)] as const)))
}

const stories = (some: Readonly<Record<string, Story>>) => both(some, (story) =>
  ({ world: { near, kernel }, family, port, lose }) => story({ near, kernel, family, port, lose }))

const probes = (some: Readonly<Record<string, Probe>>) => both(some, (probe) =>
  ({ world, family, port, number }) => probe(new Crafter(world, family, port, number)))

describe.skipIf(why !== null)("the frames of the kernel's own TCP", () => {
  const worlds: Array<World> = []
  beforeAll(async () => {
    for (const [i, near] of (["kernel", judged] as const).entries()) {
      const world = await World.make("/dev/null", near, String(i))
      worlds.push(world)
      // Who is where is known before the stories begin.
      for (const family of [4, 6] as const) await world.kernel.ping(world.near.ips[family], 1)
      world.span.impair(ROUND_TRIP)
    }
  })
  afterAll(() => Promise.all(worlds.map((world) => world.end())))

  async function compare(all: ReadonlyMap<string, Telling>): Promise<void> {
    let left = new Map([...all].filter(([name]) => !KNOWN.has(name.slice(6))))
    // Neither side tells a story twice in the same words, in real time: once is enough that both told the same.
    const linux: Array<ReadonlyMap<string, ReadonlyArray<Line>>> = []
    const own: Array<ReadonlyMap<string, ReadonlyArray<Line>>> = []
    for (let attempt = 0;; attempt++) {
      const [theirs, ours] = await Promise.all(worlds.map((world) => tell(world, left, attempt)))
      linux.unshift(theirs!)
      own.unshift(ours!)
      const found = new Map([...left.keys()].map((name) => {
        const texts = linux.flatMap((told) =>
          own.map((lines) => difference(told.get(name) ?? [], lines.get(name) ?? [])))
        return [name, texts.includes("") ? "" : texts[0]!] as const
      }).filter(([, text]) => text !== ""))
      if (found.size === 0) return
      if (attempt + 1 === ATTEMPTS) {
        const text = [...found].map(([name, difference]) => `${name}\n${difference}`).join("")
        // Two timers race in real time, and who wins may be the same in all attempts. A fault is in many stories.
        if (found.size > Math.ceil(all.size / ONE_IN)) return expect(text).toBe("")
        process.stderr.write(`told otherwise, as far as this machine's time goes:\n${text}`)
        return
      }
      // A busy machine is late now here, now there; a fault shows every time.
      left = new Map([...left].filter(([name]) => found.has(name)))
    }
  }

  it("of a connection's whole life, with losses", () => compare(stories(STORIES)))

  it("in answer to what no decent peer sends", () => compare(probes(PROBES)))

  it("and about as long for what is long", async () => {
    let long = stories(LONG)
    for (let attempt = 0;; attempt++) {
      const [linux, ours] = await Promise.all(worlds.map((world) => tell(world, long, attempt)))
      const wrong = [...long.keys()].flatMap((name) => {
        const [theirs, own] = [linux!, ours!].map((told) => cost(told.get(name)!)) as [Cost, Cost]
        const late = own.ms > SLOWER * theirs.ms
        return late || own.again > theirs.again ? [{ name, theirs, own }] : []
      })
      if (wrong.length === 0 || attempt + 1 === ATTEMPTS) return expect(wrong).toEqual([])
      long = new Map([...long].filter(([name]) => wrong.some((one) => one.name === name)))
    }
  })

  it.each(["sack", "timestamps", "window_scaling"])("with a kernel that has no tcp_%s", async (what) => {
    const lacking = { [`net.ipv4.tcp_${what}`]: 0 }
    const before = await Promise.all(worlds.map(({ kernel }) => kernel.sysctl(lacking)))
    try {
      await compare(stories(POORER))
    } finally {
      await Promise.all(worlds.map((world, i) => world.kernel.sysctl(before[i]!)))
    }
  })
})
