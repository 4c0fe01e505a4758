/** What `run` prints: pods, steps, who reaches whom, what did not hold, and what to open. */
import { ageText, type KubeObject, type Pod } from "@podwire/api"
import type { Cluster, ReachCell } from "@podwire/cluster"
import { renderProblem, sortProblems } from "./input/index.ts"
import type { Lab } from "./lab.ts"
import { summary } from "./print/pod.ts"
import type { RunReport, StepReport } from "./run.ts"
import { tabulate } from "./print/tabulate.ts"

/** A matrix wider than this is told as counts and failures only. */
const MATRIX_COLUMNS_MAX = 24
/** Beyond this, the names of the columns would make lines that nobody reads. */
const MATRIX_WIDTH_MAX = 80

/** Of a program's output, standard output and error each. */
const OUTPUT_LENGTH_MAX = 4_000

const CONTROLS = /[\0-\u0008\u000b\u000c\u000e-\u001f\u007f]/g

export interface ReportOptions {
  readonly name: string
  readonly verbose: boolean
  /** Where the captures lie; null when none were written. */
  readonly out: string | null
}

export function renderText(lab: Lab, report: RunReport, options: ReportOptions): string {
  const parts = [podTable(lab.cluster)]
  if (options.verbose) parts.push(programTable(lab.cluster))
  for (const [i, step] of report.steps.entries()) parts.push(stepText(step, i, report.steps.length))
  if (report.reach !== null) parts.push(reachText(lab, report.reach))
  const drops = Object.entries(report.drops)
  if (drops.length > 0) {
    parts.push(
      `frames that ended on the way: ${drops.map(([reason, count]) => `${count} ${reason}`).join(", ")}\n`
    )
  }
  if (options.out !== null) parts.push(captureText(lab.cluster, options.out))
  if (report.failures.length > 0) {
    const lines = sortProblems(report.failures).map((problem) => `  ${renderProblem(problem)}\n`)
    parts.push(`${report.failures.length} did not hold:\n${lines.join("")}`)
  }
  return parts.join("\n")
}

/** One suite a run, one case a step; the matrix is a case for each family. `junit` puts suites together. */
export function renderSuite(lab: Lab, report: RunReport, options: ReportOptions): string {
  const cases = report.steps.map((step) => ({ name: step.title, failures: step.failures.map(renderProblem) }))
  if (report.reach !== null) {
    for (const family of lab.plan.ipFamilies) {
      const bad = report.reach.cells.filter((cell) =>
        cell.family === family && !(cell.answered && cell.sourceKept))
      cases.push({
        name: `reach IPv${family}`,
        failures: bad.map((cell) => `${cell.from} → ${cell.to}: ${cell.why || "another source address"}`)
      })
    }
  }
  const told = new Set(report.steps.flatMap((step) => step.failures))
  const rest = report.failures.filter((failure) => !told.has(failure) && !failure.message.includes("→"))
  cases.push({ name: "nothing else went wrong", failures: rest.map(renderProblem) })
  const failed = cases.filter(({ failures }) => failures.length > 0).length
  const body = cases.map(({ name, failures }) => {
    const inner = failures.map((text) => `<failure message="${xml(text)}"/>`).join("")
    return `    <testcase classname="${xml(options.name)}" name="${xml(name)}">${inner}</testcase>\n`
  }).join("")
  const head = `  <testsuite name="${xml(options.name)}" tests="${cases.length}" failures="${failed}">\n`
  return `${head}${body}  </testsuite>\n`
}

export function junit(suites: ReadonlyArray<string>): string {
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites>\n${suites.join("")}</testsuites>\n`
}

export function xml(text: string): string {
  return text.replace(/[<>&"]/g, (c) => `&#${c.charCodeAt(0)};`)
    .replace(/[^\t\n\r\u0020-\ud7ff\ue000-\ufffd]/g, "?")
}

function podTable(cluster: Cluster): string {
  const rows = cluster.store.list("Pod").map((object: KubeObject) => {
    const pod = object as Pod
    const restarts = (pod.status?.containerStatuses ?? [])
      .reduce((sum, container) => sum + container.restartCount, 0)
    const ips = (pod.status?.podIPs ?? []).map(({ ip }) => ip).join(",")
    return [
      pod.metadata.namespace!, pod.metadata.name!, summary(pod).reason, String(restarts), ips || "<none>",
      pod.spec?.nodeName ?? "<none>"
    ]
  })
  return rows.length === 0
    ? "no pods\n"
    : tabulate([["NAMESPACE", "NAME", "STATUS", "RESTARTS", "IPS", "NODE"], ...rows])
}

function programTable(cluster: Cluster): string {
  const rows = cluster.pods.flatMap((pod) =>
    [...pod.init, ...pod.containers].map(({ spec, choice }) => [pod.key, spec.name, choice.why]))
  return tabulate([["POD", "CONTAINER", "PROGRAM"], ...rows])
}

function stepText(step: StepReport, index: number, count: number): string {
  const mark = step.failures.length === 0 ? "ok" : "FAIL"
  const head = `${mark} ${index + 1}/${count} at ${ageText(step.atNs)}: ${step.title}\n`
  const output = step.result === null
    ? step.said.map((line) => `${line}\n`).join("")
    : shown(step.result.stdout) + shown(step.result.stderr)
  const indented = output.trimEnd().split("\n").filter((line) => line !== "").map((line) => `    ${line}\n`)
    .join("")
  return head + indented
}

/** For a reader at a terminal: no control characters, and no more than one reads. JSON has all. */
function shown(text: string): string {
  const visible = text.slice(0, OUTPUT_LENGTH_MAX).replace(CONTROLS, "·")
  const left = text.length - OUTPUT_LENGTH_MAX
  return left <= 0 ? visible : `${visible}\n… ${left} characters more\n`
}

export function reachText(lab: Lab, { cells, left }: NonNullable<RunReport["reach"]>): string {
  if (cells.length === 0) return "no pod runs: there is nobody to reach\n"
  const sections = lab.plan.ipFamilies.map((family) => {
    const some = cells.filter((cell) => cell.family === family)
    const good = some.filter((cell) => cell.answered && cell.sourceKept).length
    const line = `IPv${family}: ${good} of ${some.length} pairs answer and see the sender's own address\n`
    return line + (left === 0 ? matrix(some) : "")
  })
  const sampled = left === 0
    ? ""
    : `approximated: ${cells.length} probes drawn from the seed, ${left} not sent\n`
  return sections.join("\n") + sampled
}

function matrix(cells: ReadonlyArray<ReachCell>): string {
  const targets = [...new Set(cells.map((cell) => cell.to))]
  if (targets.length === 0 || targets.length > MATRIX_COLUMNS_MAX) return ""
  const rows = new Map<string, Array<string>>()
  for (const cell of cells) {
    const row = rows.get(cell.from) ?? []
    row.push(cell.answered ? (cell.sourceKept ? "ok" : "NAT") : cell.why)
    rows.set(cell.from, row)
  }
  const wide = targets.reduce((sum, target) => sum + target.length + 3, 0) > MATRIX_WIDTH_MAX
  // Columns are numbers then, and each row says its own.
  const header = targets.map((target, i) => (wide ? String(i + 1) : target))
  return tabulate([["FROM \\ TO", ...header], ...[...rows].map(([from, row]) => {
    const number = targets.indexOf(from) + 1
    return [wide && number > 0 ? `${number} ${from}` : from, ...row]
  })])
}

function captureText(cluster: Cluster, out: string): string {
  const pod = cluster.pods.find((other) => !other.hostNetwork)
  const node = pod?.nodeName ?? cluster.nodes[0]!.name
  const lines = [
    `captures: ${out}`,
    "  all.pcapng: every interface in the order of time; " +
      "a packet keeps its number (frame.packet_id) on its way",
    ...pod === undefined ? [] : [
      `  ${pod.key.replaceAll("/", "-")}-eth0.pcapng: what the pod sees: ` +
        "ARP or NDP for its gateway, then its packets"
    ],
    `  ${node}-eth0.pcapng: between nodes, the pods' own addresses: nobody translates them`,
    `  tshark -r ${out}/all.pcapng -Y "tcp or udp or icmp or icmpv6 or arp" ` +
      "-T fields -e frame.interface_name -e _ws.col.Info"
  ]
  return `${lines.join("\n")}\n`
}
