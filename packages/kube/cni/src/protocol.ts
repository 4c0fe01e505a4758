/**
 * A plugin as a program (cni/pkg/skel): variables and a configuration in, a JSON object and an exit code out.
 * Checks come in the order of the real library, with its words; an error is printed on stdout.
 *
 * Only host-local can do its work on the machine it runs on. bridge, ptp and loopback would have to change
 * real namespaces, which Podwire never does: they answer code 100 and say where they do work.
 * Not supported: the words that Go has for a JSON value of the wrong type.
 */
import { Decoder, formatProblem, type Problem } from "./decode.ts"
import { CniError, ErrorCode } from "./error.ts"
import type { Attachment } from "./ipam/host-local.ts"
import { hostLocal } from "./ipam/host-local-plugin.ts"
import { compact, isObject, type Json, type JsonObject, kindOf, parse, print } from "./json.ts"
import { NOT_MODELLED } from "./meta/not-modelled.ts"
import * as names from "./names.ts"
import { type IpamCall, isProblems, type Stores } from "./plugin.ts"
import { pluginNotFound } from "./main/ipam.ts"
import { resultJson } from "./result.ts"
import { compareVersions, CURRENT, incompatible, SUPPORTED } from "./version.ts"

export interface Output {
  readonly stdout: string
  readonly stderr: string
  readonly exitCode: number
}

interface MachineStores extends Stores {
  /** CNI_NETNS is the namespace that this process is in. */
  readonly ownNetns?: (path: string) => boolean
}

type Env = Readonly<Record<string, string | undefined>>

const PRIVILEGED = new Set(["bridge", "ptp", "loopback"])
const ATTACHING = ["ADD", "CHECK", "DEL"]
const WORKING = [...ATTACHING, "GC", "STATUS"]
/** Since when a verb is there. */
const SINCE: ReadonlyMap<string, string> = new Map([["CHECK", "0.4.0"], ["GC", "1.1.0"], ["STATUS", "1.1.0"]])

const VARIABLES: ReadonlyArray<{
  readonly name: string
  readonly required: ReadonlyArray<string>
  readonly validate: ((value: string) => CniError | null) | null
}> = [
  { name: "CNI_COMMAND", required: WORKING, validate: null },
  { name: "CNI_CONTAINERID", required: ATTACHING, validate: names.containerId },
  { name: "CNI_NETNS", required: ["ADD", "CHECK"], validate: null },
  { name: "CNI_IFNAME", required: ATTACHING, validate: names.interfaceName },
  { name: "CNI_PATH", required: WORKING, validate: null }
]

export function runPlugin(type: string, env: Env, stdin: string, stores: MachineStores): Output {
  if (type !== hostLocal.type && !PRIVILEGED.has(type)) {
    const known = NOT_MODELLED.get(type)
    return failure(known === undefined ? CniError.internal(pluginNotFound(type))
      : new CniError(ErrorCode.NOT_HERE, `${type} is not modelled`, known))
  }
  const command = env["CNI_COMMAND"] ?? ""
  if (command === "") {
    const about = `CNI ${type} plugin (Podwire)\nCNI protocol versions supported: ${SUPPORTED.join(", ")}\n`
    return { stdout: "", stderr: about, exitCode: 0 }
  }
  const wrong = checkVariables(env, command)
  if (wrong !== null) return failure(wrong)
  if (command === "VERSION") {
    const info = { cniVersion: CURRENT, supportedVersions: SUPPORTED }
    return { stdout: `${compact(info)}\n`, stderr: "", exitCode: 0 }
  }
  const conf = readConfig(stdin)
  if (conf instanceof CniError) return failure(conf)
  if (!WORKING.includes(command)) {
    return failure(new CniError(ErrorCode.INVALID_ENVIRONMENT, `unknown CNI_COMMAND: ${command}`))
  }
  const version = checkVersion(conf, command)
  if (version instanceof CniError) return failure(version)
  if (PRIVILEGED.has(type)) return failure(notHere(type))
  const answer = perform(command, version, conf, env, stores)
  if (answer instanceof CniError) return failure(answer)
  return withNamespace(command, env, stores, answer)
}

function failure(error: CniError, stdout = ""): Output {
  return { stdout: stdout + print(error.toJson()), stderr: "", exitCode: 1 }
}

function notHere(type: string): CniError {
  const msg = `${type}: Podwire changes no real namespace`
  const details = "`podwire run` carries this configuration out on emulated nodes; for real ones use " +
    "the plugin of github.com/containernetworking/plugins"
  return new CniError(ErrorCode.NOT_HERE, msg, details)
}

function checkVariables(env: Env, command: string): CniError | null {
  const missing: Array<string> = []
  for (const { name, required, validate } of VARIABLES) {
    const value = env[name] ?? ""
    if (!required.includes(command)) continue
    const wrong = value === "" || validate === null ? null : validate(value)
    if (wrong !== null) return wrong
    if (value === "") missing.push(name)
  }
  if (missing.length === 0) return null
  return new CniError(ErrorCode.INVALID_ENVIRONMENT, `required env variables [${missing.join(",")}] missing`)
}

/** Sound JSON, an object, and named. */
function readConfig(stdin: string): JsonObject | CniError {
  const bad = (why: string) =>
    new CniError(ErrorCode.DECODING_FAILURE, `error unmarshall network config: ${why}`)
  const parsed = parse(stdin)
  if (typeof parsed === "string") return bad(parsed)
  const struct = "struct { Name string \"json:\\\"name\\\"\" }"
  const conf: Json = parsed.value ?? {}
  if (!isObject(conf)) return bad(`json: cannot unmarshal ${kindOf(conf)} into Go value of type ${struct}`)
  const name = conf["name"] ?? ""
  if (typeof name !== "string") {
    return bad(`json: cannot unmarshal ${kindOf(name)} into Go struct field .name of type string`)
  }
  return names.networkName(name) ?? conf
}

function checkVersion(conf: JsonObject, command: string): string | CniError {
  const written = conf["cniVersion"] ?? ""
  if (typeof written !== "string") {
    const field = `json: cannot unmarshal ${kindOf(written)} into Go struct field .cniVersion of type string`
    return new CniError(ErrorCode.DECODING_FAILURE, `decoding version from network config: ${field}`)
  }
  const version = written === "" ? "0.1.0" : written
  const since = SINCE.get(command)
  if (since !== undefined) {
    const order = compareVersions(version, since)
    if (typeof order === "string") return new CniError(ErrorCode.DECODING_FAILURE, order)
    if (order < 0) {
      return new CniError(ErrorCode.INCOMPATIBLE_VERSION, `config version does not allow ${command}`)
    }
    if ((compareVersions(CURRENT, version) as number) < 0) {
      return new CniError(ErrorCode.INCOMPATIBLE_VERSION, `plugin version does not allow ${command}`)
    }
  }
  if (SUPPORTED.includes(version)) return version
  return new CniError(ErrorCode.INCOMPATIBLE_VERSION, "incompatible CNI versions", incompatible(version))
}

/** The verb's text for stdout. */
function perform(
  command: string, version: string, json: JsonObject, env: Env, stores: Stores
): string | CniError {
  const conf = hostLocal.load(json)
  if (isProblems(conf)) return CniError.internal(firstMessage(conf))
  const call: IpamCall = {
    containerId: env["CNI_CONTAINERID"] ?? "", ifName: env["CNI_IFNAME"] ?? "",
    args: env["CNI_ARGS"] ?? "", stores
  }
  if (command === "ADD") {
    const result = hostLocal.add(call, conf)
    if (result instanceof CniError) return result
    const printed = resultJson(result, version)
    return typeof printed === "string" ? CniError.internal(printed) : print(printed)
  }
  if (command === "DEL") return hostLocal.del(call, conf) ?? ""
  if (command === "CHECK") return hostLocal.check(call, conf) ?? ""
  if (command === "STATUS") return hostLocal.status(call, conf) ?? ""
  const valid = validAttachments(json)
  return valid instanceof CniError ? valid : hostLocal.gc(call, conf, valid) ?? ""
}

/** The real plugin names no place; ours does where its words say nothing of what they are about. */
function firstMessage(problems: ReadonlyArray<Problem>): string {
  const [first] = problems
  return first!.message.startsWith("found ") ? formatProblem(first!) : first!.message
}

/** GC without the list would drop everything: it has to be there. libcni writes it under two names. */
function validAttachments(conf: JsonObject): ReadonlyArray<Attachment> | CniError {
  const named = conf["cni.dev/valid-attachments"] !== undefined
  const key = named ? "cni.dev/valid-attachments" : "cni.dev/attachments"
  if (conf[key] === undefined) {
    const msg = "GC needs the list of valid attachments"
    return new CniError(ErrorCode.INVALID_NETWORK_CONFIG, msg, "cni.dev/valid-attachments is missing")
  }
  const decoder = new Decoder()
  const valid = (decoder.array(conf, key, []) ?? []).map((item, i): Attachment => {
    const object = decoder.element(item, [key, i]) ?? {}
    return {
      containerId: decoder.string(object, "containerID", [key, i]) ?? "",
      ifName: decoder.string(object, "ifname", [key, i]) ?? ""
    }
  })
  const [problem] = decoder.problems
  return problem === undefined ? valid : new CniError(ErrorCode.DECODING_FAILURE, problem.message)
}

/** skel looks whether the namespace was the plugin's own only when the work is done. */
function withNamespace(command: string, env: Env, stores: MachineStores, stdout: string): Output {
  const override = (env["CNI_NETNS_OVERRIDE"] ?? "").toUpperCase()
  const looked = (command === "ADD" || command === "DEL") && override !== "TRUE" && override !== "1"
  const own = looked && stores.ownNetns?.(env["CNI_NETNS"] ?? "") === true
  if (!own) return { stdout, stderr: "", exitCode: 0 }
  const msg = "plugin's netns and netns from CNI_NETNS should not be the same"
  return failure(new CniError(ErrorCode.INVALID_NETNS, msg), stdout)
}
