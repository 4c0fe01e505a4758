/**
 * `kind: Scenario` of podwire.dev/v1: steps in order, each one action and what is expected of it.
 *
 *   steps:
 *     - exec: { pod: default/client, argv: [ping, -c, "3", 10.244.1.2] }
 *       expect: { exit: 0, stdout: { contains: "3 received" } }
 *     - fault: { link: node1-node2, loss: 10%, for: 30s }
 *     - fault: { node: node2, clear: true }
 *     - scale: { target: deployment/web, replicas: 5 }
 *     - exec: { pod: client, argv: [nc, -N, 10.244.1.2, "9"], stdin: { zeros: 1000 }, background: upload }
 *     - advance: 5s
 *     - inspect: { where: default/client, argv: [ss, -tan] }
 *       expect: { stdout: { contains: ESTAB } }
 *     - wait: upload
 */
import * as Schema from "effect/Schema"
import { Impairment } from "./cluster.ts"
import { Count, Duration } from "./units.ts"

const optional = Schema.optionalKey

/** The whole text, or what it must (not) hold. */
export const TextExpectation = Schema.Union([
  Schema.String,
  Schema.Struct({
    contains: optional(Schema.Union([Schema.String, Schema.Array(Schema.String)])),
    lacks: optional(Schema.Union([Schema.String, Schema.Array(Schema.String)])),
    matches: optional(Schema.String)
  })
])
export type TextExpectation = typeof TextExpectation.Type

export const FrameExpectation = Schema.Struct({
  /** An interface as the captures name it: node1/cni0, default/web-0/eth0. */
  at: Schema.String,
  /** tcpdump's language; left out: every frame. */
  filter: optional(Schema.String),
  direction: optional(Schema.Literals(["in", "out"])),
  count: optional(Count),
  atLeast: optional(Count),
  atMost: optional(Count),
  /** When they passed, since the first of them, each to 100 ms or 5%: [0s, 1s, 3s]. */
  times: optional(Schema.Array(Duration))
})

export const Expectation = Schema.Struct({
  exit: optional(Count),
  stdout: optional(TextExpectation),
  stderr: optional(TextExpectation),
  /** Rows of `kubectl get pods`: phase or reason by name, `default/web-0: Running`. */
  pods: optional(Schema.Record(Schema.String, Schema.String)),
  frames: optional(Schema.Array(FrameExpectation)),
  /** Drops by the kernel's name for the reason; `true` allows any number. */
  drops: optional(Schema.Record(Schema.String, Schema.Union([Count, Schema.Boolean])))
})
export type Expectation = typeof Expectation.Type

export const Step = Schema.Struct({
  name: optional(Schema.String),
  exec: optional(Schema.Struct({
    /** POD, NS/POD, deploy/NAME, node/NAME, host/NAME. */
    pod: Schema.String, container: optional(Schema.String), argv: Schema.Array(Schema.String),
    timeout: optional(Duration),
    /** All of the standard input, which then ends: a text, or so many octets of zero. */
    stdin: optional(Schema.Union([Schema.String, Schema.Struct({ zeros: Count })])),
    /** It goes on under this name while the next steps run; `wait` has its end. */
    background: optional(Schema.String)
  })),
  /** Until the program that goes on under this name has ended: what is expected is expected of it. */
  wait: optional(Schema.String),
  /** What a Linux tool shows of a node's or pod's state: [ss, -tan]. */
  inspect: optional(Schema.Struct({ where: Schema.String, argv: Schema.Array(Schema.String) })),
  apply: optional(Schema.Union([Schema.String, Schema.Array(Schema.String)])),
  delete: optional(Schema.Union([Schema.String, Schema.Array(Schema.String)])),
  scale: optional(Schema.Struct({ target: Schema.String, replicas: Count })),
  ready: optional(Schema.Union([Schema.String, Schema.Array(Schema.String)])),
  fault: optional(Schema.Struct({
    link: optional(Schema.String), node: optional(Schema.String), down: optional(Schema.Boolean),
    for: optional(Duration), clear: optional(Schema.Boolean), ...Impairment
  })),
  advance: optional(Duration),
  reach: optional(Schema.Struct({ all: optional(Schema.Boolean) })),
  expect: optional(Expectation)
})
export type Step = typeof Step.Type

export const ACTIONS =
  ["exec", "wait", "inspect", "apply", "delete", "scale", "ready", "fault", "advance", "reach"] as const

export const ScenarioDocument = Schema.Struct({
  apiVersion: Schema.Literals(["podwire.dev/v1"]),
  kind: Schema.Literals(["Scenario"]),
  metadata: optional(Schema.Struct({ name: optional(Schema.String) })),
  spec: Schema.Struct({
    seed: optional(Count),
    description: optional(Schema.String),
    steps: optional(Schema.Array(Step)),
    /** Drops that the scenario as a whole announces. */
    drops: optional(Schema.Record(Schema.String, Schema.Union([Count, Schema.Boolean]))),
    /** Files of their own, beside those of all interfaces: what one interface sees of one conversation. */
    captures: optional(Schema.Array(Schema.Struct({
      at: Schema.String, name: optional(Schema.String), filter: optional(Schema.String)
    })))
  })
})
export type ScenarioDocument = typeof ScenarioDocument.Type

/** What is wrong with the steps, with its place: no step, a name that nothing goes on under, … */
export function stepProblems(steps: ReadonlyArray<Step>): ReadonlyArray<StepProblem> {
  const started = new Set<string>()
  return steps.flatMap((step, i) => {
    const what = stepProblem(step)
    if (what !== null) return [{ path: [i], what }]
    const { wait, exec } = step
    if (wait !== undefined && !started.delete(wait)) {
      const missing = `no step before has \`background: ${wait}\` that was not waited for`
      return [{ path: [i, "wait"], what: missing }]
    }
    const name = exec?.background
    if (name === undefined) return []
    const path = [i, "exec", "background"]
    if (started.has(name)) {
      return [{ path, what: `"${name}" goes on already; wait for it or use another name` }]
    }
    started.add(name)
    const { exit, stdout, stderr } = step.expect ?? {}
    if (exec?.timeout !== undefined) {
      return [{ path: [i, "exec", "timeout"], what: "a background program has none; it ends when it ends" }]
    }
    const early = Object.entries({ exit, stdout, stderr }).filter(([, value]) => value !== undefined)
    const later = `"${name}" goes on after this step; expect this of \`wait: ${name}\``
    return early.map(([key]) => ({ path: [i, "expect", key], what: later }))
  })
}

export interface StepProblem {
  readonly path: ReadonlyArray<string | number>
  readonly what: string
}

/** Why a step is no step, or null. */
function stepProblem(step: Step): string | null {
  const named = ACTIONS.filter((action) => step[action] !== undefined)
  if (named.length === 0) return `expected one of ${ACTIONS.join(", ")}`
  return named.length === 1
    ? null
    : `found ${named.join(" and ")}, expected one action; make it ${named.length} steps`
}
