/**
 * One living cluster, made from manifests: the face that scenarios, the command line and a user's own
 * programs share. What a caller gives wrong is an `InputError` or a `TargetError`; everything else is a bug.
 *
 *   const lab = yield* Lab.make({ manifests: ["k8s/"], nodes: 3, seed: 7 })
 *   yield* lab.settle()
 *   const page = yield* lab.exec("shop/web-0", ["ping", "-c", "1", "10.244.1.2"])
 */
import {
  ageText, ApiError, type KubeObject, lookup, type Pod, type Ref, refOf, resourceOf, refusalText
} from "@podwire/api"
import {
  type Capture, Cluster, FrameLog, findProgram, inspect, reach, type LoggedFrame,
  type Observer, type Plan
} from "@podwire/cluster"
import { compileFilter } from "@podwire/wire/filter"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import type * as Path from "effect/Path"
import type * as Scope from "effect/Scope"
import type * as Stdio from "effect/Stdio"
import { Applier } from "./apply.ts"
import {
  acquire, type Captures, type CapturesOptions, type CaptureWriteError, type NamedCapture
} from "./captures/index.ts"
import { type Conflist, readConflist } from "./conflist.ts"
import { type Impairment, linkSpec } from "./document/cluster.ts"
import { durationNs } from "./document/units.ts"
import { advanceTo, settle } from "./drive.ts"
import { InputError, type Problem, readDocuments, type SourceFile } from "./input/index.ts"
import { readSources, type Sources } from "./input/sources.ts"
import { load, type Loaded, planFrom } from "./load.ts"
import { nameOf } from "./object-name.ts"
import { type ExecOptions, type ExecResult, notADuration, notFound, Started } from "./started.ts"
import { stuckPods } from "./stuck.ts"
import { findTarget, type Target, TargetError, unready } from "./target.ts"

export interface LabOptions {
  /** Files, folders (with `recursive` whole trees) and `-`. */
  readonly manifests?: ReadonlyArray<string>
  readonly recursive?: boolean
  /** Documents that are at hand already. */
  readonly sources?: ReadonlyArray<SourceFile>
  readonly nodes?: number
  readonly seed?: number
  /** Everything that would be a warning is an error. */
  readonly strict?: boolean
  readonly captures?: CapturesOptions
  /**
   * Remember frames in memory: all, or those of the interfaces that this accepts; default: those the
   * scenario's steps ask for.
   */
  readonly record?: true | ((at: string) => boolean)
  /** Who else sees every frame of every device, made with the engine before the first device. */
  readonly observers?: (engine: Engine) => ReadonlyArray<Observer>
}

type Engine = Cluster["engine"]

export interface FaultOptions extends Impairment {
  /** `node1-node2`: both directions. */
  readonly link?: string
  /** All links of one machine. */
  readonly node?: string
  readonly down?: boolean
  readonly for?: string
  /** What went wrong there before is over; said alone. */
  readonly clear?: boolean
}

export class Lab {
  readonly cluster: Cluster
  readonly loaded: Loaded
  readonly captures: Captures["Service"] | null
  /** Those that the scenario names, in its order. */
  ownCaptures: ReadonlyArray<Capture> = []
  readonly #applier: Applier
  readonly #log: FrameLog | null
  /** What is kept and not carried out of manifests that came after the first. */
  readonly #later: Array<string> = []

  private constructor(
    cluster: Cluster, loaded: Loaded, captures: Captures["Service"] | null, log: FrameLog | null
  ) {
    this.cluster = cluster
    this.loaded = loaded
    this.captures = captures
    this.#log = log
    this.#applier = new Applier(cluster)
  }

  static make: (options: LabOptions) => Effect.Effect<
    Lab, InputError | CaptureWriteError, Scope.Scope | FileSystem.FileSystem | Path.Path | Stdio.Stdio
  > = Effect.fnUntraced(function*(options: LabOptions) {
    const read = options.manifests === undefined
      ? NO_SOURCES
      : yield* readSources(options.manifests, { recursive: options.recursive ?? false })
    return yield* build([...read.files, ...options.sources ?? []], options, read.problems, fromDisk)
  })

  /** From documents that are at hand: no files are read. */
  static of: (sources: ReadonlyArray<SourceFile>, options: LabOptions) => Effect.Effect<
    Lab, InputError | CaptureWriteError, Scope.Scope
  > = (sources, options) => build(
    sources, options, [], (path) => Effect.succeed(unreadable(path, "no files are read here"))
  )

  /** @internal */
  static build(
    cluster: Cluster, loaded: Loaded, captures: Captures["Service"] | null, log: FrameLog | null
  ): Lab | ReadonlyArray<Problem> {
    const lab = new Lab(cluster, loaded, captures, log)
    const { problems } = lab.#applier.applyAll(loaded.objects.filter(({ object }) => object.kind !== "Node"))
    return problems.length > 0 ? problems : lab
  }

  get plan(): Plan {
    return this.cluster.plan
  }

  /** What is kept and not carried out, and what was made although no manifest says so. */
  get warnings(): ReadonlyArray<string> {
    return [
      ...this.loaded.warnings, ...this.cluster.cniNotModelled.map((what) => `CNI ${what}`),
      ...this.#applier.warnings, ...this.#later
    ]
  }

  get now(): string {
    return ageText(this.cluster.engine.nowNs)
  }

  /** Until every controller, agent and address is at rest. */
  settle(): Effect.Effect<boolean> {
    return settle(this.cluster)
  }

  /** Pods that no node takes, or that get no address, told at their manifests' places. */
  stuck(): ReadonlyArray<Problem> {
    return stuckPods(this.cluster, (pod) => this.#applier.sourceOf(pod))
  }

  /** Where the manifest stands that this object came from, through whatever made it. */
  sourceOf(object: KubeObject): ReturnType<Applier["sourceOf"]> {
    return this.#applier.sourceOf(object)
  }

  target(
    text: string, namespace = "default", container: string | null = null
  ): Effect.Effect<Target, TargetError> {
    return Effect.suspend(() => {
      const target = findTarget(this.cluster, text, namespace, container)
      return target instanceof TargetError ? Effect.fail(target) : Effect.succeed(target)
    })
  }

  exec(
    who: string, argv: ReadonlyArray<string>,
    options: ExecOptions & {
      readonly timeout?: string
      /** Ends the program before its time; what it has said is kept. */
      readonly signal?: AbortSignal
    } = {}
  ): Effect.Effect<ExecResult, TargetError> {
    const { timeout, signal } = options
    return Effect.flatMap(this.start(who, argv, options), (started) => started.wait(timeout, signal))
  }

  /** As `exec`, and the program goes on while time passes; `wait` has its end. */
  start(
    who: string, argv: ReadonlyArray<string>, options: ExecOptions = {}
  ): Effect.Effect<Started, TargetError> {
    return Effect.map(this.target(who, options.namespace, options.container ?? null), ({ host, pod }) => {
      const program = findProgram(argv[0] ?? "")
      if (program === null) return new Started(this.cluster, notFound(host, argv))
      const { stdin } = options
      const bytes = typeof stdin === "string" ? new TextEncoder().encode(stdin) : stdin
      const process = program.start(bytes === undefined ? host : { ...host, stdin: bytes }, argv)
      pod?.adopt(process)
      return new Started(this.cluster, process)
    })
  }

  /** What a Linux tool shows of a node's or pod's state: `["ss", "-tan"]`. */
  inspect(
    where: string, argv: ReadonlyArray<string>, namespace = "default"
  ): Effect.Effect<ExecResult, TargetError> {
    return Effect.map(this.target(where, namespace), ({ host }) => inspect(host.netns, argv))
  }

  /** As `kubectl apply -f`: one line an object. */
  apply(...paths: ReadonlyArray<string>): Effect.Effect<
    ReadonlyArray<string>, InputError, FileSystem.FileSystem | Path.Path | Stdio.Stdio
  > {
    return Effect.flatMap(readSources(paths), ({ files, problems }) =>
      problems.length > 0 ? Effect.fail(new InputError({ problems })) : this.applySources(files))
  }

  /** Paths as the scenario's folder has them. */
  applyBeside(names: ReadonlyArray<string>): ReturnType<Lab["apply"]> {
    const file = this.loaded.scenario?.document.file ?? ""
    const folder = file.slice(0, file.lastIndexOf("/") + 1)
    return this.apply(...names.map((name) => (name.startsWith("/") ? name : folder + name)))
  }

  applySources(sources: ReadonlyArray<SourceFile>): Effect.Effect<ReadonlyArray<string>, InputError> {
    return Effect.suspend(() => {
      const { documents, problems } = readDocuments(sources)
      const loaded = load(documents)
      const all = [...problems, ...loaded.problems]
      if (all.length > 0) return Effect.fail(new InputError({ problems: all }))
      for (const warning of [...loaded.warnings, ...ownDocuments(loaded)]) {
        if (!this.#later.includes(warning)) this.#later.push(warning)
      }
      const applied = this.#applier.applyAll(loaded.objects)
      return applied.problems.length > 0
        ? Effect.fail(new InputError({ problems: applied.problems }))
        : Effect.succeed(applied.lines)
    })
  }

  /** `pod/web-0`, `deployment/web`, `shop/deployment/web`; dependents follow. */
  delete(what: string, namespace = "default"): Effect.Effect<string, TargetError> {
    return Effect.flatMap(this.#object(what, namespace), (object) => {
      const ref = refOf(object)
      const grace = graceOf(object)
      this.cluster.store.delete(ref, grace)
      return Effect.succeed(`${nameOf(object)} deleted`)
    })
  }

  scale(what: string, replicas: number, namespace = "default"): Effect.Effect<string, TargetError> {
    return Effect.flatMap(this.#object(what, namespace), (object) => {
      if (!SCALABLE.includes(object.kind)) {
        return Effect.fail(
          new TargetError({ what: `cannot scale ${nameOf(object)}: ${SCALABLE.join(", ")} can be scaled` })
        )
      }
      const result = this.cluster.store.update({ ...object, spec: { ...object.spec as object, replicas } })
      if (result instanceof ApiError) return Effect.fail(new TargetError({ what: refusalText(result) }))
      return Effect.succeed(`${nameOf(object)} scaled`)
    })
  }

  /** The workloads or pods have everything running that they ask for; if not when all is at rest, why not. */
  ready(
    what: ReadonlyArray<string>, namespace = "default"
  ): Effect.Effect<ReadonlyArray<string>, TargetError> {
    const self = this
    return Effect.gen(function*() {
      yield* self.settle()
      const lines: Array<string> = []
      for (const name of what) {
        const object = yield* self.#object(name.includes("/") ? name : `pod/${name}`, namespace)
        const why = unready(self.cluster, object)
        if (why !== null) return yield* new TargetError({ what: `${nameOf(object)} is not ready: ${why}` })
        lines.push(`${nameOf(object)} condition met`)
      }
      return lines
    })
  }

  /** Every pod and node to every pod; one line a family, or the first pair that fails. */
  reachAll(): Effect.Effect<ReadonlyArray<string>, TargetError> {
    return Effect.suspend(() => {
      const { cells, left } = reach(this.cluster)
      const bad = cells.find((cell) => !(cell.answered && cell.sourceKept))
      if (bad !== undefined) {
        const why = bad.answered ? "another source address" : bad.why
        return Effect.fail(new TargetError({ what: `${bad.from} → ${bad.to} over IPv${bad.family}: ${why}` }))
      }
      const lines = this.plan.ipFamilies.map((family) => {
        const count = cells.filter((cell) => cell.family === family).length
        return `IPv${family}: ${count} of ${count} pairs answer and see the sender's own address`
      })
      if (left > 0) lines.push(`approximated: ${cells.length} probes drawn from the seed, ${left} not sent`)
      return Effect.succeed(lines)
    })
  }

  fault(options: FaultOptions): Effect.Effect<void, TargetError> {
    return Effect.suspend(() => {
      const { link, node } = options
      const ends = link === undefined ? this.cluster.machine(node ?? "") : this.cluster.link(link)
      if (ends === null) {
        const names = [...this.cluster.nodes, ...this.cluster.hosts].map((machine) => machine.name).join(", ")
        const what = link === undefined
          ? `machine is called "${node ?? ""}"`
          : `link is called "${link}"; say A-B`
        return Effect.fail(new TargetError({ what: `no ${what}; machines are ${names}` }))
      }
      if (options.clear === true) {
        const more = Object.keys(options).filter((key) => !["clear", "link", "node"].includes(key))
        if (more.length > 0) {
          return Effect.fail(new TargetError({ what: `clear ends faults: it takes no ${more.join(", ")}` }))
        }
        this.cluster.heal(ends)
        return Effect.void
      }
      const forNs = options.for === undefined ? null : durationNs(options.for)
      if (options.for !== undefined && forNs === null) return Effect.fail(notADuration(options.for))
      const wrong = this.cluster.impair(ends, { spec: linkSpec(options), down: options.down ?? false, forNs })
      return wrong === null ? Effect.void : Effect.fail(new TargetError({ what: wrong }))
    })
  }

  /** `5s`, `10 seconds`. */
  advance(duration: string): Effect.Effect<void, TargetError> {
    return Effect.suspend(() => {
      const ns = durationNs(duration)
      return ns === null
        ? Effect.fail(notADuration(duration))
        : advanceTo(this.cluster, this.cluster.engine.nowNs + ns)
    })
  }

  /** To a virtual time since the run began; nothing when that is past. */
  until(time: string): Effect.Effect<void, TargetError> {
    return Effect.suspend(() => {
      const ns = durationNs(time)
      return ns === null ? Effect.fail(notADuration(time)) : advanceTo(this.cluster, ns)
    })
  }

  /** What `record` kept, oldest first. */
  frames(at: string | null = null): ReadonlyArray<LoggedFrame> {
    return this.#log?.frames(at) ?? []
  }

  #object(what: string, namespace: string): Effect.Effect<KubeObject, TargetError> {
    return Effect.suspend(() => {
      const parts = what.split("/")
      const [kindWord, name] = parts.slice(-2)
      const kind = kindWord === undefined ? null : lookup(kindWord)
      if (kind === null || name === undefined) {
        return Effect.fail(
          new TargetError({ what: `"${what}" names no object; say KIND/NAME or NAMESPACE/KIND/NAME` })
        )
      }
      const where = kind.namespaced ? (parts.length === 3 ? parts[0]! : namespace) : ""
      const ref: Ref = { kind: kind.kind, namespace: where, name }
      const object = this.cluster.store.get(ref.kind, ref.namespace, ref.name)
      return object === null
        ? Effect.fail(
          new TargetError({ what: `Error from server (NotFound): ${resourceOf(kind)} "${name}" not found` })
        )
        : Effect.succeed(object)
    })
  }
}

const NO_SOURCES: Sources = { files: [], problems: [] }

/** A Cluster or Scenario among manifests that are applied to what runs already. */
function ownDocuments({ cluster, scenario }: Loaded): ReadonlyArray<string> {
  return [cluster, scenario].filter((own) => own !== null).map(({ document }) => {
    const { line } = document.place()
    return `${document.file}:${line}: kind ${document.kind} counts when the cluster is made: not applied`
  })
}

function unreadable(file: string, message: string): Problem {
  return { file, line: null, column: null, path: "", message: `${file}: ${message}` }
}

const fromDisk = Effect.fnUntraced(function*(path: string) {
  const fs = yield* FileSystem.FileSystem
  return yield* fs.readFile(path).pipe(
    Effect.map((content): SourceFile | Problem => ({ name: path, content })),
    Effect.orElseSucceed(() => unreadable(path, "cannot be read"))
  )
})

type ReadFile<R> = (path: string) => Effect.Effect<SourceFile | Problem, never, R>

const build = Effect.fnUntraced(function*<R>(
  sources: ReadonlyArray<SourceFile>, options: LabOptions, unread: ReadonlyArray<Problem>,
  readFile: ReadFile<R>
) {
  const { documents, problems: unreadable } = readDocuments(sources)
  const loaded = load(documents)
  const problems: Array<Problem> = [...unread, ...unreadable, ...loaded.problems]
  const conflist = yield* conflistOf(loaded, problems, readFile)
  const plan = planFrom(loaded, given(options), problems, conflist)
  if (options.strict === true) {
    for (const warning of loaded.warnings) {
      problems.push({ file: "--strict", line: null, column: null, path: "", message: warning })
    }
  }
  if (problems.length > 0) return yield* new InputError({ problems })
  const named = namedCaptures(loaded, problems)
  const own: Array<Capture> = []
  if (problems.length > 0) return yield* new InputError({ problems })
  const captures = options.captures === undefined ? null : yield* acquire(options.captures)
  let log: FrameLog | null = null
  const cluster = new Cluster(plan, (engine) => {
    const observers: Array<Observer> = []
    if (captures !== null) {
        const taps = captures.taps(engine, named)
        observers.push(...taps)
        own.push(...taps.slice(1))
      }
    const record = options.record ?? expectedInterfaces(loaded)
    if (record !== null) {
      log = new FrameLog(engine, record === true ? null : record)
      observers.push(log)
    }
    observers.push(...options.observers?.(engine) ?? [])
    return observers
  })
  const lab = Lab.build(cluster, loaded, captures, log)
  if (lab instanceof Lab) lab.ownCaptures = own
  if (!(lab instanceof Lab)) return yield* new InputError({ problems: lab })
  return lab
})

/** In place of one that cannot be read, so that the rest of the input is checked too. */
const DEFAULT_CONFLIST: Conflist = {
  value: null, problem: (_, what) => unreadable("the default conflist", what)
}

/** The list that the Cluster document names by its path, when it does. */
const conflistOf = Effect.fnUntraced(function*<R>(
  { cluster }: Loaded, problems: Array<Problem>, readFile: ReadFile<R>
) {
  const path = cluster?.value.spec?.cni?.conflist
  if (cluster === null || typeof path !== "string") return null
  const { file } = cluster.document
  const read = yield* readFile(path.startsWith("/") ? path : file.slice(0, file.lastIndexOf("/") + 1) + path)
  if ("message" in read) {
    problems.push(cluster.document.problem(["spec", "cni", "conflist"], { what: read.message }))
    return DEFAULT_CONFLIST
  }
  const conflist = readConflist(read.name, read.content)
  if ("value" in conflist) return conflist
  problems.push(...conflist)
  return DEFAULT_CONFLIST
})

/** Seconds until it may be gone: a bound pod's own, and a namespace waits for what is in it. */
function graceOf(object: KubeObject): number {
  if (object.kind === "Namespace") return 1
  if (object.kind !== "Pod" || (object as Pod).spec.nodeName === undefined) return 0
  return (object as Pod).spec.terminationGracePeriodSeconds ?? 30
}

const SCALABLE = ["Deployment", "ReplicaSet", "StatefulSet"]

/** What the scenario wants in files of their own. */
function namedCaptures({ scenario }: Loaded, problems: Array<Problem>): ReadonlyArray<NamedCapture> {
  return (scenario?.value.spec.captures ?? []).map(({ at, name, filter }, i) => {
    const accept = compileFilter(filter ?? "")
    const base = { name: name ?? `capture-${i + 1}`, at }
    if (typeof accept !== "string") return { ...base, accept }
    problems.push(scenario!.document.problem(["spec", "captures", i, "filter"], { what: accept }))
    return base
  })
}

/** The interfaces that the scenario's steps expect frames at. */
function expectedInterfaces({ scenario }: Loaded): ((at: string) => boolean) | null {
  const steps = scenario?.value.spec.steps ?? []
  const names = new Set(steps.flatMap((step) => step.expect?.frames ?? []).map((frame) => frame.at))
  return names.size === 0 ? null : (at) => names.has(at)
}

function given({ nodes, seed }: LabOptions): Partial<Plan> {
  return {
    ...seed === undefined ? {} : { seed },
    ...nodes === undefined
      ? {}
      : { nodes: Array.from({ length: nodes }, (_, i) => ({ name: `node${i + 1}` })) }
  }
}
