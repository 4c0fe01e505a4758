/**
 * Who reaches whom, from delivered frames: every pod and every node sends an ICMP echo to every pod, and
 * what counts is the request as the receiver's eth0 saw it, with whose address, and the answer coming back.
 */
import { SECOND } from "@podwire/engine"
import type { PingReply } from "@podwire/netns"
import { equal, family, type Ip } from "@podwire/wire/ip"
import { addTap, Direction, type Frame, type NetDevice, removeTap, type Tap } from "@podwire/netdev"
import * as ethertype from "@podwire/wire/ethertype"
import { get16 } from "@podwire/wire/bytes"
import { read4, read6 } from "@podwire/wire/ip"
import type { Cluster } from "./cluster.ts"
import type { PodSandbox } from "./pod.ts"

const ATTEMPTS = 3
const WAIT_NS = 4 * SECOND
const ETHERNET_BYTES = 14

export interface ReachCell {
  readonly from: string
  readonly to: string
  readonly family: 4 | 6
  answered: boolean
  /** The receiver saw the sender's own address. */
  sourceKept: boolean
  why: string
}

export function reach(cluster: Cluster): ReadonlyArray<ReachCell> {
  const senders = [
    ...cluster.pods.map((pod) => ({ name: pod.key, netns: pod.netns, ips: pod.ips as ReadonlyArray<Ip> | null })),
    ...cluster.nodes.map((node) => ({ name: `node/${node.name}`, netns: node.netns, ips: null as ReadonlyArray<Ip> | null }))
  ]
  const cells: Array<ReachCell> = []
  for (const sender of senders) {
    for (const pod of cluster.pods) {
      for (const target of pod.ips) {
        const to = `${pod.namespace}/${pod.name}`
        const cell: ReachCell = {
          from: sender.name, to, family: family(target), answered: false, sourceKept: false, why: "TimedOut"
        }
        const own = sender.ips?.find((ip) => ip.length === target.length) ?? null
        for (let attempt = 1; attempt <= ATTEMPTS && !cell.answered; attempt++) {
          probe(cluster, sender.netns, own, pod, target, attempt, cell)
        }
        cells.push(cell)
      }
    }
  }
  return cells
}

function probe(
  cluster: Cluster, from: Cluster["nodes"][number]["netns"], own: Ip | null, pod: PodSandbox, target: Ip,
  seq: number, cell: ReachCell
): void {
  const socket = from.ping(family(target))
  const watcher = new SourceWatcher(target, own)
  // A packet to oneself goes over `lo`.
  const dev = pod.netns.links.byName(from === pod.netns ? "lo" : "eth0")!
  addTap(dev, watcher)
  socket.onReply = (_, reply: PingReply) => {
    if (reply.isError) cell.why = `ICMP ${reply.type}/${reply.code}`
    else cell.answered = true
  }
  const errno = socket.sendTo(target, seq, new Uint8Array(56))
  const untilNs = cluster.engine.nowNs + WAIT_NS
  while (errno === 0 && !cell.answered && cluster.engine.nowNs < untilNs) {
    const next = Math.min(cluster.engine.nextNs, untilNs)
    cluster.engine.advance(next, 4096)
  }
  socket.close()
  removeTap(dev, watcher)
  cell.sourceKept ||= watcher.kept
  if (cell.answered) cell.why = ""
}

/** Looks for an echo request to `to` on its way in. A node may use any address of its own. */
class SourceWatcher implements Tap {
  kept = false
  readonly #to: Ip
  readonly #from: Ip | null

  constructor(to: Ip, from: Ip | null) {
    this.#to = to
    this.#from = from
  }

  see(_dev: NetDevice, direction: Direction, frame: Frame): void {
    if (direction !== Direction.In) return
    const { bytes, head } = frame
    const l3 = head + ETHERNET_BYTES
    const v6 = get16(bytes, head + 12) === ethertype.IPV6
    if (!v6 && get16(bytes, head + 12) !== ethertype.IPV4) return
    const to = v6 ? read6(bytes, l3 + 24) : read4(bytes, l3 + 16)
    if (!equal(to, this.#to)) return
    const source = v6 ? read6(bytes, l3 + 8) : read4(bytes, l3 + 12)
    if (this.#from === null || equal(source, this.#from)) this.kept = true
  }
}
