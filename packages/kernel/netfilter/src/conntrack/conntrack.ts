/**
 * The connections of one namespace: how entries are made, kept alive, and ended.
 *
 *   draft, held by its frame --confirm--> in the index --expiry, kill, early drop--> free
 *        `---- the frame ended ----> free                `-- under a frame --> dying --^
 *
 * A frame holds an entry that the index does not by its number only. So whoever makes a draft or kills an
 * entry under a frame's feet notes the frame, and the number is used again when that frame has ended or
 * carries another entry (a copy is noted by `adopt`). A few of these notes are looked at whenever one is
 * added, so frames that die anywhere need not tell.
 *
 * Invariant: a frame that rests between two hooks carries a draft or nothing: an entry in the index does
 * not know who carries it. `count` never exceeds nf_conntrack_max (0: no limit). An entry ends at its
 * deadline exactly (a kernel hides it then and frees it some time later). Nobody waits for that: who looks
 * ends what is due first. Only an observer has a timer run, so that it hears of each end at its time.
 * Approximated: which unassured entry near the hash an early drop takes is chance in a kernel too; the scan
 * that a full table starts there (closing connections go, above 95 %) is not modelled.
 */
import { type Engine, type Ns, SECOND, Timer } from "@podwire/engine"
import type { Frame } from "@podwire/netdev"
import { type ConntrackConf, DEFAULT_CONF } from "./conf.ts"
import { Expiry } from "./expiry.ts"
import { ConntrackStats } from "./stats.ts"
import { type ConntrackObserver, type Direction, Event, Status } from "./status.ts"
import { Table } from "./table.ts"
import * as tuples from "./tuple.ts"

/** How many tuples near its hash a new flow may look at for a victim: Linux takes 8 chains of two. */
const EVICTION_RANGE = 16
/** Entries that a new flow may end because their time has come. */
const DUE = 16
/** Notes looked at for each one that is added. */
const SWEEP = 4

/** A frame that holds an entry outside of the index. */
class Hold {
  ct = -1
  frame: Frame | null = null
  id = 0
}

export class Conntrack extends Timer {
  readonly engine: Engine
  readonly table = new Table()
  readonly stats = new ConntrackStats()
  conf: ConntrackConf
  readonly #expiry: Expiry
  readonly #holds: Array<Hold> = []
  #observer: ConntrackObserver | null = null
  #count = 0
  #held = 0
  #sweep = 0
  /** What the queue has room for. */
  #capacity: number

  constructor(engine: Engine, conf: ConntrackConf = DEFAULT_CONF) {
    super()
    this.engine = engine
    this.conf = conf
    this.#capacity = this.table.capacity
    this.#expiry = new Expiry(this.#capacity)
  }

  get bytes(): number {
    return this.table.bytes + this.#expiry.bytes
  }

  /** Drafts and confirmed entries (nf_conntrack_count). */
  get count(): number {
    this.expire()
    this.#sweepAll()
    return this.#count
  }

  /** Frames that hold an entry outside of the index. */
  get held(): number {
    this.#sweepAll()
    return this.#held
  }

  get observer(): ConntrackObserver | null {
    return this.#observer
  }

  set observer(observer: ConntrackObserver | null) {
    this.#observer = observer
    if (observer === null) this.engine.disarm(this)
    else this.#alarm()
  }

  /** 2 * entry + direction, or -1. One whose time is up is ended on the way. */
  find(tuple: Int32Array, hash: number): number {
    const found = this.table.find(tuple, hash)
    if (found < 0 || this.table.deadlineNs[found >> 1]! > this.engine.nowNs) return found
    this.kill(found >> 1, null)
    return this.table.find(tuple, hash)
  }

  /** An entry for the frame alone, or -1 when there is no room (nf_conntrack_alloc). */
  draft(original: Int32Array, reply: Int32Array, hash: number, frame: Frame): number {
    const max = this.conf.nf_conntrack_max
    this.expire(DUE)
    if (max > 0 && this.#count >= max) {
      if (this.count >= max && !this.#earlyDrop(hash)) return -1
    }
    const table = this.table
    const ct = table.take(original, reply)
    this.#count++
    if (this.conf.nf_conntrack_acct !== 0) {
      table.count()
      table.status[ct] = Status.ACCT
    }
    this.#hold(ct, frame)
    return ct
  }

  /** Both tuples enter the index by their hashes, or the reply alone; the lifetime begins now. */
  enter(ct: number, hash: number | null, replyHash: number): void {
    const table = this.table
    if (hash !== null) table.insert(ct, 0, hash)
    table.insert(ct, 1, replyHash)
    table.status[ct]! |= Status.CONFIRMED
    this.#unhold(ct)
    const deadlineNs = table.deadlineNs[ct]! + this.engine.nowNs
    table.deadlineNs[ct] = deadlineNs
    if (table.capacity > this.#capacity) this.#expiry.grow((this.#capacity = table.capacity))
    this.#expiry.push(ct, deadlineNs)
    this.#alarm()
  }

  /** Its frame was given another entry, or none: a draft that no copy holds either is free. */
  discard(ct: number): void {
    if (this.table.isFree(ct) || (this.table.status[ct]! & Status.CONFIRMED) !== 0) return
    for (let i = this.#held - 1; i >= 0; i--) if (this.#holds[i]!.ct === ct) this.#release(i)
  }

  /** A copy of a frame holds its draft too, until one of them is confirmed or all have ended. */
  adopt(copy: Frame): void {
    if (copy.ct >= 0 && (this.table.status[copy.ct]! & HELD) !== 0) this.#hold(copy.ct, copy)
  }

  /** nf_ct_refresh_acct without the accounting: live `seconds` from now on, or from confirmation on. */
  refresh(ct: number, seconds: number): void {
    const table = this.table
    const status = table.status[ct]!
    if ((status & Status.FIXED_TIMEOUT) !== 0) return
    if ((status & Status.CONFIRMED) === 0) {
      table.deadlineNs[ct] = seconds * SECOND
      return
    }
    const deadlineNs = this.engine.nowNs + seconds * SECOND
    if (deadlineNs < table.deadlineNs[ct]!) {
      this.#expiry.lower(ct, deadlineNs)
      table.deadlineNs[ct] = deadlineNs
      this.#alarm()
    } else table.deadlineNs[ct] = deadlineNs
  }

  /** A flow that is answered outlives those that are not; what lost a clash ends soon, whatever it sees. */
  assure(ct: number): void {
    const { status } = this.table
    if ((status[ct]! & (Status.NAT_CLASH | Status.ASSURED)) !== 0) return
    status[ct]! |= Status.ASSURED
    this.note(ct, Event.ASSURED)
  }

  account(ct: number, direction: Direction, octets: number): void {
    if ((this.table.status[ct]! & Status.ACCT) === 0) return
    const counters = this.table.counters!
    counters[4 * ct + 2 * direction]!++
    counters[4 * ct + 2 * direction + 1]! += octets
  }

  /** Whole seconds left, as every listing shows them. */
  secondsLeft(ct: number): number {
    const { status, deadlineNs } = this.table
    const left = deadlineNs[ct]! - ((status[ct]! & Status.CONFIRMED) === 0 ? 0 : this.engine.nowNs)
    return left > 0 ? Math.floor(left / SECOND) : 0
  }

  note(ct: number, events: number): void {
    if (this.#observer !== null) this.table.pending[ct]! |= events
  }

  /** What was noted since the last time is told (nf_ct_deliver_cached_events): at the last hook. */
  deliver(ct: number): void {
    const events = this.table.pending[ct]!
    if (events === 0) return
    this.table.pending[ct] = 0
    const status = this.table.status[ct]!
    if ((status & (Status.CONFIRMED | Status.DYING)) !== Status.CONFIRMED) return
    this.#observer?.event(ct, events)
  }

  /**
   * Out of the index at once (nf_ct_kill). `frame` goes on carrying it and may be translated by it still.
   */
  kill(ct: number, frame: Frame | null): void {
    const table = this.table
    const status = table.status[ct]!
    if ((status & (Status.CONFIRMED | Status.DYING)) !== Status.CONFIRMED) return
    this.#observer?.event(ct, Event.DESTROY)
    if ((status & Status.NAT_CLASH) === 0) table.remove(ct, 0)
    table.remove(ct, 1)
    this.#expiry.remove(ct)
    table.status[ct] = status | Status.DYING
    this.#count--
    if (frame === null) table.give(ct)
    else this.#hold(ct, frame)
  }

  /** Every entry in the index, by number. */
  *entries(): Generator<number> {
    const { table } = this
    this.expire()
    for (let ct = 0; ct < table.capacity; ct++) {
      if (table.isFree(ct)) continue
      if ((table.status[ct]! & (Status.CONFIRMED | Status.DYING)) === Status.CONFIRMED) yield ct
    }
  }

  /** Ends all entries, without an event for drafts. */
  flush(): void {
    for (const ct of this.entries()) this.kill(ct, null)
  }

  /** Ends what is due; no more than `most` at a time in the path of a packet. */
  expire(most = Infinity): void {
    const expiry = this.#expiry
    const { nowNs } = this.engine
    for (let ended = 0; expiry.firstNs <= nowNs && ended < most; ended++) {
      const ct = expiry.first
      const deadlineNs = this.table.deadlineNs[ct]!
      if (deadlineNs > nowNs) expiry.postpone(deadlineNs)
      else this.kill(ct, null)
    }
  }

  override fire(_nowNs: Ns): void {
    this.expire()
    this.#alarm()
  }

  /** What is wrong with the books, or null. */
  check(): string | null {
    this.expire()
    this.#sweepAll()
    const { table } = this
    let confirmed = 0
    let drafts = 0
    for (let ct = 0; ct < table.capacity; ct++) {
      if (table.isFree(ct)) continue
      const status = table.status[ct]!
      if ((status & Status.CONFIRMED) === 0) drafts++
      else if ((status & Status.DYING) === 0) {
        confirmed++
        if (!this.#expiry.has(ct)) return `entry ${ct} never ends`
      }
    }
    if (confirmed !== this.#expiry.size) return `${confirmed} entries, ${this.#expiry.size} queued`
    if (confirmed + drafts !== this.#count) return `${confirmed} + ${drafts} entries, count ${this.#count}`
    const outside = table.used - confirmed
    const held = new Set(this.#holds.slice(0, this.#held).map(({ ct }) => ct)).size
    if (outside !== held) return `${outside} outside of the index, ${held} held`
    return table.check()
  }

  #alarm(): void {
    const firstNs = this.#expiry.firstNs
    if (this.#observer === null || firstNs === Infinity || (this.armed && this.deadlineNs <= firstNs)) return
    const nowNs = this.engine.nowNs
    this.engine.arm(this, firstNs > nowNs ? firstNs - nowNs : 0)
  }

  #hold(ct: number, frame: Frame): void {
    this.#sweepSome()
    this.table.status[ct]! |= HELD
    if (this.#held === this.#holds.length) this.#holds.push(new Hold())
    const hold = this.#holds[this.#held++]!
    hold.ct = ct
    hold.frame = frame
    hold.id = frame.id
  }

  #unhold(ct: number): void {
    for (let i = this.#held - 1; i >= 0; i--) if (this.#holds[i]!.ct === ct) this.#letGo(i)
  }

  #letGo(i: number): void {
    const hold = this.#holds[i]!
    this.table.status[hold.ct]! &= ~HELD
    const last = this.#holds[--this.#held]!
    hold.ct = last.ct
    hold.frame = last.frame
    hold.id = last.id
    last.ct = -1
    last.frame = null
  }

  /** The frame has ended or carries something else: the number is free. True if so. */
  #release(i: number): boolean {
    const { ct, frame, id } = this.#holds[i]!
    if (frame !== null && !frame.free && frame.ct === ct && frame.id === id) return false
    this.#letGo(i)
    for (let k = 0; k < this.#held; k++) {
      if (this.#holds[k]!.ct !== ct) continue
      this.table.status[ct]! |= HELD
      return true
    }
    if ((this.table.status[ct]! & Status.DYING) === 0) this.#count--
    this.table.give(ct)
    return true
  }

  #sweepSome(): void {
    for (let step = 0; step < SWEEP && this.#held > 0; step++) {
      if (this.#sweep >= this.#held) this.#sweep = 0
      if (!this.#release(this.#sweep)) this.#sweep++
    }
  }

  #sweepAll(): void {
    for (let i = this.#held - 1; i >= 0; i--) this.#release(i)
  }

  /** One unassured entry near the hash makes room (early_drop). */
  #earlyDrop(hash: number): boolean {
    const { table } = this
    for (let step = 0; step < EVICTION_RANGE * 2; step++) {
      const found = table.near(hash, step)
      if (found < 0) continue
      const ct = found >> 1
      if ((table.status[ct]! & Status.ASSURED) !== 0) continue
      this.kill(ct, null)
      this.stats.early_drop++
      return true
    }
    return false
  }
}

/** In `status`: a frame is noted for it. */
const HELD = 1 << 21

/**
 * The tuple that a frame shows now would be this one's, and another flow has it (nf_conntrack_tuple_taken).
 */
export function tupleTaken(conntrack: Conntrack, tuple: Int32Array, ignored: number): boolean {
  const found = conntrack.find(tuple, tuples.hash(tuple))
  if (found < 0 || found >> 1 === ignored) return false
  const { table } = conntrack
  // The same flow, drafted twice: the clash is resolved at confirmation.
  if (tuples.equal(table.tuple(ignored, 0, MINE), table.tuple(found >> 1, 0, THEIRS))) return false
  conntrack.stats.found++
  return true
}

const MINE = tuples.create()
const THEIRS = tuples.create()
