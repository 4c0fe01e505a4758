/** The facts, played to us and, where there is a kernel to ask, to it. */
import { describe, expect, it } from "vitest"
import { CORNERS, type Fact, FACTS, hostsOf, shortened, type Step } from "./facts.ts"
import { type KernelEvent, missing, play } from "./kernel.ts"
import { Rig } from "./rig.ts"

const ALL = [...FACTS, ...CORNERS]

/** What must be seen of each step that shows something. */
function expected(fact: Fact): ReadonlyArray<string> {
  return fact.steps.flatMap((step) => step.kind === "send" ? [step.state] : step.kind === "listed" ? [step.text] : [])
}

function packetOf(step: Step & { readonly kind: "send" }, hosts: readonly [string, string], id: number): Uint8Array {
  return step.build({ src: hosts[step.from], dst: hosts[1 - step.from]!, id })
}

it.each(ALL.map((fact, i) => [fact.name, fact, i] as const))("%s", (_, fact, i) => {
  const rig = new Rig()
  const hosts = hostsOf(fact, i)
  const seen = fact.steps.flatMap((step) => {
    if (step.kind === "send") return [rig.send(packetOf(step, hosts, 1), step.state === "filtered")]
    if (step.kind === "listed") return [shortened(rig.list(), hosts[0])]
    rig.wait(step.seconds)
    return []
  })
  expect(seen).toEqual(expected(fact))
  expect(rig.conntrack.check()).toBeNull()
})

describe.skipIf(missing() !== null)("of a real kernel", () => {
  it("are the same", () => {
    const events: Array<KernelEvent> = []
    let id = 0
    const ids = new Map<string, number>()
    const lists = new Map<string, number>()
    let listCount = 0
    // Everything up to the first wait of each, one wait for all, and the rest.
    const add = (fact: Fact, i: number, from: number, to: number): void => {
      for (let k = from; k < to; k++) {
        const step = fact.steps[k]!
        if (step.kind === "send") {
          ids.set(`${i}.${k}`, ++id)
          events.push({ kind: "packet", from: step.from, packet: packetOf(step, hostsOf(fact, i), id) })
        } else if (step.kind === "listed") {
          lists.set(`${i}.${k}`, listCount++)
          events.push({ kind: "list" })
        }
      }
    }
    const cuts = ALL.map(({ steps }) => {
      const at = steps.findIndex(({ kind }) => kind === "wait")
      return at < 0 ? steps.length : at
    })
    ALL.forEach((fact, i) => {
      if (cuts[i] === fact.steps.length) add(fact, i, 0, cuts[i]!)
    })
    ALL.forEach((fact, i) => {
      if (cuts[i] !== fact.steps.length) add(fact, i, 0, cuts[i]!)
    })
    events.push({ kind: "wait", seconds: 2.1 })
    ALL.forEach((fact, i) => add(fact, i, cuts[i]!, fact.steps.length))
    const answer = play(events)
    ALL.forEach((fact, i) => {
      const hosts = hostsOf(fact, i)
      const seen = fact.steps.flatMap((step, k) => {
        if (step.kind === "send") return [answer.states.get(ids.get(`${i}.${k}`)!) ?? "filtered"]
        return step.kind === "listed" ? [shortened(answer.lists[lists.get(`${i}.${k}`)!]!.tool, hosts[0])] : []
      })
      const near = (text: string, k: number): string => {
        const other = expected(fact)[k]!
        const [a, b] = [Number(/ (\d+)/.exec(text)?.[1] ?? 0), Number(/ (\d+)/.exec(other)?.[1] ?? 0)]
        return text.replace(/ \d+/, "") === other.replace(/ \d+/, "") && b - a >= 0 && b - a <= 3 ? other : text
      }
      expect(seen.map(near), fact.name).toEqual(expected(fact))
    })
  }, 30_000)
})
