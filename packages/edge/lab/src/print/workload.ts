/**
 * Lines of what makes pods: Deployment, ReplicaSet, StatefulSet, DaemonSet, Job, CronJob,
 * HorizontalPodAutoscaler.
 */
import {
  ageText, type DaemonSet, type Deployment, type Job, type KindTypes, type PodSpec, type ReplicaSet,
  type StatefulSet, timeNs
} from "@podwire/api"
import { age, printer, since, type View } from "./columns.ts"
import { labelsText, selectorText } from "./labels.ts"

const WIDE = "Containers,Images,Selector"

export const deployments = printer<Deployment>(`Name,Ready,Up-to-date,Available,Age|${WIDE}`, (object, view) => {
  const { spec, status } = object
  return [
    object.metadata.name!, `${status?.readyReplicas ?? 0}/${spec.replicas ?? 1}`,
    status?.updatedReplicas ?? 0,
    status?.availableReplicas ?? 0, age(object, view), ...containers(spec.template.spec),
    selectorText(spec.selector, "")
  ]
})

export const replicaSets = printer<ReplicaSet>(`Name,Desired,Current,Ready,Age|${WIDE}`, (object, view) => {
  const { spec, status } = object
  return [
    object.metadata.name!, spec.replicas ?? 1, status?.replicas ?? 0, status?.readyReplicas ?? 0,
    age(object, view),
    ...containers(spec.template?.spec), selectorText(spec.selector)
  ]
})

export const statefulSets = printer<StatefulSet>("Name,Ready,Age|Containers,Images", (object, view) => [
  object.metadata.name!, `${object.status?.readyReplicas ?? 0}/${object.spec.replicas ?? 1}`,
  age(object, view),
  ...containers(object.spec.template.spec)
])

export const daemonSets = printer<DaemonSet>(
  `Name,Desired,Current,Ready,Up-to-date,Available,Node Selector,Age|${WIDE}`, (object, view) => {
    const { spec, status } = object
    return [
      object.metadata.name!, status?.desiredNumberScheduled ?? 0, status?.currentNumberScheduled ?? 0,
      status?.numberReady ?? 0,
      status?.updatedNumberScheduled ?? 0, status?.numberAvailable ?? 0,
      labelsText(spec.template.spec?.nodeSelector),
      age(object, view), ...containers(spec.template.spec), selectorText(spec.selector)
    ]
  }
)

export const jobs = printer<Job>(`Name,Status,Completions,Duration,Age|${WIDE}`, (job, view) => [
  job.metadata.name!, jobStatus(job), completions(job), duration(job, view), age(job, view),
  ...containers(job.spec.template.spec), selectorText(job.spec.selector)
])

export const cronJobs = printer<KindTypes["CronJob"]>(
  `Name,Schedule,Timezone,Suspend,Active,Last Schedule,Age|${WIDE}`, (object, view) => {
    const { spec, status } = object
    const suspend = spec.suspend === undefined ? "<unset>" : spec.suspend ? "True" : "False"
    const last = status?.lastScheduleTime
    return [
      object.metadata.name!, spec.schedule, spec.timeZone ?? "<none>", suspend, status?.active?.length ?? 0,
      last === undefined ? "<none>" : since(last, view), age(object, view),
      ...containers(spec.jobTemplate.spec.template.spec), selectorText(spec.jobTemplate.spec.selector)
    ]
  }
)

export const autoscalers = printer<KindTypes["HorizontalPodAutoscaler"]>(
  "Name,Reference,Targets,MinPods,MaxPods,Replicas,Age", (object, view) => {
    const { spec, status } = object
    return [
      object.metadata.name!, `${spec.scaleTargetRef.kind}/${spec.scaleTargetRef.name}`, targets(object),
      spec.minReplicas ?? "<unset>",
      spec.maxReplicas, status?.currentReplicas ?? 0, age(object, view)
    ]
  }
)

/** layoutContainerCells. */
export function containers(spec: PodSpec | undefined): readonly [names: string, images: string] {
  const all = spec?.containers ?? []
  return [all.map(({ name }) => name).join(","), all.map(({ image }) => image ?? "").join(",")]
}

function jobStatus({ metadata, status }: Job): string {
  const has = (type: string) => status?.conditions?.some((condition) =>
    condition.type === type && condition.status === "True") === true
  if (has("Complete")) return "Complete"
  if (has("Failed")) return "Failed"
  if (metadata.deletionTimestamp !== undefined) return "Terminating"
  return ["Suspended", "FailureTarget", "SuccessCriteriaMet"].find(has) ?? "Running"
}

function completions({ spec, status }: Job): string {
  const done = status?.succeeded ?? 0
  if (spec.completions !== undefined) return `${done}/${spec.completions}`
  const parallel = spec.parallelism ?? 0
  return parallel > 1 ? `${done}/1 of ${parallel}` : `${done}/1`
}

function duration({ status }: Job, { nowNs }: View): string {
  if (status?.startTime === undefined) return ""
  const endNs = status.completionTime === undefined ? nowNs : timeNs(status.completionTime)!
  return ageText(endNs - timeNs(status.startTime)!)
}

/** formatHPAMetrics, with the current values unknown: nothing measures here. */
function targets({ spec }: KindTypes["HorizontalPodAutoscaler"]): string {
  const list = (spec.metrics ?? []).map((metric) => {
    const resource = metric.resource ?? metric.containerResource
    const target = (resource ?? metric.pods ?? metric.object ?? metric.external)?.target
    if (target === undefined) return "<unknown type>"
    if (resource !== undefined) {
      const aim = target.averageValue ??
        (target.averageUtilization === undefined ? "<auto>" : `${target.averageUtilization}%`)
      return `${resource.name}: <unknown>/${aim}`
    }
    return target.averageValue === undefined || metric.pods !== undefined
      ? `<unknown>/${target.averageValue ?? target.value ?? ""}`
      : `<unknown>/${target.averageValue} (avg)`
  })
  if (list.length === 0) return "<none>"
  const shown = list.slice(0, 2).join(", ")
  return list.length > 2 ? `${shown} + ${list.length - 2} more...` : shown
}
