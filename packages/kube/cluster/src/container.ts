/**
 * One container of a pod: which program stands in for it, how often it was started, and the state that
 * `kubectl get pods` shows. A program that ends is started again as the pod's restartPolicy says, with
 * the kubelet's back-off.
 */
import { type Engine, type Ns, Timer } from "@podwire/engine"
import { type Choice, type ContainerLike, type Host, PortListener, type Process } from "@podwire/workload"
import { BACKOFF_NS_MAX, BACKOFF_NS_MIN } from "./limits.ts"

export type RestartPolicy = "Always" | "OnFailure" | "Never"

export type ContainerState =
  | { readonly _tag: "Waiting"; readonly reason: string; readonly message: string }
  | { readonly _tag: "Running"; readonly sinceNs: Ns }
  | {
    readonly _tag: "Terminated"; readonly exitCode: number; readonly reason: string
    readonly message: string; readonly atNs: Ns
  }

export class Container extends Timer {
  readonly spec: ContainerLike
  readonly choice: Choice
  readonly #engine: Engine
  readonly #host: Host
  readonly #identity: string
  readonly #policy: RestartPolicy
  readonly #changed: (container: Container) => void
  state: ContainerState = { _tag: "Waiting", reason: "ContainerCreating", message: "" }
  last: ContainerState | null = null
  restarts = 0
  process: Process | null = null
  #backoffNs: Ns = BACKOFF_NS_MIN
  #stopped = false

  constructor(
    host: Host, spec: ContainerLike, choice: Choice, identity: string, policy: RestartPolicy,
    changed: (container: Container) => void
  ) {
    super()
    this.spec = spec
    this.choice = choice
    this.#engine = host.engine
    this.#host = host
    this.#identity = identity
    this.#policy = policy
    this.#changed = changed
  }

  get ready(): boolean {
    return this.state._tag === "Running"
  }

  start(): void {
    const process = this.choice.start(this.#host, this.#identity)
    this.process = process
    if (process.exitCode === null) {
      this.state = { _tag: "Running", sinceNs: this.#engine.nowNs }
      process.onExit = () => this.#ended(process)
    } else this.#ended(process)
  }

  /** The back-off is over. */
  override fire(): void {
    this.restarts++
    this.start()
    this.#changed(this)
  }

  /** For good: the pod is going away. */
  stop(): void {
    this.#stopped = true
    this.#engine.disarm(this)
    this.process?.kill()
  }

  #ended(process: Process): void {
    const exitCode = process.exitCode!
    this.last = {
      _tag: "Terminated",
      exitCode,
      reason: exitCode === 0 ? "Completed" : "Error",
      message: process.stderr.trimEnd(),
      atNs: this.#engine.nowNs
    }
    const again = this.#policy === "Always" || (this.#policy === "OnFailure" && exitCode !== 0)
    if (again && !this.#stopped) {
      this.state = {
        _tag: "Waiting",
        reason: "CrashLoopBackOff",
        message: `back-off ${this.#backoffNs / 1e9}s restarting failed container=${this.spec.name}`
      }
      this.#engine.arm(this, this.#backoffNs)
      this.#backoffNs = Math.min(this.#backoffNs * 2, BACKOFF_NS_MAX)
    } else this.state = this.last
    this.#changed(this)
  }

  /** The port that it could not bind, if that is what ended it. */
  get refusedPort(): { readonly port: number; readonly protocol: string } | null {
    return this.process instanceof PortListener ? this.process.refused : null
  }
}
