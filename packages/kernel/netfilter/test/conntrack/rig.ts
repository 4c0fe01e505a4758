/**
 * A namespace with nothing but connection tracking: packets go from PREROUTING to the last hook, or are
 * filtered.
 */
import { Engine, SECOND } from "@podwire/engine"
import { DropReason, type Frame, FramePool } from "@podwire/netdev"
import { confirm } from "../../src/conntrack/confirm.ts"
import { ConntrackConf, DEFAULT_CONF } from "../../src/conntrack/conf.ts"
import { Conntrack } from "../../src/conntrack/conntrack.ts"
import { line } from "../../src/conntrack/print.ts"
import { Ctinfo } from "../../src/conntrack/status.ts"
import { track } from "../../src/conntrack/track.ts"
import { type Hook, PREROUTING } from "../../src/hook.ts"
import { Verdict } from "../../src/verdict.ts"

export function conf(changes: Partial<ConntrackConf>): ConntrackConf {
  return Object.assign(Object.create(ConntrackConf.prototype), DEFAULT_CONF, changes) as ConntrackConf
}

/** As `-m conntrack --ctstate` has it; with a mark for the reply direction. */
export function stateOf(frame: Frame): string {
  if (frame.ct < 0) return frame.ctinfo === Ctinfo.UNTRACKED ? "UNTRACKED" : "INVALID"
  switch (frame.ctinfo) {
    case Ctinfo.ESTABLISHED: return "ESTABLISHED"
    case Ctinfo.RELATED: return "RELATED"
    case Ctinfo.NEW: return "NEW"
    case Ctinfo.ESTABLISHED_REPLY: return "ESTABLISHED reply"
    default: return "RELATED reply"
  }
}

export class Rig {
  readonly engine = new Engine(1)
  readonly pool = new FramePool(this.engine)
  readonly conntrack: Conntrack

  constructor(changes: Partial<ConntrackConf> = {}) {
    this.conntrack = new Conntrack(this.engine, conf(changes))
  }

  frame(packet: Uint8Array): Frame {
    const frame = this.pool.alloc(packet.length + 14)!
    frame.l3 = frame.head + 14
    frame.tail = frame.l3 + packet.length
    frame.bytes.set(packet, frame.l3)
    return frame
  }

  /** Its class, "DROP" where connection tracking itself loses it. */
  send(packet: Uint8Array, filtered = false, hook: Hook = PREROUTING): string {
    const frame = this.frame(packet)
    if (track(this.conntrack, frame, hook) === Verdict.Drop) return this.#end(frame, "DROP")
    const state = stateOf(frame)
    if (filtered) return this.#end(frame, "filtered")
    if (confirm(this.conntrack, frame) === Verdict.Drop) return this.#end(frame, "DROP")
    this.pool.free(frame)
    return state
  }

  wait(seconds: number): void {
    this.engine.advance(this.engine.nowNs + Math.round(seconds * SECOND), 1_000_000)
  }

  list(): string {
    return [...this.conntrack.entries()].map((ct) => line(this.conntrack, ct)).join("\n")
  }

  #end(frame: Frame, why: string): string {
    this.pool.drop(frame, DropReason.NETFILTER_DROP)
    return why
  }
}
