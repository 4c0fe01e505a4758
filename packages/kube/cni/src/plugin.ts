/**
 * What a plugin is, and what it is called with. A plugin reads its configuration once (`load`) and is then
 * called with what comes of it; verbs answer a result, or an error, and never throw for input.
 *
 * DEL finds whatever is left and removes it: what is missing, the namespace too, is no error.
 */
import type { Engine } from "@podwire/engine"
import type { FramePool } from "@podwire/netdev"
import type { Netns } from "@podwire/netns"
import type { Problem } from "./decode.ts"
import type { CniError } from "./error.ts"
import type { Attachment } from "./ipam/host-local.ts"
import type { LeaseStore } from "./ipam/lease-store.ts"
import type { JsonObject } from "./json.ts"
import type { Result } from "./result.ts"

/** Where plugins that hand out addresses keep and find things. Texts are errors, in Go's words. */
export interface Stores {
  leases(network: string, dataDir: string): LeaseStore | string
  readFile(path: string): { readonly text: string } | string
}

/** The machine that interface plugins work on. */
export interface Host extends Stores {
  readonly netns: Netns
  readonly engine: Engine
  readonly pool: FramePool
  /** `veth` and eight hexadecimal digits, drawn. */
  vethName(): string
  /** A locally administered unicast address for an interface of that name. */
  macFor(owner: string): number
  /** For thousands of pods at one instant: no gratuitous ARP, no duplicate address detection, and no IPv6
   * link-local address on the hosts' ends. */
  readonly quiet: boolean
}

/** Without a host: what an IPAM plugin is told. */
export interface IpamCall {
  readonly containerId: string
  readonly ifName: string
  /** CNI_ARGS */
  readonly args: string
  readonly stores: Stores
}

export interface Call extends IpamCall {
  readonly host: Host
  /** CNI_NETNS: what results call the namespace; empty when it is gone. */
  readonly netnsPath: string
  readonly netns: Netns | null
  readonly prevResult: Result | null
}

interface Verbs<C, Conf> {
  add(call: C, conf: Conf): Result | CniError
  del(call: C, conf: Conf): CniError | null
  check(call: C, conf: Conf): CniError | null
  gc(call: C, conf: Conf, valid: ReadonlyArray<Attachment>): CniError | null
  status(call: C, conf: Conf): CniError | null
}

export interface IpamPlugin<Conf> extends Verbs<IpamCall, Conf> {
  readonly type: string
  load(conf: JsonObject): Conf | ReadonlyArray<Problem>
}

export interface Plugin<Conf> extends Verbs<Call, Conf> {
  readonly type: string
  /** The keys that it reads, beside those that every plugin has. */
  readonly keys: ReadonlySet<string>
  load(conf: JsonObject): Conf | ReadonlyArray<Problem>
  /** Keys that it accepts and does nothing about, with the reason. */
  notModelled(conf: Conf): ReadonlyArray<{ readonly key: string; readonly reason: string }>
}

/** A plugin and its configuration, with the latter's type sealed in. */
export interface Loaded extends Verbs0 {
  readonly notModelled: ReadonlyArray<{ readonly key: string; readonly reason: string }>
}

interface Verbs0 {
  add(call: Call): Result | CniError
  del(call: Call): CniError | null
  check(call: Call): CniError | null
  gc(call: Call, valid: ReadonlyArray<Attachment>): CniError | null
  status(call: Call): CniError | null
}

export function isProblems<A>(value: A | ReadonlyArray<Problem>): value is ReadonlyArray<Problem> {
  return Array.isArray(value)
}

export function seal<Conf>(plugin: Plugin<Conf>, raw: JsonObject): Loaded | ReadonlyArray<Problem> {
  const conf = plugin.load(raw)
  if (isProblems(conf)) return conf
  return {
    notModelled: plugin.notModelled(conf),
    add: (call) => plugin.add(call, conf),
    del: (call) => plugin.del(call, conf),
    check: (call) => plugin.check(call, conf),
    gc: (call, valid) => plugin.gc(call, conf, valid),
    status: (call) => plugin.status(call, conf)
  }
}
