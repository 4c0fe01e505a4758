/**
 * tshark as a referee of captures: what it finds wrong, as text, empty when it finds nothing. Wrong is a
 * malformed packet, a bad checksum (IPv4, ICMP, ICMPv6, UDP, TCP) and an expert error; in the file of one
 * device also what TCP analysis flags (retransmissions, gaps, ports reused, …).
 *
 * Passed over: frames whose comment says that a link fault changed them, and the interfaces of dead frames.
 * One call of tshark takes 0.2 s, so `folderFindings` makes one for `all.pcapng`, which holds every packet,
 * and one more for each device with TCP or fragments, where the order on one interface matters.
 */
import { spawnSync } from "node:child_process"
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
 * Linux leaves checksums over lo unfinished (CHECKSUM_PARTIAL), and icmp_send quotes the packet as it lies in
 * memory: what stands in such an error is not right there either. The error's own checksum must be.
 */
const QUOTED_OVER_LO = 'frame.interface_name matches "/lo$" && ((icmp.type == 3 && icmp.checksum.status == 1) || ' +
  "(icmpv6.type == 1 && icmpv6.checksum.status == 1))"
const FIELDS = ["frame.number", "frame.interface_name", "_ws.expert.message", "frame.protocols"]

export const tsharkVersion: string | null =
  /\d+\.\d+\.\d+/.exec(spawnSync("tshark", ["--version"], { encoding: "utf8" }).stdout ?? "")?.[0] ?? null

/** What tshark finds in one file; `all.pcapng` is taken for a file of several interfaces. */
export function expertFindings(file: string, options: FindingsOptions = {}): string {
  const merged = basename(file) === "all.pcapng"
  const wrong = [
    "_ws.malformed", `_ws.expert.severity == ${EXPERT_ERROR}`,
    ...CHECKSUMS.map((name) => `${name}.checksum.status == 0`)
  ]
  if (!merged) {
    const allowed = [...HEALTHY, ...options.allow ?? []].map((name) => ` && !tcp.analysis.${name}`)
    wrong.push(`(tcp.analysis.flags${allowed.join("")})`)
  }
  const filter = `(${wrong.join(" || ")}) && !(frame.comment contains "${CORRUPTED}") && ` +
    `!(frame.interface_name matches "/${DROP}$") && !(${QUOTED_OVER_LO})`
  const preferences = ["ip.check_checksum:TRUE", "tcp.check_checksum:TRUE", "udp.check_checksum:TRUE"]
  // The same fragments and segments stand on every interface that they crossed.
  if (merged) {
    preferences.push("ip.defragment:FALSE", "ipv6.defragment:FALSE", "tcp.desegment_tcp_streams:FALSE")
  }
  const { status, stdout, stderr } = spawnSync("tshark", [
    "-n", "-r", file, ...preferences.flatMap((preference) => ["-o", preference]), "-Y", filter,
    "-T", "fields", "-E", "aggregator=;", ...FIELDS.flatMap((field) => ["-e", field])
  ], { encoding: "utf8", maxBuffer: 1 << 28 })
  // A file that tshark cannot read to its end is a finding too.
  if (status !== 0) return `${basename(file)}: ${stderr.replace(/^Running as user.*\n/m, "")}`
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
