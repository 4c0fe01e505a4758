/**
 * How long a cluster takes from nothing to rest, and how much memory: pods of one Deployment through the
 * store, the controllers, the scheduler, the kubelets and CNI, on two families. Each run is a process of its
 * own; `settle.ts NODES PODS` is that process. Memory is resident set at the end, above what it was at the
 * start.
 */
import { execFileSync } from "node:child_process"
import { fileURLToPath } from "node:url"
import { Cluster, makePlan, nodeNames } from "@podwire/cluster"
import { assert } from "@podwire/engine"
import { parse } from "@podwire/wire/cidr"
import { type Figure, figure, RUNS, say, SEED, small, wallSeconds } from "./figure.ts"
import { admitted } from "./flow.ts"

interface Build {
  readonly seconds: number
  readonly cpuSeconds: number
  readonly mebibytes: number
  readonly digest: string
}

/** A /10 holds 16,384 shares of a /24, a /50 as many of a /64. */
const POD_CIDRS = [parse("10.128.0.0/10")!, parse("fd00:10:244::/50")!]

function build(nodes: number, pods: number): Build {
  const before = process.memoryUsage().rss
  let digest = ""
  const cpu = process.threadCpuUsage()
  const seconds = wallSeconds(() => {
    const cluster = new Cluster(makePlan({ seed: SEED, nodes: nodeNames(nodes), podCidrs: POD_CIDRS }))
    cluster.store.create(admitted(deployment(pods)))
    assert(cluster.settle(), "the cluster comes to rest")
    assert(
      cluster.pods.length === pods && cluster.pods.every((pod) => pod.ips.length === 2),
      "every pod has its addresses"
    )
    digest = String(cluster.engine.digest)
  })
  const { user, system } = process.threadCpuUsage(cpu)
  return {
    seconds, cpuSeconds: (user + system) / 1e6, mebibytes: (process.memoryUsage().rss - before) / 2 ** 20,
    digest
  }
}

function deployment(replicas: number) {
  const labels = { app: "web" }
  return {
    apiVersion: "apps/v1", kind: "Deployment", metadata: { name: "web" },
    spec: {
      replicas, selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers: [{ name: "web", image: "pause" }] } }
    }
  }
}

function measure(
  nodes: number, pods: number, runs: number
): { readonly figures: ReadonlyArray<Figure>; readonly checksum: string } {
  const builds: Array<Build> = []
  for (let run = 0; run < runs; run++) {
    const args = [...process.execArgv, fileURLToPath(import.meta.url), String(nodes), String(pods)]
    builds.push(JSON.parse(execFileSync(process.execPath, args, { encoding: "utf8" })) as Build)
  }
  assert(builds.every(({ digest }) => digest === builds[0]!.digest), "the same seed makes the same run")
  const name = `${nodes} nodes, ${pods} pods`
  return {
    checksum: builds[0]!.digest,
    figures: [
      figure(`${name}: wall`, "s", builds.map((build) => build.seconds)),
      figure(`${name}: CPU`, "s", builds.map((build) => build.cpuSeconds)),
      figure(`${name}: CPU per pod`, "us", builds.map((build) => build.cpuSeconds * 1e6 / pods)),
      figure(`${name}: memory`, "MiB", builds.map((build) => build.mebibytes))
    ]
  }
}

const [nodes, pods] = process.argv.slice(2).filter((word) => /^\d+$/.test(word)).map(Number)
if (nodes !== undefined && pods !== undefined) process.stdout.write(`${JSON.stringify(build(nodes, pods))}\n`)
else {
  const sizes = small() ? [[2, 20]] as const : [[100, 5_000], [1_000, 50_000]] as const
  const all = sizes.map(([someNodes, somePods]) => measure(someNodes, somePods, small() ? 1 : RUNS))
  say("settle", all.map(({ checksum }) => checksum).join(" "), all.flatMap(({ figures }) => figures))
}
