/**
 * Handing on to the IPAM plugin that a configuration names (pkg/ipam, DelegateAdd and its kin).
 * Modelled: host-local. `dhcp` and `static` are known and refused: without them a pod has no address.
 */
import type { Decoder, Problem } from "../decode.ts"
import { CniError } from "../error.ts"
import type { Attachment } from "../ipam/host-local.ts"
import { hostLocal } from "../ipam/host-local-plugin.ts"
import { goQuote, type JsonObject } from "../json.ts"
import { type Call, isProblems } from "../plugin.ts"
import type { Result } from "../result.ts"

const PLUGIN_PATH = "/opt/cni/bin"
const KNOWN = new Set(["dhcp", "static"])

/** The delegate with its configuration, or nobody. */
export interface Ipam {
  add(call: Call): Result | CniError
  del(call: Call): CniError | null
  check(call: Call): CniError | null
  gc(call: Call, valid: ReadonlyArray<Attachment>): CniError | null
  status(call: Call): CniError | null
}

export function pluginNotFound(type: string): string {
  if (type === "") return "no plugin name provided"
  if (type.includes("/")) return `invalid plugin name: ${type}`
  return `failed to find plugin ${goQuote(type)} in path [${PLUGIN_PATH}]`
}

/** null when the configuration names none. */
export function loadIpam(conf: JsonObject, decoder: Decoder): Ipam | null | ReadonlyArray<Problem> {
  const ipam = decoder.object(conf, "ipam", []) ?? {}
  const type = decoder.string(ipam, "type", ["ipam"]) ?? ""
  if (type === "") return null
  const path = ["ipam", "type"]
  if (KNOWN.has(type)) {
    return [{ path, message: `IPAM plugin ${goQuote(type)} is not modelled. Use "host-local"` }]
  }
  if (type !== hostLocal.type) return [{ path, message: pluginNotFound(type) }]
  const loaded = hostLocal.load(conf)
  if (isProblems(loaded)) return loaded
  return {
    add: (call) => hostLocal.add(call, loaded),
    del: (call) => hostLocal.del(call, loaded),
    check: (call) => hostLocal.check(call, loaded),
    gc: (call, valid) => hostLocal.gc(call, loaded, valid),
    status: (call) => hostLocal.status(call, loaded)
  }
}
