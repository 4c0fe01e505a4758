/**
 * Where a namespace's stack calls connection tracking: first at PREROUTING and OUTPUT behind raw, last at
 * INPUT and POSTROUTING. It is off until somebody needs it (a conntrack match, NAT, CT) and off again when
 * the last has gone; entries then stay listed and nobody looks at them.
 */
import { DropReason, type Frame, type FramePool } from "@podwire/netdev"
import {
  type Hook, type HookOps, type HookTable, INPUT, OUTPUT, POSTROUTING, PREROUTING
} from "../hook.ts"
import { Priority } from "../priority.ts"
import { Verdict } from "../verdict.ts"
import { confirm } from "./confirm.ts"
import type { Conntrack } from "./conntrack.ts"
import { track } from "./track.ts"

export class ConntrackHooks {
  readonly #ops: ReadonlyArray<HookOps>
  readonly #table: HookTable
  #users = 0

  /** `table` is one family's; a namespace has two of these and one Conntrack. */
  constructor(conntrack: Conntrack, pool: FramePool, table: HookTable) {
    this.#table = table
    const ended = (frame: Frame, verdict: Verdict): Verdict => {
      if (verdict === Verdict.Drop) pool.drop(frame, DropReason.NETFILTER_DROP)
      return verdict
    }
    const first = (hook: Hook): HookOps => ({
      hook, priority: Priority.Conntrack, run: (frame) => ended(frame, track(conntrack, frame, hook))
    })
    const last = (hook: Hook): HookOps => ({
      hook, priority: Priority.ConntrackConfirm, run: (frame) => ended(frame, confirm(conntrack, frame))
    })
    this.#ops = [first(PREROUTING), first(OUTPUT), last(INPUT), last(POSTROUTING)]
  }

  /** nf_ct_netns_get: the first user switches it on. */
  get(): void {
    if (this.#users++ > 0) return
    for (const ops of this.#ops) this.#table.register(ops)
  }

  /** nf_ct_netns_put: the last one switches it off. */
  put(): void {
    if (this.#users === 0 || --this.#users > 0) return
    for (const ops of this.#ops) this.#table.unregister(ops)
  }
}
