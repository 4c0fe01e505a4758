/**
 * Who reaches whom, from delivered frames: every pod and every node sends an ICMP echo to every pod. What
 * counts is the request as the receiver's interface saw it, with an address of the sender's own, and the
 * answer coming back.
 *
 * Beyond REACH_PROBES_MAX probes a part of them is drawn from the seed, and `left` says how many were not
 * sent.
 */
import { SECOND } from "@podwire/engine"
import { addTap, Direction, type Frame, type NetDevice, removeTap, type Tap } from "@podwire/netdev"
import type { Netns, PingReply } from "@podwire/netns"
import { get16 } from "@podwire/wire/bytes"
import * as ethertype from "@podwire/wire/ethertype"
import { equal, family, type Ip, read4, read6 } from "@podwire/wire/ip"
import type { Cluster } from "./cluster.ts"
import { REACH_PROBES_MAX } from "./limits.ts"
import type { PodSandbox } from "./pod.ts"

const ATTEMPTS = 3
const WAIT_NS = 4 * SECOND
const PAYLOAD_BYTES = 56
const ETHERNET_BYTES = 14

export interface ReachCell {
  readonly from: string
  readonly to: string
  readonly family: 4 | 6
  answered: boolean
  /** The receiver saw an address of the sender's own. */
  sourceKept: boolean
  why: string
}

export interface Reach {
  readonly cells: ReadonlyArray<ReachCell>
  /** Probes that were not sent because there would be too many. */
  readonly left: number
}

interface Probe {
  readonly from: { readonly name: string; readonly netns: Netns }
  readonly pod: PodSandbox
  readonly target: Ip
}

export function reach(cluster: Cluster): Reach {
  const { probes, left } = draw(cluster, probesOf(cluster))
  const cells = probes.map(({ from, pod, target }) => {
    const cell: ReachCell = {
      from: from.name, to: pod.key, family: family(target), answered: false, sourceKept: false,
      why: "TimedOut"
    }
    for (let attempt = 1; attempt <= ATTEMPTS && !cell.answered; attempt++) {
      send(cluster, from.netns, pod, target, attempt, cell)
    }
    return cell
  })
  return { cells, left }
}

function probesOf(cluster: Cluster): ReadonlyArray<Probe> {
  const pods = cluster.pods.filter((pod) => !pod.stopping)
  const senders = [
    ...pods.map((pod) => ({ name: pod.key, netns: pod.netns })),
    ...cluster.nodes.map((node) => ({ name: `node/${node.name}`, netns: node.netns }))
  ]
  return senders.flatMap((from) => pods.flatMap((pod) => pod.ips.map((target) => ({ from, pod, target }))))
}

/** All of them, or as many as may be, in their order (selection sampling: Knuth 3.4.2, algorithm S). */
function draw(
  cluster: Cluster, all: ReadonlyArray<Probe>
): { readonly probes: ReadonlyArray<Probe>; readonly left: number } {
  if (all.length <= REACH_PROBES_MAX) return { probes: all, left: 0 }
  const prng = cluster.engine.prng("reach")
  let wanted = REACH_PROBES_MAX
  const probes = all.filter((_, i) => {
    if (!prng.chance(wanted, all.length - i)) return false
    wanted--
    return true
  })
  return { probes, left: all.length - probes.length }
}

function send(
  cluster: Cluster, from: Netns, pod: PodSandbox, target: Ip, seq: number, cell: ReachCell
): void {
  const socket = from.ping(family(target))
  const own = from.addresses().map(({ cidr }) => cidr.ip)
  const watcher = new SourceWatcher(target, own)
  // A packet to oneself goes over `lo`; a node's address is reached from its own pods over the bridge.
  const devs = pod.netns.links.list().filter(
    ({ name }) => (from === pod.netns ? name === "lo" : pod.hostNetwork || name === "eth0")
  )
  for (const dev of devs) addTap(dev, watcher)
  socket.onReply = (_, reply: PingReply) => {
    if (reply.isError) cell.why = `ICMP ${reply.type}/${reply.code}`
    else cell.answered = true
  }
  const errno = socket.sendTo(target, seq, new Uint8Array(PAYLOAD_BYTES))
  const untilNs = cluster.engine.nowNs + WAIT_NS
  while (errno === 0 && !cell.answered && cluster.engine.nowNs < untilNs) {
    cluster.engine.advance(Math.min(cluster.engine.nextNs, untilNs), 4096)
  }
  if (errno !== 0) cell.why = "Unreachable"
  socket.close()
  for (const dev of devs) removeTap(dev, watcher)
  cell.sourceKept ||= watcher.kept
  if (cell.answered) cell.why = ""
}

/** Looks for an echo request to `to` on its way in. */
class SourceWatcher implements Tap {
  kept = false
  readonly #to: Ip
  readonly #own: ReadonlyArray<Ip>

  constructor(to: Ip, own: ReadonlyArray<Ip>) {
    this.#to = to
    this.#own = own
  }

  see(_dev: NetDevice, direction: Direction, frame: Frame): void {
    if (direction !== Direction.In) return
    const { bytes, head } = frame
    const l3 = head + ETHERNET_BYTES
    const v6 = get16(bytes, head + 12) === ethertype.IPV6
    if (!v6 && get16(bytes, head + 12) !== ethertype.IPV4) return
    if (!equal(v6 ? read6(bytes, l3 + 24) : read4(bytes, l3 + 16), this.#to)) return
    const source = v6 ? read6(bytes, l3 + 8) : read4(bytes, l3 + 12)
    if (this.#own.some((ip) => ip.length === source.length && equal(ip, source))) this.kept = true
  }
}
