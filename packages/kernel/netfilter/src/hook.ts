/**
 * The five places where a packet of one family may be judged, and who judges there.
 *
 *            receive                                             output
 *               |                                                   |
 *               v                                                   v
 *          PREROUTING --> route --> FORWARD ------+---> out <--- OUTPUT
 *                           |                     |
 *                           v                     v
 *                         INPUT               POSTROUTING --> device
 *
 * Functions run by priority, then in order of registration (net/netfilter/core.c). A namespace has
 * one table per family. A point with nobody registered costs one comparison.
 */
import { Errno, type Frame, type NetDevice } from "@podwire/netdev"
import { Verdict } from "./verdict.ts"

export const PREROUTING = 0
export const INPUT = 1
export const FORWARD = 2
export const OUTPUT = 3
export const POSTROUTING = 4
export type Hook = 0 | 1 | 2 | 3 | 4

/** Where the packet is; one scratch object per table, valid during the call only. */
export interface HookState {
  hook: Hook
  in: NetDevice | null
  out: NetDevice | null
}

export interface HookOps {
  readonly hook: Hook
  readonly priority: number
  /** Drop and Stolen consume the frame, Accept gives it back. */
  run(frame: Frame, state: HookState): Verdict
}

/** Shared by every table in which nobody has registered: a namespace without rules costs nothing. */
const NOBODY: ReadonlyArray<Array<HookOps>> = [[], [], [], [], []]

export class HookTable {
  #points: ReadonlyArray<Array<HookOps>> = NOBODY
  #state: HookState | null = null

  register(ops: HookOps): Errno {
    if (this.#points === NOBODY) this.#points = [[], [], [], [], []]
    const point = this.#points[ops.hook]!
    if (point.includes(ops)) return Errno.EEXIST
    let at = point.length
    while (at > 0 && point[at - 1]!.priority > ops.priority) at--
    point.splice(at, 0, ops)
    return Errno.OK
  }

  unregister(ops: HookOps): Errno {
    const point = this.#points[ops.hook]!
    const at = point.indexOf(ops)
    if (at < 0) return Errno.ENOENT
    point.splice(at, 1)
    return Errno.OK
  }

  /** Accept: go on with the frame. Anything else: it is no longer yours. */
  run(hook: Hook, frame: Frame, dev: NetDevice | null, out: NetDevice | null): Verdict {
    const point = this.#points[hook]!
    if (point.length === 0) return Verdict.Accept
    const state = (this.#state ??= { hook, in: dev, out })
    for (let i = 0; i < point.length; i++) {
      state.hook = hook
      state.in = dev
      state.out = out
      const verdict = point[i]!.run(frame, state)
      if (verdict !== Verdict.Accept) return verdict
    }
    return Verdict.Accept
  }
}
