/**
 * The same seed, the same bytes: every frame on every interface at the same nanosecond, whoever looks on. Another
 * seed is another run.
 */
import { createHash } from "node:crypto"
import { situation } from "@podwire/arbitrary"
import { framesText, marked, perform, type Situation } from "@podwire/checker"
import { Capture, type Cluster, FrameLog, type Observer } from "@podwire/cluster"
import { type Engine, SECOND } from "@podwire/engine"
import type { Direction, DropReason, Frame, NetDevice } from "@podwire/netdev"
import { family } from "@podwire/wire/ip"
import fc from "fast-check"
import { expect, it } from "vitest"
import { type Builder, property } from "../support/property.ts"

/** Folds everything that taps see. */
class Hash implements Observer {
  readonly #engine: Engine
  readonly #hash = createHash("sha256")

  constructor(engine: Engine) {
    this.#engine = engine
  }

  see(dev: NetDevice, direction: Direction, frame: Frame): void {
    this.#fold(`${dev.label()} ${direction}`, frame)
  }

  dropped(frame: Frame, reason: DropReason, dev: NetDevice | null): void {
    this.#fold(`${dev?.label()} dropped ${reason}`, frame)
  }

  digest(): string {
    return this.#hash.digest("hex")
  }

  #fold(what: string, { bytes, head, tail, id }: Frame): void {
    this.#hash.update(`${this.#engine.nowNs} ${what} ${id}\n`).update(bytes.subarray(head, tail))
  }
}

interface Played {
  readonly bytes: string
  readonly digest: string
  readonly state: string
  readonly log: FrameLog | null
}

type Look = "hash" | "nobody" | "capture"

function play(given: Situation, builder: Builder, look: Look = "hash", keep = false): Played {
  let hash: Hash | null = null
  let log: FrameLog | null = null
  const cluster = builder.build(given, (engine) => {
    if (look === "nobody") return []
    hash = new Hash(engine)
    if (keep) log = new FrameLog(engine)
    const capture = new Capture(engine, () => ({ write: () => {} }))
    return [hash, ...look === "capture" ? [capture, new FrameLog(engine)] : [], ...log === null ? [] : [log]]
  })
  cluster.settle()
  chat(cluster)
  for (const operation of given.operations) perform(cluster, operation)
  cluster.settle()
  chat(cluster)
  const state = JSON.stringify([cluster.engine.nowNs, cluster.engine.steps, cluster.engine.streams(), cluster.store.list("Pod"), cluster.events.list()])
  return { bytes: hash === null ? "" : (hash as Hash).digest(), digest: cluster.engine.digest.toString(), state, log }
}

function chat(cluster: Cluster): void {
  const { pods, engine } = cluster
  pods.forEach((from, i) => {
    for (const ip of pods[(i + 1) % pods.length]!.ips) {
      const ping = from.netns.ping(family(ip))
      ping.sendTo(ip, 1, marked(i))
      ping.close()
    }
  })
  engine.advance(engine.nowNs + 2 * SECOND, 1_000_000)
}

const input = (operationsMax: number) => fc.record({ situation: situation({ operationsMax, podsMax: 20 }) })

it("the same seed gives the same bytes, whoever looks on", () => {
  property(input(6), 30, ({ situation: given }, builder) => {
    const first = play(given, builder)
    const second = play(given, builder)
    if (first.bytes !== second.bytes) {
      const [a, b] = [play(given, builder, "hash", true), play(given, builder, "hash", true)].map(({ log }) => framesText(log!.frames()).split("\n"))
      const at = a!.findIndex((line, i) => line !== b![i])
      throw new Error(`frame ${at}: ${a![at]} | ${b![at]}`)
    }
    expect(second.state).toBe(first.state)
    for (const look of ["nobody", "capture"] as const) {
      const other = play(given, builder, look)
      expect([look, other.digest, other.state]).toEqual([look, first.digest, first.state])
      if (look === "capture") expect(other.bytes).toBe(first.bytes)
    }
  })
})

it("another seed gives other bytes", () => {
  property(input(0), 20, ({ situation: given }, builder) => {
    const other = { ...given, plan: { ...given.plan, seed: given.plan.seed + 1 } }
    expect(play(other, builder).bytes).not.toBe(play(given, builder).bytes)
  })
})
