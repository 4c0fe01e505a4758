/**
 * Which network a node has: the first file of /etc/cni/net.d in the order of names, as containerd takes it. A
 * broken first file is the node's problem, the next one is not tried.
 */
import { decodeNetwork, type NetworkConfig } from "./config.ts"
import type { Problem } from "./decode.ts"
import { parse } from "./json.ts"

export interface ConfigFile {
  readonly name: string
  readonly text: string
}

export interface ChosenConfig {
  readonly file: string
  readonly network: NetworkConfig | ReadonlyArray<Problem>
}

const SUFFIXES = [".conf", ".conflist", ".json"]

/** null: no file is a configuration, and the node's network is not ready. */
export function chooseConfig(files: ReadonlyArray<ConfigFile>): ChosenConfig | null {
  const candidates = files.filter(({ name }) => SUFFIXES.includes(name.slice(name.lastIndexOf("."))))
  if (candidates.length === 0) return null
  const first = candidates.reduce((a, b) => b.name < a.name ? b : a)
  const parsed = parse(first.text)
  if (typeof parsed !== "string") return { file: first.name, network: decodeNetwork(parsed.value) }
  return { file: first.name, network: [{ path: [], message: `error parsing configuration list: ${parsed}` }] }
}
