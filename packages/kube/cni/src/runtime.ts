/**
 * What calls the plugins on a node: libcni and, around it, the runtime behind the kubelet. One runtime
 * belongs to one host namespace; networks come with every call, a store of leases belongs to their names.
 *
 * - ADD runs the list in order, each plugin with what the one before it answered. When one fails the runtime
 *   deletes what there is, as containerd does, and nothing is left but a bridge and host-local's pointer.
 * - DEL runs it in reverse, may come twice and without the namespace, and goes on past a plugin that fails
 *   (libcni stops there; the specification asks plugins to go on, and here nothing else would).
 * - One (network, container, interface) is added once until it is deleted.
 * Everything is one instant: nothing here waits, and no two calls overlap.
 */
import type { Engine, Prng } from "@podwire/engine"
import type { FramePool } from "@podwire/netdev"
import type { Netns } from "@podwire/netns"
import { of } from "@podwire/wire/mac"
import { type NetworkConfig, type PluginConfig, reload } from "./config.ts"
import { formatProblem } from "./decode.ts"
import { CniError } from "./error.ts"
import type { Attachment } from "./ipam/host-local.ts"
import { type LeaseStore, MemoryStore } from "./ipam/lease-store.ts"
import { goQuote, type JsonObject } from "./json.ts"
import * as names from "./names.ts"
import { type Call, type Host, isProblems, type Loaded, type Stores } from "./plugin.ts"
import type { Result } from "./result.ts"
import { atLeast, CURRENT, SUPPORTED } from "./version.ts"

export interface RuntimeOptions {
  readonly netns: Netns
  readonly engine: Engine
  readonly pool: FramePool
  /** Where leases and files are; memory, and no files, unless said otherwise. */
  readonly stores?: Stores
  /** The MAC of `<namespace>/<device>`; else drawn from the node's own stream. */
  readonly macFor?: (owner: string) => number
  /** See `Host.quiet`. */
  readonly quiet?: boolean
}

export interface AddArgs {
  readonly containerId: string
  readonly ifName: string
  readonly netns: Netns
  /** CNI_NETNS; /var/run/netns/<name> unless said otherwise. */
  readonly netnsPath?: string
  /** CNI_ARGS, as `KEY=VALUE;KEY=VALUE`. */
  readonly args?: string
  readonly capabilityArgs?: JsonObject
}

export interface DelArgs extends Attachment {
  /** null when it is gone; what ADD was given when left out. */
  readonly netns?: Netns | null
  readonly netnsPath?: string
}

/** What is remembered of an ADD, for CHECK, DEL and GC (libcni's cache). */
export interface CachedAttachment extends Attachment {
  readonly network: string
  readonly netns: Netns
  readonly netnsPath: string
  readonly args: string
  readonly capabilityArgs: JsonObject
  readonly result: Result
}

type Target = Omit<CachedAttachment, "result" | "netns" | "network"> & { readonly netns: Netns | null }

export class CniRuntime {
  readonly #host: Host
  /** By network name, then by container and interface. */
  readonly #cache = new Map<string, Map<string, CachedAttachment>>()

  constructor(options: RuntimeOptions) {
    const { netns, engine, pool } = options
    const stores = options.stores ?? new MemoryStores()
    const nameStream = engine.prng(`cni-veth:${netns.name}`)
    const macStream = engine.prng(`cni-mac:${netns.name}`)
    this.#host = {
      netns, engine, pool,
      quiet: options.quiet ?? false,
      leases: (network, dataDir) => stores.leases(network, dataDir),
      readFile: (path) => stores.readFile(path),
      vethName: () => `veth${nameStream.u32().toString(16).padStart(8, "0")}`,
      macFor: options.macFor ?? (() => drawMac(macStream))
    }
  }

  add(network: NetworkConfig, args: AddArgs): Result | CniError {
    const { containerId, ifName, netns } = args
    const target: Target = {
      containerId, ifName, netns, netnsPath: args.netnsPath ?? `/var/run/netns/${netns.name}`,
      args: args.args ?? "", capabilityArgs: args.capabilityArgs ?? {}
    }
    const wrong = names.containerId(containerId) ?? names.interfaceName(ifName)
    if (wrong !== null) return wrong
    const key = keyOf(args)
    if (this.#cache.get(network.name)?.has(key) === true) {
      const what = `container ${goQuote(containerId)} is on network ${goQuote(network.name)}`
      return CniError.internal(`${what} with ${goQuote(ifName)} already: DEL comes before another ADD`)
    }
    const there = netns.links.byName(ifName) !== null
    let result: Result | null = null
    for (const plugin of network.plugins) {
      const loaded = this.#prepare(plugin, target)
      const answer: Result | CniError =
        loaded instanceof CniError ? loaded : loaded.add(this.#call(target, result))
      if (answer instanceof CniError) {
        // An interface that was there before is somebody else's.
        this.#run(network, there ? { ...target, netns: null } : target, null)
        return answer.within(`plugin ${describe(plugin)} failed (add)`)
      }
      result = answer
    }
    const ofNetwork = this.#cache.get(network.name) ?? new Map<string, CachedAttachment>()
    this.#cache.set(network.name, ofNetwork)
    ofNetwork.set(key, { ...target, netns, network: network.name, result: result! })
    return result!
  }

  /** null is: gone, or never there. */
  del(network: NetworkConfig, args: DelArgs): CniError | null {
    const ofNetwork = this.#cache.get(network.name)
    const key = keyOf(args)
    const cached = ofNetwork?.get(key)
    const failed = this.#run(network, this.#target(args, cached), cached?.result ?? null)
    if (failed === null) ofNetwork?.delete(key)
    return failed
  }

  check(network: NetworkConfig, args: DelArgs): CniError | null {
    const { cniVersion } = network
    if (!atLeast(cniVersion, "0.4.0")) {
      const what = `configuration version ${goQuote(cniVersion)}`
      return CniError.internal(`${what} does not support the CHECK command`)
    }
    if (network.disableCheck) return null
    const cached = this.#cache.get(network.name)?.get(keyOf(args))
    const target = this.#target(args, cached)
    const call = this.#call(target, cached?.result ?? null)
    for (const plugin of network.plugins) {
      const loaded = this.#prepare(plugin, target)
      const failed = loaded instanceof CniError ? loaded : loaded.check(call)
      if (failed !== null) return failed
    }
    return null
  }

  /** Attachments that are not in `valid` go, known ones by DEL, then whatever plugins find. */
  gc(network: NetworkConfig, valid: ReadonlyArray<Attachment>): CniError | null {
    if (network.disableGC) return null
    const keep = new Set(valid.map(keyOf))
    const errors: Array<CniError> = []
    for (const [key, cached] of [...this.#cache.get(network.name) ?? []]) {
      if (keep.has(key)) continue
      const what = `failed to delete stale attachment ${cached.containerId} ${cached.ifName}`
      const failed = this.del(network, cached)
      if (failed !== null) errors.push(failed.within(what))
    }
    for (const plugin of atLeast(network.cniVersion, "1.1.0") ? network.plugins : []) {
      const failed = plugin.loaded.gc(this.#call(NOBODY, null), valid)
      if (failed !== null) errors.push(failed.within(`failed to GC plugin ${plugin.type}`))
    }
    return joined(errors)
  }

  /** null is ready for ADD. */
  status(network: NetworkConfig): CniError | null {
    if (!atLeast(network.cniVersion, "1.1.0")) return null
    for (const plugin of network.plugins) {
      const failed = plugin.loaded.status(this.#call(NOBODY, null))
      if (failed !== null) return failed
    }
    return null
  }

  version(): { readonly cniVersion: string; readonly supportedVersions: ReadonlyArray<string> } {
    return { cniVersion: CURRENT, supportedVersions: SUPPORTED }
  }

  /** Everything added and not deleted, in order of adding within a network. */
  attachments(): ReadonlyArray<CachedAttachment> {
    return [...this.#cache.values()].flatMap((ofNetwork) => [...ofNetwork.values()])
  }

  leases(network: string, dataDir = ""): LeaseStore | string {
    return this.#host.leases(network, dataDir)
  }

  #target(args: DelArgs, cached: CachedAttachment | undefined): Target {
    const netns = args.netns === undefined ? cached?.netns ?? null : args.netns
    return {
      containerId: args.containerId, ifName: args.ifName, netns,
      netnsPath: netns === null ? "" : args.netnsPath ?? cached?.netnsPath ?? `/var/run/netns/${netns.name}`,
      args: cached?.args ?? "", capabilityArgs: cached?.capabilityArgs ?? {}
    }
  }

  /** DEL of every plugin, the last one first. */
  #run(network: NetworkConfig, target: Target, prevResult: Result | null): CniError | null {
    const errors: Array<CniError> = []
    for (let i = network.plugins.length - 1; i >= 0; i--) {
      const plugin = network.plugins[i]!
      const loaded = this.#prepare(plugin, target)
      const failed = loaded instanceof CniError ? loaded : loaded.del(this.#call(target, prevResult))
      if (failed !== null) errors.push(failed.within(`plugin ${describe(plugin)} failed (delete)`))
    }
    return joined(errors)
  }

  /** runtimeConfig holds what the plugin has declared it can take, and nothing else. */
  #prepare(plugin: PluginConfig, { capabilityArgs }: Target): Loaded | CniError {
    const given = plugin.capabilities.filter((key) => capabilityArgs[key] !== undefined)
    if (given.length === 0) return plugin.loaded
    const runtimeConfig = Object.fromEntries(given.map((key) => [key, capabilityArgs[key]!]))
    const loaded = reload(plugin, { runtimeConfig })
    return isProblems(loaded) ? CniError.internal(formatProblem(loaded[0]!)) : loaded
  }

  #call(target: Target, prevResult: Result | null): Call {
    const { containerId, ifName, netns, netnsPath, args } = target
    const host = this.#host
    return { containerId, ifName, netns, netnsPath, args, prevResult, host, stores: host }
  }
}

const NOBODY: Target = {
  containerId: "", ifName: "", netns: null, netnsPath: "", args: "", capabilityArgs: {}
}

/** Leases in memory, by network; no files. */
export class MemoryStores implements Stores {
  readonly #byNetwork = new Map<string, MemoryStore>()

  leases(network: string, dataDir: string): MemoryStore {
    const key = `${dataDir}/${network}`
    let store = this.#byNetwork.get(key)
    if (store === undefined) {
      store = new MemoryStore()
      this.#byNetwork.set(key, store)
    }
    return store
  }

  readFile(path: string): string {
    return `open ${path}: no such file or directory`
  }
}

function keyOf({ containerId, ifName }: Attachment): string {
  return `${containerId}\n${ifName}`
}

function describe({ type, name }: PluginConfig): string {
  return `type=${goQuote(type)}${name === "" ? "" : ` name=${goQuote(name)}`}`
}

/** The first one's code, everybody's words. */
function joined(errors: ReadonlyArray<CniError>): CniError | null {
  if (errors.length < 2) return errors[0] ?? null
  return new CniError(errors[0]!.code, errors.map(String).join("\n"))
}

function drawMac(prng: Prng): number {
  return of((prng.below(0x10000) & 0xfcff) | 0x0200, prng.u32() | 0)
}
