/** CronJob (batch/v1). Stored and checked; no schedule is run. */
import * as Schema from "effect/Schema"
import { JobSpec } from "./job.ts"
import { ObjectMeta } from "./meta.ts"
import { ObjectReference } from "./reference.ts"
import { Int32, Int64, Time, optional } from "./scalar.ts"

export const JobTemplateSpec = Schema.Struct({
  metadata: optional(ObjectMeta),
  spec: JobSpec
})
export type JobTemplateSpec = typeof JobTemplateSpec.Type

export const CronJobSpec = Schema.Struct({
  schedule: Schema.String,
  timeZone: optional(Schema.String),
  startingDeadlineSeconds: optional(Int64),
  concurrencyPolicy: optional(Schema.String),
  suspend: optional(Schema.Boolean),
  jobTemplate: JobTemplateSpec,
  successfulJobsHistoryLimit: optional(Int32),
  failedJobsHistoryLimit: optional(Int32)
})
export type CronJobSpec = typeof CronJobSpec.Type

export const CronJobStatus = Schema.Struct({
  active: optional(Schema.Array(ObjectReference)),
  lastScheduleTime: optional(Time),
  lastSuccessfulTime: optional(Time)
})
export type CronJobStatus = typeof CronJobStatus.Type

export const CronJob = Schema.Struct({
  apiVersion: Schema.Literal("batch/v1"),
  kind: Schema.Literal("CronJob"),
  metadata: ObjectMeta,
  spec: CronJobSpec,
  status: optional(CronJobStatus)
})
export type CronJob = typeof CronJob.Type
