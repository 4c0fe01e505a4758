/**
 * Network configurations: `.conflist` (a list of plugins) and the older `.conf` (one), as libcni reads them.
 * Strict about what it knows, and open to what comes later: a key that nobody reads is kept, passed on and
 * listed in `notModelled`, as is everything that is known and not carried out. Every problem has its place.
 *
 * Not supported: plugins in files of their own beside the list (`<dir>/<name>/*.conf`, the reason for
 * `loadOnlyInlinedPlugins`): the list has to hold them all. Keys of a version before 0.3.0 are not adapted.
 */
import { Decoder, type Path, type Problem, unknownKeys, wrongType } from "./decode.ts"
import { unknownIpamKeys } from "./ipam/config.ts"
import { isObject, type JsonObject } from "./json.ts"
import { bridge } from "./main/bridge.ts"
import { pluginNotFound } from "./main/ipam.ts"
import { loopback } from "./main/loopback.ts"
import { ptp } from "./main/ptp.ts"
import { NOT_MODELLED, passThrough } from "./meta/not-modelled.ts"
import * as names from "./names.ts"
import { isProblems, type Loaded, type Plugin, seal } from "./plugin.ts"
import { compareVersions, CURRENT, incompatible, SUPPORTED } from "./version.ts"

export interface NotModelled {
  readonly path: Path
  /** The plugin's type, or the key. */
  readonly what: string
  readonly reason: string
}

export interface PluginConfig {
  readonly type: string
  /** The plugin's own `name`, which libcni prints. */
  readonly name: string
  readonly capabilities: ReadonlyArray<string>
  /** As written, with the list's name and version. */
  readonly raw: JsonObject
  readonly loaded: Loaded
}

export interface NetworkConfig {
  readonly name: string
  readonly cniVersion: string
  readonly disableCheck: boolean
  readonly disableGC: boolean
  readonly loadOnlyInlinedPlugins: boolean
  readonly plugins: ReadonlyArray<PluginConfig>
  readonly notModelled: ReadonlyArray<NotModelled>
}

type Sealed = (raw: JsonObject) => Loaded | ReadonlyArray<Problem>

interface Kind {
  readonly keys: ReadonlySet<string>
  /** It hands on to IPAM. */
  readonly delegates: boolean
  readonly load: Sealed
}

function kind<Conf>(plugin: Plugin<Conf>, delegates: boolean): readonly [string, Kind] {
  return [plugin.type, { keys: plugin.keys, delegates, load: (raw) => seal(plugin, raw) }]
}

const KINDS: ReadonlyMap<string, Kind> = new Map([kind(bridge, true), kind(loopback, false), kind(ptp, true)])
const LIST_KEYS = new Set([
  "cniVersion", "cniVersions", "name", "disableCheck", "disableGC", "loadOnlyInlinedPlugins", "plugins"
])
const PLUGIN_KEYS = new Set([
  "cniVersion", "name", "type", "capabilities", "ipam", "dns", "args", "runtimeConfig", "prevResult"
])

/** The configuration, or all that is wrong with it. A value with `type` and no `plugins` is a `.conf`. */
export function decodeNetwork(value: unknown): NetworkConfig | ReadonlyArray<Problem> {
  if (!isObject(value)) return [{ path: [], message: wrongType("object", value) }]
  const decoder = new Decoder()
  const single = value["plugins"] === undefined && value["type"] !== undefined
  const name = decoder.string(value, "name", []) ?? ""
  const badName = names.networkName(name)
  if (badName !== null) decoder.fail(["name"], badName.toString())
  const cniVersion = decodeVersion(value, decoder)
  const notModelled: Array<NotModelled> = single ? [] : unknownKeys(value, LIST_KEYS)
    .map((key) => ({ path: [key], what: key, reason: "no key of a network configuration is called that" }))
  const items = single ? [value] : pluginsOf(value, decoder)
  const plugins = items.flatMap((item, i) => {
    const at: Path = single ? [] : ["plugins", i]
    const object = decoder.element(item, at)
    if (object === undefined) return []
    const made = decodePlugin(object, at, { name, cniVersion }, decoder, notModelled)
    return made === null ? [] : [made]
  })
  const flags = {
    disableCheck: single ? false : flag(value, "disableCheck", decoder),
    disableGC: single ? false : flag(value, "disableGC", decoder),
    loadOnlyInlinedPlugins: single ? true : flag(value, "loadOnlyInlinedPlugins", decoder)
  }
  return decoder.problems.length > 0 ? decoder.problems : { name, cniVersion, ...flags, plugins, notModelled }
}

/** The plugin with `raw` changed for one call (capabilities), as libcni injects it. */
export function reload(plugin: PluginConfig, changes: JsonObject): Loaded | ReadonlyArray<Problem> {
  return KINDS.get(plugin.type)?.load({ ...plugin.raw, ...changes }) ?? plugin.loaded
}

/** The highest version that is written and known; `cniVersions` counts since 1.1.0. */
function decodeVersion(value: JsonObject, decoder: Decoder): string {
  const one = decoder.string(value, "cniVersion", []) ?? ""
  const written = decoder.strings(value, "cniVersions", [])
  const candidates: Array<string> = []
  for (const [i, version] of [...written, ...(one === "" ? [] : [one])].entries()) {
    const order = compareVersions(version, CURRENT)
    const path = i < written.length ? ["cniVersions", i] : ["cniVersion"]
    if (typeof order === "string") decoder.fail(path, order)
    else if (order <= 0 || written.length === 0) candidates.push(version)
  }
  if (candidates.length === 0) return written.length === 0 ? "0.1.0" : one
  const best = candidates.reduce((a, b) => (compareVersions(a, b) as number) < 0 ? b : a)
  if (SUPPORTED.includes(best)) return best
  const path = best === one ? ["cniVersion"] : ["cniVersions", written.indexOf(best)]
  decoder.fail(path, `incompatible CNI versions; ${incompatible(best)}`)
  return best
}

function pluginsOf(value: JsonObject, decoder: Decoder) {
  const plugins = decoder.array(value, "plugins", [])
  if (plugins === undefined) {
    if (value["plugins"] === undefined || value["plugins"] === null) {
      decoder.fail(["plugins"], "Required value: the list holds no plugins")
    }
    return []
  }
  if (plugins.length === 0) decoder.fail(["plugins"], "no plugins in list")
  return plugins
}

/** libcni takes the words too. */
function flag(value: JsonObject, key: string, decoder: Decoder): boolean {
  const written = value[key]
  if (typeof written !== "string") return decoder.boolean(value, key, []) ?? false
  const word = written.toLowerCase()
  if (word !== "true" && word !== "false") {
    decoder.fail([key], `invalid value ${JSON.stringify(word)} for ${key}`)
  }
  return word === "true"
}

function decodePlugin(
  written: JsonObject, at: Path, list: { readonly name: string; readonly cniVersion: string },
  decoder: Decoder, notModelled: Array<NotModelled>
): PluginConfig | null {
  const type = decoder.string(written, "type", at) ?? ""
  const name = decoder.string(written, "name", at) ?? ""
  const capabilities = capabilitiesOf(written, at, decoder)
  const raw = { ...written, ...list }
  const reason = NOT_MODELLED.get(type)
  if (reason !== undefined) {
    notModelled.push({ path: [...at, "type"], what: type, reason })
    return { type, name, capabilities, raw, loaded: passThrough(type) }
  }
  const found = KINDS.get(type)
  if (found === undefined) {
    const message = type === "" ? "missing 'type'" : pluginNotFound(type)
    const said = type === "" && written["type"] !== undefined && written["type"] !== ""
    if (!said) decoder.fail([...at, "type"], message)
    return null
  }
  const loaded = found.load(raw)
  if (isProblems(loaded)) {
    for (const { path, message } of loaded) decoder.fail([...at, ...path], message)
    return null
  }
  for (const { key, reason } of loaded.notModelled) {
    notModelled.push({ path: [...at, key], what: key, reason })
  }
  const nobody = (path: Path, reader = type): NotModelled =>
    ({ path: [...at, ...path], what: String(path.at(-1)), reason: `the ${reader} plugin does not read it` })
  const known = new Set([...PLUGIN_KEYS, ...found.keys, ...(at.length === 0 ? LIST_KEYS : [])])
  for (const key of unknownKeys(written, known)) notModelled.push(nobody([key]))
  const ipam = written["ipam"]
  for (const path of isObject(ipam) && found.delegates ? unknownIpamKeys(ipam) : []) {
    notModelled.push(nobody(["ipam", ...path], "host-local"))
  }
  return { type, name, capabilities, raw, loaded }
}

function capabilitiesOf(written: JsonObject, at: Path, decoder: Decoder): ReadonlyArray<string> {
  const capabilities = decoder.object(written, "capabilities", at) ?? {}
  const path = [...at, "capabilities"]
  return Object.keys(capabilities).filter((key) => decoder.boolean(capabilities, key, path) === true)
}

/** What a runtime attaches every pod to first, under the interface name `lo` (containerd's words). */
export const LOOPBACK_NETWORK = decodeNetwork({
  cniVersion: "0.3.1", name: "cni-loopback", plugins: [{ type: "loopback" }]
}) as NetworkConfig
