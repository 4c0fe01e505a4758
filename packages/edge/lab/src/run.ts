/** One run: manifests in, a settled cluster, reachability from delivered frames, captures and a report out. */
import { Capture, checkPlan, Cluster, makePlan, nodeNames, reach, type ReachCell } from "@podwire/cluster"
import { format } from "@podwire/wire/ip"
import { CaptureFolder } from "./captures/folder.ts"
import type { Manifests } from "./manifest.ts"

export interface RunOptions {
  readonly seed: number
  readonly nodes: number
  readonly out: string
}

export interface Report {
  readonly text: string
  readonly held: boolean
  readonly problems: ReadonlyArray<string>
}

/** Link-local addresses take up to two seconds to be known as unique. */
const SETTLE_NS = 3_000_000_000

export function run(manifests: Manifests, options: RunOptions): Report {
  const plan = makePlan({ seed: options.seed, nodes: nodeNames(options.nodes) })
  const problems = checkPlan(plan).map((issue) => `${issue.path.join(".")}: ${issue.message}`)
  const names = new Set(plan.nodes.map((node) => node.name))
  for (const { nodeName, place } of manifests.pods) {
    if (nodeName !== null && !names.has(nodeName)) {
      problems.push(`${place}: spec.nodeName: no node is called "${nodeName}"; there are ${[...names].join(", ")}`)
    }
  }
  if (manifests.pods.length > options.nodes * 110) {
    problems.push(`${manifests.pods.length} pods do not fit ${options.nodes} nodes of 110 pods each; add --nodes`)
  }
  if (problems.length > 0) return { text: "", held: false, problems }
  const files = new CaptureFolder(options.out)
  let capture: Capture | null = null
  const cluster = new Cluster(plan, (engine) => (capture = new Capture(engine, (name, format) => files.sink(name, format))))
  for (const { namespace, name, nodeName, place } of manifests.pods) {
    const counts = cluster.nodes.map((node) => cluster.pods.filter((pod) => pod.node === node).length)
    const least = counts.indexOf(counts.reduce((a, b) => Math.min(a, b)))
    const node = cluster.nodes.find((other) => other.name === nodeName) ?? cluster.nodes[least]!
    const pod = cluster.addPod(namespace, name, node)
    if (typeof pod === "string") problems.push(`${place}: ${namespace}/${name} on ${node.name}: ${pod}`)
  }
  if (problems.length > 0) {
    files.close()
    return { text: "", held: false, problems }
  }
  cluster.engine.advance(SETTLE_NS, 10_000_000)
  const cells = reach(cluster)
  capture!.close()
  files.close()
  const held = cells.every((cell) => cell.answered && cell.sourceKept)
  return { text: render(cluster, cells, options.out), held, problems: [] }
}

function render(cluster: Cluster, cells: ReadonlyArray<ReachCell>, out: string): string {
  const pods = table(["NAMESPACE", "NAME", "NODE", "IPS"], cluster.pods.map((pod) =>
    [pod.namespace, pod.name, pod.node.name, pod.ips.map(format).join(",")]))
  const sections = cluster.plan.ipFamilies.map((family) => {
    const some = cells.filter((cell) => cell.family === family)
    const targets = [...new Set(some.map((cell) => cell.to))]
    const senders = [...new Set(some.map((cell) => cell.from))]
    const rows = senders.map((from) => [from, ...targets.map((to) => {
      const cell = some.find((other) => other.from === from && other.to === to)!
      return cell.answered ? (cell.sourceKept ? "ok" : "NAT") : cell.why
    })])
    const good = some.filter((cell) => cell.answered && cell.sourceKept).length
    return `IPv${family}: ${good} of ${some.length} pairs answer and see the sender's own address\n` +
      table(["FROM \\ TO", ...targets], rows)
  })
  return `${pods}\n${sections.join("\n")}\ncaptures: ${out}/all.pcapng, and one file a device\n` +
    `  tshark -r ${out}/all.pcapng -Y "icmp || icmpv6 || arp" -T fields -e frame.interface_name -e _ws.col.info\n`
}

/** As kubectl: upper-case headers, three spaces, no borders. */
function table(header: ReadonlyArray<string>, rows: ReadonlyArray<ReadonlyArray<string>>): string {
  const all = [header, ...rows]
  const widths = header.map((_, i) => Math.max(...all.map((row) => row[i]!.length)))
  return all.map((row) => row.map((cell, i) => cell.padEnd(widths[i]!)).join("   ").trimEnd()).join("\n") + "\n"
}
