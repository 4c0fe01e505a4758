/**
 * The same lab for programs that do not write Effect: every method gives a promise, failures reject with the
 * same errors, and `close` ends the captures. `await using lab = await openLab({ manifests: ["k8s/"] })`
 * closes by itself.
 */
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import type { LoggedFrame } from "@podwire/cluster"
import { type FaultOptions, Lab, type LabOptions } from "./lab.ts"
import type { ExecResult } from "./started.ts"

export class PlainLab {
  /** The Effect face of the same cluster, for what has no promise here. */
  readonly lab: Lab
  readonly #scope: Scope.Closeable

  constructor(lab: Lab, scope: Scope.Closeable) {
    this.lab = lab
    this.#scope = scope
  }

  settle(): Promise<boolean> {
    return Effect.runPromise(this.lab.settle())
  }

  exec(
    who: string, argv: ReadonlyArray<string>, options: Parameters<Lab["exec"]>[2] = {}
  ): Promise<ExecResult> {
    return Effect.runPromise(this.lab.exec(who, argv, options))
  }

  apply(...paths: ReadonlyArray<string>): Promise<ReadonlyArray<string>> {
    return Effect.runPromise(Effect.provide(this.lab.apply(...paths), NodeServices.layer))
  }

  delete(what: string, namespace = "default"): Promise<string> {
    return Effect.runPromise(this.lab.delete(what, namespace))
  }

  scale(what: string, replicas: number, namespace = "default"): Promise<string> {
    return Effect.runPromise(this.lab.scale(what, replicas, namespace))
  }

  fault(options: FaultOptions): Promise<void> {
    return Effect.runPromise(this.lab.fault(options))
  }

  advance(duration: string): Promise<void> {
    return Effect.runPromise(this.lab.advance(duration))
  }

  frames(at: string | null = null): ReadonlyArray<LoggedFrame> {
    return this.lab.frames(at)
  }

  close(): Promise<void> {
    return Effect.runPromise(Scope.close(this.#scope, Exit.void))
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}

/** A lab from files and folders on disk. */
export async function openLab(options: LabOptions): Promise<PlainLab> {
  const scope = Effect.runSync(Scope.make())
  const made = Lab.make(options).pipe(
    Effect.provideService(Scope.Scope, scope), Effect.provide(NodeServices.layer)
  )
  const exit = await Effect.runPromiseExit(made)
  if (Exit.isSuccess(exit)) return new PlainLab(exit.value, scope)
  await Effect.runPromise(Scope.close(scope, Exit.void))
  return Effect.runPromise(Effect.failCause(exit.cause))
}
