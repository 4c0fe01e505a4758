/**
 * One container of a pod: which program stands in for it, how often it was started, and the state that
 * `kubectl get pods` shows. A program that ends is started again as the restart policy says, with the
 * kubelet's back-off.
 * Not supported: probes and lifecycle hooks (a container that runs is ready), resource limits.
 */
import { type Engine, type Ns, Timer } from "@podwire/engine"
import {
  type Choice, type ContainerLike, type Host, type ListenPort, type Process
} from "@podwire/workload"
import { BACKOFF_NS_MAX, BACKOFF_NS_MIN } from "./limits.ts"

export type RestartPolicy = "Always" | "OnFailure" | "Never"

export type ContainerState =
  | { readonly _tag: "Waiting"; readonly reason: string; readonly message: string }
  | { readonly _tag: "Running"; readonly sinceNs: Ns }
  | {
    readonly _tag: "Terminated"; readonly exitCode: number; readonly reason: string
    readonly message: string; readonly startedNs: Ns; readonly atNs: Ns
  }

export class Container extends Timer {
  readonly spec: ContainerLike
  readonly choice: Choice
  readonly policy: RestartPolicy
  readonly #engine: Engine
  readonly #host: Host
  readonly #identity: string
  readonly #changed: () => void
  state: ContainerState = { _tag: "Waiting", reason: "ContainerCreating", message: "" }
  last: ContainerState | null = null
  restarts = 0
  process: Process | null = null
  #startedNs: Ns = 0
  #backoffNs: Ns = BACKOFF_NS_MIN
  #stopped = false

  constructor(
    host: Host, spec: ContainerLike, choice: Choice, identity: string, policy: RestartPolicy,
    changed: () => void
  ) {
    super()
    this.spec = spec
    this.choice = choice
    this.policy = policy
    this.#engine = host.engine
    this.#host = host
    this.#identity = identity
    this.#changed = changed
  }

  get running(): boolean {
    return this.state._tag === "Running"
  }

  /** Over for good with exit code 0. */
  get succeeded(): boolean {
    return this.state._tag === "Terminated" && this.state.exitCode === 0
  }

  start(): void {
    this.#startedNs = this.#engine.nowNs
    const process = this.choice.start(this.#host, this.#identity)
    this.process = process
    if (process.exitCode === null) {
      this.state = { _tag: "Running", sinceNs: this.#engine.nowNs }
      process.onExit = () => this.#ended(process)
    } else this.#ended(process)
    this.#changed()
  }

  /** The back-off is over. */
  override fire(): void {
    this.restarts++
    this.start()
  }

  /** For good: the pod is going away, or is over. */
  stop(): void {
    this.#stopped = true
    this.#engine.disarm(this)
    this.process?.kill()
  }

  /** The port that it could not bind, if that is what ended it. */
  get refusedPort(): ListenPort | null {
    return this.process?.refused ?? null
  }

  #ended(process: Process): void {
    const exitCode = process.exitCode!
    const ended: ContainerState = {
      _tag: "Terminated", exitCode, reason: exitCode === 0 ? "Completed" : "Error",
      message: process.stderr.trimEnd(), startedNs: this.#startedNs, atNs: this.#engine.nowNs
    }
    const again = this.policy === "Always" || (this.policy === "OnFailure" && exitCode !== 0)
    if (again && !this.#stopped) {
      // A program that ran for long enough starts with the shortest back-off again (kubelet: 10 minutes).
      if (this.#engine.nowNs - this.#startedNs >= 2 * BACKOFF_NS_MAX) this.#backoffNs = BACKOFF_NS_MIN
      this.last = ended
      this.state = {
        _tag: "Waiting", reason: "CrashLoopBackOff",
        message: `back-off ${this.#backoffNs / 1e9}s restarting failed container=${this.spec.name}`
      }
      this.#engine.arm(this, this.#backoffNs)
      this.#backoffNs = Math.min(this.#backoffNs * 2, BACKOFF_NS_MAX)
    } else this.state = ended
    this.#changed()
  }
}
