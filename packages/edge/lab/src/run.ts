/**
 * One run: the cluster settles, then either the scenario's steps or the default checks (every container runs,
 * every pod and node reaches every pod), and what came of it. A pod that can never run is bad input, unless a
 * step expects it; a frame that ended for a reason nobody expects fails a scenario.
 */
import type { Pod } from "@podwire/api"
import { dropReasonName, reach, type ReachCell } from "@podwire/cluster"
import * as Effect from "effect/Effect"
import { ACTIONS, type Step } from "./document/scenario.ts"
import { misses } from "./expectation.ts"
import { InputError, type Problem } from "./input/index.ts"
import type { Lab } from "./lab.ts"
import type { ExecResult, Started } from "./started.ts"
import type { ScenarioProgram } from "./scenario-program.ts"
import { ORDINARY_DROPS, unexpectedDrops } from "./drops.ts"

export const UNSETTLED = "the cluster does not come to rest: something keeps changing"

export interface StepReport {
  readonly title: string
  /** Virtual time when it began. */
  readonly atNs: number
  readonly result: ExecResult | null
  /** What the step itself said: `deployment.apps/web scaled`. */
  readonly said: ReadonlyArray<string>
  readonly failures: ReadonlyArray<Problem>
}

export interface RunReport {
  readonly steps: ReadonlyArray<StepReport>
  readonly reach: { readonly cells: ReadonlyArray<ReachCell>; readonly left: number } | null
  /** Everything that did not hold, with its place. */
  readonly failures: ReadonlyArray<Problem>
  readonly drops: Readonly<Record<string, number>>
}

export const runLab = Effect.fnUntraced(function*(lab: Lab, program: ScenarioProgram | null = null) {
  const { scenario } = lab.loaded
  const rested = yield* lab.settle()
  const steps = scenario?.value.spec.steps ?? []
  const stuck = lab.stuck()
  if (stuck.length > 0 && !steps.some((step) => step.expect?.pods !== undefined)) {
    return yield* new InputError({ problems: stuck })
  }
  const failures: Array<Problem> = rested ? [] : [unplaced(UNSETTLED)]
  const reports: Array<StepReport> = []
  const started: Background = new Map()
  for (const [i, step] of steps.entries()) {
    const report = yield* runStep(lab, step, i, started)
    reports.push(report)
    failures.push(...report.failures)
  }
  failures.push(...unwaited(started))
  if (program !== null) {
    const report = yield* runProgram(lab, program)
    reports.push(report)
    failures.push(...report.failures)
  }
  let matrix: RunReport["reach"] = null
  if (steps.length === 0 && program === null) {
    failures.push(...portClashes(lab), ...rejectedPods(lab))
    matrix = reach(lab.cluster)
    failures.push(...reachFailures(matrix.cells))
  }
  const drops = dropCounts(lab)
  if (scenario !== null || program !== null) {
    const announced = [
      scenario?.value.spec.drops ?? {}, program?.drops ?? {},
      ...steps.map((step) => step.expect?.drops ?? {})
    ]
    failures.push(
      ...unexpectedDrops(
        drops, announced,
        (complaint) => scenario?.document.problem(["spec"], complaint) ?? unplaced(complaint.what)
      )
    )
  }
  failures.push(...lab.cluster.check().map(unplaced), ...emptyCaptures(lab))
  return { steps: reports, reach: matrix, failures, drops } satisfies RunReport
})

const runStep = Effect.fnUntraced(function*(lab: Lab, step: Step, index: number, started: Background) {
  const { document } = lab.loaded.scenario!
  const { engine } = lab.cluster
  const path = ["spec", "steps", index]
  const atNs = engine.nowNs
  const last = lab.frames().at(-1) ?? null
  const failures: Array<Problem> = []
  const acted = yield* Effect.result(act(lab, step, started))
  let result: ExecResult | null = null
  let said: ReadonlyArray<string> = []
  if (acted._tag === "Failure") {
    const { failure } = acted
    if (failure._tag === "InputError") failures.push(...failure.problems)
    else failures.push(document.problem(path, { what: failure.message }))
  } else {
    ;({ result, said } = acted.success)
    if (result !== null && step.expect?.exit === undefined && result.exitCode !== 0) {
      const output = (result.stderr + result.stdout).trimEnd()
      failures.push(
        document.problem(
          [...path, nameOfAction(step)],
          {
            what: `exit code ${result.exitCode}`, expected: "0",
            remedy: `it printed ${JSON.stringify(output)}`
          }
        )
      )
    }
    for (const miss of misses(lab, step.expect ?? {}, result, last)) {
      failures.push(document.problem([...path, "expect", ...miss.path], { what: miss.message }))
    }
  }
  return { title: step.name ?? titleOf(step), atNs, result, said, failures } satisfies StepReport
})

const runProgram = Effect.fnUntraced(function*(lab: Lab, program: ScenarioProgram) {
  const atNs = lab.cluster.engine.nowNs
  const said: Array<string> = []
  const failures: Array<Problem> = []
  const done = yield* Effect.result(program.run(lab, (what, holds, found) => {
    const text = found === undefined ? "" : `; found ${JSON.stringify(found)}`
    said.push(`${holds ? "ok" : "FAIL"} at ${lab.now}: ${what}${holds ? "" : text}`)
    if (!holds) failures.push(unplaced(`${what}${text}`))
  }))
  if (done._tag === "Failure") {
    failures.push(
      ...done.failure._tag === "InputError" ? done.failure.problems : [unplaced(done.failure.message)]
    )
  }
  return { title: "scenario.ts", atNs, result: null, said, failures } satisfies StepReport
})

/** The programs that go on, by name. */
type Background = Map<string, Started>

const act = Effect.fnUntraced(function*(lab: Lab, step: Step, started: Background) {
  const said: Array<string> = []
  let result: ExecResult | null = null
  if (step.exec !== undefined) {
    const { pod, argv, container, timeout, background } = step.exec
    const stdin = inputOf(step.exec.stdin)
    const program = yield* lab.start(pod, argv, {
      ...container === undefined ? {} : { container }, ...stdin === undefined ? {} : { stdin }
    })
    const most = timeout === undefined ? undefined : String(timeout)
    if (background === undefined) result = yield* program.wait(most)
    else started.set(background, program)
  } else if (step.wait !== undefined) {
    result = yield* started.get(step.wait)!.wait()
    started.delete(step.wait)
  } else if (step.inspect !== undefined) result = yield* lab.inspect(step.inspect.where, step.inspect.argv)
  else if (step.apply !== undefined) said.push(...yield* lab.applyBeside(listOf(step.apply)))
  else if (step.delete !== undefined) for (const what of listOf(step.delete)) said.push(yield* lab.delete(what))
  else if (step.scale !== undefined) said.push(yield* lab.scale(step.scale.target, step.scale.replicas))
  else if (step.ready !== undefined) said.push(...yield* lab.ready(listOf(step.ready)))
  else if (step.fault !== undefined) yield* lab.fault(step.fault as Parameters<Lab["fault"]>[0])
  else if (step.advance !== undefined) yield* lab.advance(String(step.advance))
  else if (step.reach !== undefined) said.push(...yield* lab.reachAll())
  if (step.apply !== undefined || step.delete !== undefined || step.scale !== undefined) yield* lab.settle()
  return { result, said }
})

/** Programs that went wrong and that no step asked about. */
function unwaited(started: Background): ReadonlyArray<Problem> {
  return [...started].flatMap(([name, { exitCode }]) =>
    exitCode === null || exitCode === 0 ? []
      : [unplaced(`background "${name}" ended with exit code ${exitCode}, and no step waits for it`)])
}

function inputOf(stdin: NonNullable<Step["exec"]>["stdin"]): string | Uint8Array | undefined {
  return typeof stdin === "object" ? new Uint8Array(stdin.zeros) : stdin
}

function nameOfAction(step: Step): string {
  return ACTIONS.find((action) => step[action] !== undefined)!
}

function titleOf(step: Step): string {
  if (step.exec !== undefined) {
    const { pod, argv, background } = step.exec
    return `${pod}: ${argv.join(" ")}${background === undefined ? "" : " &"}`
  }
  if (step.inspect !== undefined) return `${step.inspect.where}: ${step.inspect.argv.join(" ")}`
  if (step.scale !== undefined) return `scale ${step.scale.target} to ${step.scale.replicas}`
  const [action, value] = Object.entries(step).find(([key]) => key !== "name" && key !== "expect")!
  if (typeof value === "string" || Array.isArray(value)) return `${action} ${listOf(value).join(" ")}`
  return `${action} ${Object.entries(value as object).map(([key, word]) => `${key} ${word}`).join(", ")}`.trimEnd()
}

function listOf(value: string | ReadonlyArray<string>): ReadonlyArray<string> {
  return typeof value === "string" ? [value] : value
}

/**
 * Containers that another container of the same namespace keeps from their port, at the line that asks for
 * it.
 */
export function portClashes(lab: Lab): ReadonlyArray<Problem> {
  const seen = new Set<string>()
  return lab.cluster.pods.flatMap((pod) => pod.clashes().flatMap((clash) => {
    const ports = clash.pod.spec!.containers[clash.index]!.ports ?? []
    const port = ports.findIndex((other) =>
      other.containerPort === clash.port.port && (other.protocol ?? "TCP") === clash.port.protocol)
    const path = ["spec", "containers", clash.index, ...port < 0 ? [] : ["ports", port, "containerPort"]]
    const source = lab.sourceOf(clash.pod)
    const holder = pod.containers.find((other) => other.spec.name !== clash.container && other.running &&
      (other.spec.ports ?? []).some((held) => held.containerPort === clash.port.port))
    const who = holder === undefined ? "" : ` (container "${holder.spec.name}" of the same pod has it)`
    const message = `container "${clash.container}" of pod ${pod.key}: ${clash.message}: EADDRINUSE${who}; containers of a pod share ` +
      "one network namespace, give each its own port"
    if (source === null) return [unplaced(message)]
    const problem = source.document.problem([...source.prefix, ...path], { what: message })
    const key = `${problem.file}:${problem.line}:${problem.path}`
    if (seen.has(key)) return []
    seen.add(key)
    return [problem]
  }))
}

function reachFailures(cells: ReadonlyArray<ReachCell>): ReadonlyArray<Problem> {
  return cells.filter((cell) => !(cell.answered && cell.sourceKept)).map((cell) =>
    unplaced(`${cell.from} → ${cell.to} over IPv${cell.family}: ${cell.answered ? "answered, but saw another source address" : cell.why}`))
}

/** Pods that their node's agent does not take: another has the node's port, or a sysctl is the node's. */
function rejectedPods(lab: Lab): ReadonlyArray<Problem> {
  return (lab.cluster.store.list("Pod") as ReadonlyArray<Pod>).flatMap((pod) => {
    const why = pod.status?.reason === "NodePorts"
      ? `another pod on ${pod.spec.nodeName} has that port of the node; leave nodeName to the scheduler or use ` +
        "another port"
      : pod.status?.reason === "SysctlForbidden" ? "set it on the node, or leave hostNetwork" : null
    if (why === null) return []
    const source = lab.sourceOf(pod)
    const message = `pod ${pod.metadata.namespace}/${pod.metadata.name}: ${pod.status!.message}: ${why}`
    return [source === null ? unplaced(message) : source.document.problem([...source.prefix, "spec"], { what: message })]
  })
}

/**
 * Captures that the scenario names and that saw nothing: a misspelt interface, or a filter that fits no
 * frame.
 */
function emptyCaptures(lab: Lab): ReadonlyArray<Problem> {
  return lab.ownCaptures.flatMap((capture, i) =>
    capture.frames > 0
      ? []
      : [lab.loaded.scenario!.document.problem(["spec", "captures", i, "at"], {
        what: "no frame was seen there",
        remedy: "name an interface as all.pcapng has it: node1/cni0, default/web-0/eth0"
      })])
}

function dropCounts(lab: Lab): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {}
  lab.cluster.pool.dropsByReason.forEach((count, reason) => {
    if (count > 0 && !ORDINARY_DROPS.has(dropReasonName(reason))) counts[dropReasonName(reason)] = count
  })
  return counts
}

export function unplaced(message: string): Problem {
  return { file: "the run", line: null, column: null, path: "", message }
}
