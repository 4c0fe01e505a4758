/**
 * `run -o json`: the shape is a promise, written down as a Schema; `schema/run.schema.json` is made from it
 * (`npm test` says when it is old: PODWIRE_UPDATE=1 writes it anew). Fields may be added, none taken away.
 */
import type { Pod } from "@podwire/api"
import * as Schema from "effect/Schema"
import { type Problem, sortProblems } from "./input/index.ts"
import type { Lab } from "./lab.ts"
import { summary } from "./print/pod.ts"
import type { ReportOptions } from "./report.ts"
import type { RunReport } from "./run.ts"

const optional = Schema.optionalKey
const orNull = <S extends Schema.Top>(schema: S) => Schema.Union([schema, Schema.Null])

/** What did not hold, or cannot be read: where, and what to do. */
const Failure = Schema.Struct({
  file: Schema.String,
  line: orNull(Schema.Int),
  column: orNull(Schema.Int),
  path: Schema.String,
  message: Schema.String,
  found: optional(Schema.String),
  expected: optional(Schema.String),
  remedy: optional(Schema.String)
})

export const RunJson = Schema.Struct({
  scenario: Schema.String,
  seed: Schema.Int,
  held: Schema.Boolean,
  pods: Schema.Array(Schema.Struct({
    namespace: Schema.String, name: Schema.String, node: orNull(Schema.String), status: Schema.String,
    ips: Schema.Array(Schema.String)
  })),
  steps: Schema.Array(Schema.Struct({
    title: Schema.String, atNs: Schema.Int, ok: Schema.Boolean,
    exitCode: optional(Schema.Int), stdout: optional(Schema.String), stderr: optional(Schema.String),
    said: Schema.Array(Schema.String), failures: Schema.Array(Failure)
  })),
  reach: orNull(Schema.Array(Schema.Struct({
    from: Schema.String, to: Schema.String, family: Schema.Literals([4, 6]), answered: Schema.Boolean,
    sourceKept: Schema.Boolean,
    why: Schema.String
  }))),
  probesNotSent: Schema.Int,
  drops: Schema.Record(Schema.String, Schema.Int),
  failures: Schema.Array(Failure),
  warnings: Schema.Array(Schema.String),
  captures: orNull(Schema.String),
  endsAtNs: Schema.Int
})
export type RunJson = typeof RunJson.Type

export function renderJson(lab: Lab, report: RunReport, options: ReportOptions): string {
  const pods = (lab.cluster.store.list("Pod") as ReadonlyArray<Pod>).map((pod) => ({
    namespace: pod.metadata.namespace!, name: pod.metadata.name!, node: pod.spec.nodeName ?? null,
    status: summary(pod).reason, ips: (pod.status?.podIPs ?? []).map(({ ip }) => ip)
  }))
  const steps = report.steps.map(({ title, atNs, result, said, failures }) => ({
    title, atNs, ok: failures.length === 0, ...result ?? {}, said, failures: plain(failures)
  }))
  const json: RunJson = {
    scenario: options.name, seed: lab.plan.seed, held: report.failures.length === 0, pods, steps,
    reach: report.reach?.cells ?? null, probesNotSent: report.reach?.left ?? 0, drops: report.drops,
    failures: plain(report.failures), warnings: lab.warnings, captures: options.out,
    endsAtNs: lab.cluster.engine.nowNs
  }
  return `${JSON.stringify(json, null, 2)}\n`
}

function plain(problems: ReadonlyArray<Problem>): RunJson["failures"] {
  return sortProblems(problems).map((problem) => ({ ...problem }))
}
