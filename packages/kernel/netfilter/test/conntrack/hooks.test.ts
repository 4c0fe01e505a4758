/** Tracking is on while somebody needs it, and what it loses is ended. */
import { expect, it } from "vitest"
import { ConntrackHooks } from "../../src/conntrack/hooks.ts"
import { FORWARD, HookTable, INPUT, OUTPUT, POSTROUTING, PREROUTING } from "../../src/hook.ts"
import { Verdict } from "../../src/verdict.ts"
import { udp } from "./packets.ts"
import { Rig, stateOf } from "./rig.ts"

it("on and off", () => {
  const rig = new Rig({ nf_conntrack_max: 1 })
  const table = new HookTable()
  const hooks = new ConntrackHooks(rig.conntrack, rig.pool, table)
  const through = (source: number, ...points: ReadonlyArray<0 | 1 | 2 | 3 | 4>): string => {
    const frame = rig.frame(udp({ src: `10.0.0.${source}`, dst: "10.0.0.9" }, 1, 2, 0))
    for (const hook of points) if (table.run(hook, frame, null, null) !== Verdict.Accept) return "lost"
    const state = stateOf(frame)
    rig.pool.free(frame)
    return state
  }
  expect(through(1, PREROUTING, FORWARD, POSTROUTING)).toBe("INVALID")
  hooks.get()
  hooks.get()
  expect([through(1, PREROUTING, FORWARD, POSTROUTING), rig.conntrack.count]).toEqual(["NEW", 1])
  expect(through(1, OUTPUT, POSTROUTING, PREROUTING, INPUT)).toBe("NEW")
  const held = rig.frame(udp({ src: "10.0.0.3", dst: "10.0.0.9" }, 1, 2, 0))
  rig.conntrack.flush()
  table.run(PREROUTING, held, null, null)
  expect([through(2, PREROUTING, INPUT), rig.pool.dropped]).toEqual(["lost", 1])
  rig.pool.free(held)
  hooks.put()
  expect(through(2, PREROUTING, INPUT)).toBe("NEW")
  hooks.put()
  hooks.put()
  expect([through(2, PREROUTING, INPUT), rig.conntrack.count, rig.pool.inFlight]).toEqual(["INVALID", 1, 0])
})
