import { ApiStore, Informer, type KubeObject } from "@podwire/api"
import { type Controller, type Outcome, Runner } from "@podwire/controllers"
import { Engine, MILLISECOND, type Ns, SECOND } from "@podwire/engine"
import { expect, it } from "vitest"

const thing = (name: string, more: object = {}): KubeObject =>
  ({ apiVersion: "v1", kind: "ConfigMap", metadata: { name, namespace: "default" }, ...more }) as KubeObject

function scene(reconcile: Controller["reconcile"], { lagNs = 10 * MILLISECOND, paceNs = 0 }: { lagNs?: Ns; paceNs?: Ns } = {}) {
  const engine = new Engine(1)
  const store = new ApiStore(engine)
  const informer = new Informer(engine, store, lagNs)
  const looks: Array<string> = []
  const told: Array<string> = []
  const controller: Controller = {
    name: "test", watches: ["ConfigMap"], keysOf: ({ metadata }) => [metadata.name!],
    reconcile(key, view, nowNs) {
      looks.push(`${nowNs / MILLISECOND} ${key}`)
      return reconcile(key, view, nowNs)
    }
  }
  const runner = new Runner(engine, store, informer, [controller], ({ message }) => told.push(message), paceNs)
  const run = (ns: Ns) => engine.advance(engine.nowNs + ns, 10_000)
  return { engine, store, runner, looks, told, run }
}

it("looks only when the view has its own last write", () => {
  const { store, looks, run, runner } = scene((key, view): Outcome => {
    const object = view.get("ConfigMap", "default", key) as KubeObject & { data?: { n: number } }
    const n = object.data?.n ?? 0
    return n === 2 ? { changes: [] } : { changes: [{ _tag: "Update", object: { ...object, data: { n: n + 1 } } as KubeObject }] }
  })
  expect(runner.idle).toBe(true)
  store.create(thing("a"))
  expect(runner.idle).toBe(false)
  run(9 * MILLISECOND)
  store.update(thing("a", { data: { n: 0 } }))
  run(1 * SECOND)
  // 10: its write is refused, since the view lacks the update; 15: too early; 19: the view has it.
  expect(looks).toEqual(["10 a", "19 a", "29 a", "39 a"])
  expect(runner.idle).toBe(true)
})

it("backs off while a write is refused", () => {
  const { store, looks, run, runner } = scene(() => ({ changes: [{ _tag: "Create", object: thing("a") }] }), { lagNs: 0 })
  store.create(thing("a"))
  run(80 * MILLISECOND)
  expect(looks).toEqual(["0 a", "5 a", "15 a", "35 a", "75 a"])
  expect(runner.idle).toBe(false)
})

it("is idle before a deadline, and isn't while work waits for its time", () => {
  const idle = (outcome: Outcome) => {
    const { store, runner, run, looks } = scene((_, __, nowNs) => (nowNs > SECOND ? { changes: [] } : outcome))
    store.create(thing("a"))
    run(20 * MILLISECOND)
    const before = runner.idle
    run(2 * SECOND)
    expect([runner.idle, looks.length]).toEqual([true, 2])
    return before
  }
  expect(idle({ changes: [], requeueNs: SECOND })).toBe(true)
  expect(idle({ changes: [], dueNs: SECOND })).toBe(false)
})

it("says what was written, with the name that the server made", () => {
  const { store, told, run } = scene((key) => (key !== "a" ? { changes: [] } : {
    changes: [{
      _tag: "Create", object: thing("", { metadata: { generateName: "b-", namespace: "default" } }),
      event: ({ metadata }) => ({ about: { kind: "ConfigMap", namespace: "default", name: "a" }, type: "Normal", reason: "Made", message: metadata.name! })
    }]
  }))
  store.create(thing("a"))
  run(SECOND)
  expect(told).toEqual([expect.stringMatching(/^b-[a-z0-9]{5}$/)])
})

it("rests between batches, and takes all that came meanwhile as one", () => {
  const { store, looks, run, runner } = scene(() => ({ changes: [] }), { lagNs: 0, paceNs: 100 * MILLISECOND })
  store.create(thing("a"))
  run(10 * MILLISECOND)
  for (const name of ["b", "c"]) store.create(thing(name))
  run(10 * MILLISECOND)
  store.update(thing("b"))
  expect(runner.idle).toBe(false)
  run(SECOND)
  expect(looks).toEqual(["0 a", "100 b", "100 c"])
})
