/** Names that stand in the cluster, for completion and for "did you mean". */
import { get, type Lab, PROGRAMS, TargetError, KINDS } from "@podwire/lab"

/** `inspect` answers these; a program of such a name does not exist. */
export const TOOLS: ReadonlyArray<string> = ["arp", "bridge", "ip", "nstat", "ss", "sysctl"]

export function programWords(): ReadonlyArray<string> {
  return [...PROGRAMS.map(({ name }) => name), ...TOOLS].sort(byText)
}

export function kindWords(lab: Lab): ReadonlyArray<string> {
  const stored = new Set(lab.cluster.store.kinds())
  return KINDS.filter(({ kind }) => stored.has(kind)).map(({ plural }) => plural)
}

export function objectNames(lab: Lab, kind: string, namespace = "default"): ReadonlyArray<string> {
  const found = get(lab.cluster, [kind], { namespace, output: "jsonpath={.items[*].metadata.name}" })
  return found instanceof TargetError ? [] : found.stdout.split(" ").filter((name) => name !== "")
}

/** Whoever can run a program, by the shortest name that is taken. */
export function targetNames(lab: Lab, namespace = "default"): ReadonlyArray<string> {
  const { pods, nodes, hosts } = lab.cluster
  const own = pods.filter((pod) => pod.key.startsWith(`${namespace}/`))
    .map((pod) => pod.key.slice(namespace.length + 1))
  const foreign = pods.filter((pod) => !pod.key.startsWith(`${namespace}/`)).map((pod) => pod.key)
  return [...own, ...machineNames(nodes), ...machineNames(hosts), ...foreign]
}

export function machineNames(machines: ReadonlyArray<{ readonly name: string }>): ReadonlyArray<string> {
  return machines.map(({ name }) => name)
}

export function linkNames({ cluster }: Lab): ReadonlyArray<string> {
  const names = machineNames([...cluster.nodes, ...cluster.hosts])
  return names.flatMap((a, i) => names.slice(i + 1).map((b) => `${a}-${b}`))
}

function byText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
