/**
 * tshark as a referee of captures: what it finds wrong, as text, empty when it finds nothing. Wrong is a
 * malformed packet, a bad checksum (IPv4, ICMP, ICMPv6, UDP, TCP) and an expert error; in the file of one
 * device also what TCP analysis flags (retransmissions, gaps, ports reused, …).
 *
 * Passed over: frames whose comment says that a link fault changed them, and the interfaces of dead frames.
 * One call of tshark takes 0.2 s, so `folderFindings` makes one for `all.pcapng`, which holds every packet,
 * and one more for each device with TCP or fragments, where the order on one interface matters.
 * `deviceReports` counts what is flagged, for stories in which things are lost on purpose.
 */
import { execFile, spawnSync } from "node:child_process"
import { createHash } from "node:crypto"
import { readdirSync, readFileSync } from "node:fs"
import { basename, join } from "node:path"
import { CORRUPTED, DROP } from "@podwire/cluster/capture"
import { type Packet, readItems } from "pcap-writer"

export interface FindingsOptions {
  /** Names of `tcp.analysis.*` that are expected, as `retransmission` where a link loses packets. */
  readonly allow?: ReadonlyArray<string>
}

/** What TCP analysis flags in healthy traffic too. */
const HEALTHY = ["window_update", "keep_alive", "keep_alive_ack"]
const CHECKSUMS = ["ip", "icmp", "icmpv6", "udp", "tcp"]
/** The number of PI_ERROR: its name is spelt differently from version to version. */
const EXPERT_ERROR = 0x800000
/**
 * Linux leaves checksums to hardware (CHECKSUM_PARTIAL) over lo and veth, and icmp_send quotes a packet as it
 * lies in memory: what stands in such an error is not right there either. The error's own checksum must be.
 */
const QUOTED = "((icmp.type == 3 && icmp.checksum.status == 1) || " +
  "((icmpv6.type == 1 || icmpv6.type == 2) && icmpv6.checksum.status == 1))"
const WRONG = [
  "_ws.malformed", `_ws.expert.severity == ${EXPERT_ERROR}`,
  ...CHECKSUMS.map((name) => `${name}.checksum.status == 0`)
]
const CHECKED = ["ip.check_checksum:TRUE", "tcp.check_checksum:TRUE", "udp.check_checksum:TRUE"]
const FIELDS = ["frame.number", "frame.interface_name", "_ws.expert.message", "frame.protocols"]

export const tsharkVersion: string | null =
  /\d+\.\d+\.\d+/.exec(spawnSync("tshark", ["--version"], { encoding: "utf8" }).stdout ?? "")?.[0] ?? null

/** What tshark finds in one file; `all.pcapng` is taken for a file of several interfaces. */
export function expertFindings(file: string, options: FindingsOptions = {}): string {
  const { status, stdout, stderr } = spawnSync(
    "tshark", argumentsFor(file, options), { encoding: "utf8", maxBuffer: 1 << 28 }
  )
  return findingsIn(file, status === 0, stdout, stderr)
}

/** The same, while others run. */
export function findingsMeanwhile(file: string): Promise<string> {
  return new Promise((resolve) => {
    const options = { encoding: "utf8", maxBuffer: 1 << 28 } as const
    execFile("tshark", argumentsFor(file, {}), options, (error, stdout, stderr) =>
      resolve(findingsIn(file, error === null, stdout, stderr)))
  })
}

function argumentsFor(file: string, options: FindingsOptions): ReadonlyArray<string> {
  const merged = basename(file) === "all.pcapng"
  const wrong = [...WRONG]
  if (!merged) {
    const allowed = [...HEALTHY, ...options.allow ?? []].map((name) => ` && !tcp.analysis.${name}`)
    wrong.push(`(tcp.analysis.flags${allowed.join("")})`)
  }
  const filter = `(${wrong.join(" || ")}) && !(frame.comment contains "${CORRUPTED}") && ` +
    `!(frame.interface_name matches "/${DROP}$") && !${QUOTED}`
  const preferences = [...CHECKED]
  // The same fragments and segments stand on every interface that they crossed.
  if (merged) {
    preferences.push("ip.defragment:FALSE", "ipv6.defragment:FALSE", "tcp.desegment_tcp_streams:FALSE")
  }
  return [
    "-n", "-r", file, ...preferences.flatMap((preference) => ["-o", preference]), "-Y", filter,
    "-T", "fields", "-E", "aggregator=;", ...FIELDS.flatMap((field) => ["-e", field])
  ]
}

function findingsIn(file: string, held: boolean, stdout: string, stderr: string): string {
  // A file that tshark cannot read to its end is a finding too.
  if (!held) return `${basename(file)}: ${stderr.replace(/^Running as user.*\n/m, "")}`
  return stdout.split("\n").filter((line) => line !== "").map((line) => {
    const [number, on, message, protocols] = line.split("\t")
    return `${basename(file)}: frame ${number} on ${on === "" ? "its device" : on} (${protocols}): ` +
      `${message === "" ? "bad checksum" : message}\n`
  }).join("")
}

/** What tshark finds in all captures of a folder. */
export function folderFindings(folder: string, options: FindingsOptions = {}): string {
  const files = readdirSync(folder).filter((file) => /\.pcap(ng)?$/.test(file)).sort()
  const all = files.includes("all.pcapng")
  return files
    .filter((file) => !file.endsWith(`-${DROP}.pcapng`))
    .filter((file) => !all || file === "all.pcapng" || needsOrder(join(folder, file)))
    .map((file) => expertFindings(join(folder, file), options)).join("")
}

/** Has TCP or fragments, for which one interface must be seen alone. */
function needsOrder(file: string): boolean {
  for (const item of readItems(readFileSync(file))) {
    if (item.kind === "fault") return true
    if (item.kind === "packet" && ordered(item)) return true
  }
  return false
}

function ordered({ bytes }: Packet): boolean {
  const type = (bytes[12]! << 8) | bytes[13]!
  if (type === 0x0800) return bytes[23] === 6 || (((bytes[20]! << 8) | bytes[21]!) & 0x3fff) !== 0
  if (type !== 0x86dd) return false
  let next = bytes[20]
  // Hop-by-hop options, routing and destination options have their length in the second octet.
  for (let at = 54; next === 0 || next === 43 || next === 60; at += 8 + 8 * bytes[at + 1]!) {
    if (at + 1 >= bytes.length) return true
    next = bytes[at]
  }
  return next === 6 || next === 44
}

/** What tshark says of the TCP in the files of some devices that saw the same. */
export interface DeviceReport {
  readonly files: ReadonlyArray<string>
  /** TCP frames. */
  readonly frames: number
  /** Names of `tcp.analysis.*`, and how many frames have them. */
  readonly flags: ReadonlyArray<readonly [name: string, count: number]>
  /** Checksums and expert errors, as `expertFindings` tells them. */
  readonly wrong: string
}

const FLAGS = [
  "retransmission", "fast_retransmission", "spurious_retransmission", "out_of_order", "lost_segment",
  "ack_lost_segment", "duplicate_ack", "zero_window", "zero_window_probe", "zero_window_probe_ack", "window_full",
  "window_update", "keep_alive", "keep_alive_ack", "reused_ports"
]
/** A call is mostly waiting: as many at once. */
const CALLS_MOST = 3

/**
 * All device files with TCP. Both ends of a veth, and the bridge, see the same segments at the same time: one
 * call is enough for all of them.
 */
export async function deviceReports(folder: string): Promise<ReadonlyArray<DeviceReport>> {
  const groups = new Map<string, Array<string>>()
  for (const file of readdirSync(folder).sort()) {
    if (!file.endsWith(".pcapng") || file === "all.pcapng" || file.endsWith(`-${DROP}.pcapng`)) continue
    const key = storyOf(join(folder, file))
    if (key === null) continue
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [file])
    else group.push(file)
  }
  const left = [...groups.values()].entries()
  const reports: Array<DeviceReport> = []
  const worker = async () => {
    for (const [i, files] of left) reports[i] = await deviceReport(folder, files)
  }
  await Promise.all(Array.from({ length: CALLS_MOST }, worker))
  return reports
}

/** Times and packets, without what is only the link's; null when there is no TCP. */
function storyOf(file: string): string | null {
  const hash = createHash("sha1")
  let hasTcp = false
  for (const item of readItems(readFileSync(file))) {
    if (item.kind === "fault") return `cut ${file}`
    if (item.kind !== "packet" || !ordered(item)) continue
    hasTcp = true
    hash.update(`${item.atNs} `)
    hash.update(item.bytes.subarray(12))
  }
  return hasTcp ? hash.digest("hex") : null
}

const REPORT_FIELDS = [
  ...FIELDS, "_ws.expert.severity", ...CHECKSUMS.map((name) => `${name}.checksum.status`),
  ...FLAGS.map((name) => `tcp.analysis.${name}`)
]

function deviceReport(folder: string, files: ReadonlyArray<string>): Promise<DeviceReport> {
  const filter = `((tcp && !icmp && !icmpv6) || ((${WRONG.join(" || ")}) && !${QUOTED})) && ` +
    `!(frame.comment contains "${CORRUPTED}")`
  const args = [
    "-n", "-r", join(folder, files[0]!), ...CHECKED.flatMap((preference) => ["-o", preference]), "-Y", filter,
    "-T", "fields", "-E", "aggregator=;", ...REPORT_FIELDS.flatMap((field) => ["-e", field])
  ]
  return new Promise((resolve) => {
    execFile("tshark", args, { encoding: "utf8", maxBuffer: 1 << 28 }, (error, stdout, stderr) =>
      resolve(error === null ? reportOf(files, stdout)
        : { files, frames: 0, flags: [], wrong: `${files[0]}: ${stderr}` }))
  })
}

function reportOf(files: ReadonlyArray<string>, stdout: string): DeviceReport {
  const rows = stdout.split("\n").filter((line) => line !== "").map((line) => line.split("\t"))
  const severityAt = FIELDS.length
  const flagsAt = severityAt + 1 + CHECKSUMS.length
  const holds = (field: string | undefined, value: string) => field?.split(";").includes(value) === true
  const flags = FLAGS.map((name, i) => {
    const flagged = rows.filter((row) => (row[flagsAt + i] ?? "") !== "")
    return [name, flagged.length] as const
  })
  const bad = rows.filter((row) =>
    holds(row[severityAt], String(EXPERT_ERROR)) || /malformed/.test(row[3]!) ||
    row.slice(severityAt + 1, flagsAt).some((status) => holds(status, "0")))
  const tell = ([number, , message, protocols]: ReadonlyArray<string>) =>
    `${files[0]}: frame ${number} (${protocols}): ${message === "" ? "bad checksum" : message}\n`
  return {
    files, frames: rows.filter(([, , , protocols]) => /:tcp/.test(protocols!)).length,
    flags: flags.filter(([, count]) => count > 0), wrong: bad.map(tell).join("")
  }
}
