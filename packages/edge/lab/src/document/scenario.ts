/**
 * `kind: Scenario` of podwire.dev/v1: steps in order, each one action and what is expected of it.
 *
 *   steps:
 *     - exec: { pod: default/client, argv: [ping, -c, "3", 10.244.1.2] }
 *       expect: { exit: 0, stdout: { contains: "3 received" } }
 *     - fault: { link: node1-node2, loss: 10%, for: 30s }
 *     - scale: { target: deployment/web, replicas: 5 }
 *     - advance: 5s
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
  atMost: optional(Count)
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
    timeout: optional(Duration)
  })),
  apply: optional(Schema.Union([Schema.String, Schema.Array(Schema.String)])),
  delete: optional(Schema.Union([Schema.String, Schema.Array(Schema.String)])),
  scale: optional(Schema.Struct({ target: Schema.String, replicas: Count })),
  ready: optional(Schema.Union([Schema.String, Schema.Array(Schema.String)])),
  fault: optional(Schema.Struct({
    link: optional(Schema.String), node: optional(Schema.String), down: optional(Schema.Boolean),
    for: optional(Duration), ...Impairment
  })),
  advance: optional(Duration),
  reach: optional(Schema.Struct({ all: optional(Schema.Boolean) })),
  expect: optional(Expectation)
})
export type Step = typeof Step.Type

export const ACTIONS = ["exec", "apply", "delete", "scale", "ready", "fault", "advance", "reach"] as const

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

/** Why a step is no step, or null. */
export function stepProblem(step: Step): string | null {
  const named = ACTIONS.filter((action) => step[action] !== undefined)
  if (named.length === 0) return `expected one of ${ACTIONS.join(", ")}`
  return named.length === 1
    ? null
    : `found ${named.join(" and ")}, expected one action; make it ${named.length} steps`
}
