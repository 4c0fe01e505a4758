import type { Pod } from "@podwire/api"
import { SECOND } from "@podwire/engine"
import { expect, it } from "vitest"
import { Cluster, workload } from "./cluster.ts"

const NEVER = { restartPolicy: "Never" }
const index = ({ metadata }: Pod) => metadata.annotations?.["batch.kubernetes.io/job-completion-index"]

function run(spec: object, phase: (pod: Pod) => "Succeeded" | "Failed" = () => "Succeeded", exitCode = 0): Cluster {
  const cluster = new Cluster({ fate: (pod) => ({ phase: phase(pod), afterNs: 3 * SECOND, exitCode: phase(pod) === "Failed" ? exitCode || 1 : 0 }) })
  cluster.nodes(1)
  cluster.apply(workload("Job", "sum", spec, "sum:1", NEVER))
  cluster.settle()
  return cluster
}

it("runs so many at a time until enough have succeeded", () => {
  const cluster = run({ completions: 3, parallelism: 2 })
  expect(cluster.timeline("Pod")).toMatchInlineSnapshot(`
    "
    0.01 Pod default/sum-n98ds created
    0.01 Pod default/sum-jzb6d created
    0.02 Pod default/sum-n98ds on node1
    0.02 Pod default/sum-jzb6d on node1
    1.02 Pod default/sum-n98ds Running
    1.02 Pod default/sum-jzb6d Running
    4.02 Pod default/sum-n98ds Succeeded
    4.02 Pod default/sum-jzb6d Succeeded
    4.03 Pod default/sum-qkml4 created
    4.04 Pod default/sum-qkml4 on node1
    5.04 Pod default/sum-qkml4 Running
    8.04 Pod default/sum-qkml4 Succeeded
    "
  `)
  expect(cluster.conditions("Job", "sum")).toMatchInlineSnapshot(`
    "
    SuccessCriteriaMet True CompletionsReached: Reached expected number of succeeded pods
    Complete True CompletionsReached: Reached expected number of succeeded pods
    "
  `)
  const { conditions: _, ...status } = cluster.get("Job", "sum").status as Record<string, unknown>
  expect(status).toMatchInlineSnapshot(`
    {
      "completionTime": "2026-01-01T00:00:08Z",
      "ready": 0,
      "startTime": "2026-01-01T00:00:00Z",
      "succeeded": 3,
      "terminating": 0,
      "uncountedTerminatedPods": {},
    }
  `)
})

it("tries again after 10 s, then 20 s, and gives up after the limit", () => {
  const cluster = run({ backoffLimit: 2 }, () => "Failed")
  expect(cluster.timeline("Pod")).toMatchInlineSnapshot(`
    "
    0.01 Pod default/sum-n98ds created
    0.02 Pod default/sum-n98ds on node1
    1.02 Pod default/sum-n98ds Running
    4.02 Pod default/sum-n98ds Failed
    14.00 Pod default/sum-jzb6d created
    14.01 Pod default/sum-jzb6d on node1
    15.01 Pod default/sum-jzb6d Running
    18.01 Pod default/sum-jzb6d Failed
    38.00 Pod default/sum-qkml4 created
    38.01 Pod default/sum-qkml4 on node1
    39.01 Pod default/sum-qkml4 Running
    42.01 Pod default/sum-qkml4 Failed
    "
  `)
  expect(cluster.conditions("Job", "sum")).toMatchInlineSnapshot(`
    "
    FailureTarget True BackoffLimitExceeded: Job has reached the specified backoff limit
    Failed True BackoffLimitExceeded: Job has reached the specified backoff limit
    "
  `)
})

it("gives each index a pod, and names it", () => {
  const cluster = run({ completions: 4, parallelism: 4, completionMode: "Indexed", backoffLimit: 0 },
    (pod) => (index(pod) === "3" ? "Failed" : "Succeeded"))
  expect(cluster.get("Job", "sum").status).toMatchObject({ completedIndexes: "0-2", succeeded: 3, failed: 1 })
  const pod = cluster.pods()[0]!
  expect([pod.metadata.generateName, pod.spec.hostname, pod.spec.containers[0]!.env]).toEqual(["sum-0-", "sum-0", [
    { name: "JOB_COMPLETION_INDEX", valueFrom: { fieldRef: { fieldPath: "metadata.labels['batch.kubernetes.io/job-completion-index']" } } }
  ]])
})

it("ends what runs too long", () => {
  const cluster = new Cluster()
  cluster.nodes(1)
  cluster.apply(workload("Job", "sum", { activeDeadlineSeconds: 5 }, "sum:1", NEVER))
  cluster.settle()
  expect(cluster.clock).toBe("1.04")
  cluster.run(10 * SECOND)
  expect(cluster.timeline("Pod")).toMatchInlineSnapshot(`
    "
    0.01 Pod default/sum-n98ds created
    0.02 Pod default/sum-n98ds on node1
    1.02 Pod default/sum-n98ds Running
    5.00 Pod default/sum-n98ds terminating
    7.00 Pod default/sum-n98ds gone
    "
  `)
  expect(cluster.conditions("Job", "sum")).toMatchInlineSnapshot(`
    "
    FailureTarget True DeadlineExceeded: Job was active longer than specified deadline
    Failed True DeadlineExceeded: Job was active longer than specified deadline
    "
  `)
})

it("ends at once by a rule for exit codes, and ignores by another", () => {
  const rules = [
    { action: "FailJob", onExitCodes: { operator: "In", values: [42] } },
    { action: "Ignore", onPodConditions: [{ type: "DisruptionTarget" }] }
  ]
  const cluster = run({ podFailurePolicy: { rules } }, () => "Failed", 42)
  expect(cluster.conditions("Job", "sum").replace(/sum-\w+/g, "sum-x")).toMatchInlineSnapshot(`
    "
    FailureTarget True PodFailurePolicy: Container main for pod default/sum-x failed with exit code 42 matching FailJob rule at index 0
    Failed True PodFailurePolicy: Container main for pod default/sum-x failed with exit code 42 matching FailJob rule at index 0
    "
  `)
})

it("stands still while suspended", () => {
  const cluster = run({ suspend: true })
  expect(cluster.pods()).toEqual([])
  expect(cluster.conditions("Job", "sum")).toMatchInlineSnapshot(`
    "
    Suspended True JobSuspended: Job suspended
    "
  `)
  cluster.apply(workload("Job", "sum", {}, "sum:1", NEVER))
  cluster.settle()
  expect(cluster.conditions("Job", "sum")).toMatchInlineSnapshot(`
    "
    Suspended False JobResumed: Job resumed
    SuccessCriteriaMet True CompletionsReached: Reached expected number of succeeded pods
    Complete True CompletionsReached: Reached expected number of succeeded pods
    "
  `)
})

it("goes with its pods when its time is over", () => {
  const cluster = run({ ttlSecondsAfterFinished: 60 })
  cluster.run(59 * SECOND)
  expect(cluster.pods().length).toBe(1)
  cluster.run(10 * SECOND)
  expect(cluster.store.kinds()).toEqual(["Node"])
})
