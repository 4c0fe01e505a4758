/**
 * Small UDP datagrams from a pod to a pod on the other node, all neighbours known: pod, veth, bridge, node,
 * link, node, bridge, veth, pod. 64 flows take turns and 64 datagrams are under way at once, 60 octets of
 * Ethernet frame on IPv4, as in the kernel's figure that this one is set against.
 */
import { admit, type KubeObject } from "@podwire/api"
import { Cluster, makePlan, nodeNames, type Observer } from "@podwire/cluster"
import { assert, type Engine } from "@podwire/engine"
import { addTap, removeTap } from "@podwire/netdev"
import type { Netns, UdpSocket } from "@podwire/netns"
import { family, type Ip } from "@podwire/wire/ip"
import { SEED } from "./figure.ts"

export const FLOWS = 64
const PORT = 8080
const FIRST_SOURCE_PORT = 20_000
/** Makes an Ethernet frame of 60 octets on IPv4. */
const PAYLOAD_BYTES = 18

export class Flow {
  readonly cluster: Cluster
  readonly to: Ip
  readonly #sockets: ReadonlyArray<UdpSocket>
  readonly #payload: Uint8Array
  delivered = 0

  constructor(
    version: 4 | 6, observe?: (engine: Engine) => ReadonlyArray<Observer>, payloadBytes = PAYLOAD_BYTES
  ) {
    this.#payload = new Uint8Array(payloadBytes)
    this.cluster = new Cluster(makePlan({ seed: SEED, nodes: nodeNames(2) }), observe)
    this.cluster.store.create(podOn("client", "node1"))
    this.cluster.store.create(podOn("server", "node2"))
    assert(this.cluster.settle(), "the bench's cluster comes to rest")
    const client = this.cluster.pod("default", "client")!.netns
    const server = this.cluster.pod("default", "server")!
    this.to = server.ips.find((ip) => family(ip) === version)!
    const sink = server.netns.udp(version)
    assert(sink.bind(null, PORT) === 0, "the server's port is free")
    sink.onFrame = () => {
      this.delivered++
    }
    this.#sockets = Array.from({ length: FLOWS }, (_, i) => {
      const socket = client.udp(version)
      assert(socket.bind(null, FIRST_SOURCE_PORT + i) === 0, "the client's ports are free")
      return socket
    })
    this.send(FLOWS)
  }

  /** Send so many, a multiple of FLOWS, and let all of them arrive. */
  send(count: number): void {
    const { engine } = this.cluster
    const sockets = this.#sockets
    const payload = this.#payload
    const before = this.delivered
    for (let sent = 0; sent < count; sent += FLOWS) {
      for (let i = 0; i < FLOWS; i++) sockets[i]!.sendTo(this.to, PORT, payload)
      const expected = before + sent + FLOWS
      while (this.delivered < expected && engine.nextNs < Infinity) engine.advance(engine.nextNs, 65_536)
    }
    assert(this.delivered === before + count, "every datagram arrives")
  }

  /** How often one datagram leaves or enters a device. */
  crossings(): number {
    let seen = 0
    const tap = { see: () => void seen++ }
    const devices = this.#namespaces().flatMap((netns) => netns.links.list())
    for (const dev of devices) addTap(dev, tap)
    this.send(FLOWS)
    for (const dev of devices) removeTap(dev, tap)
    return seen / FLOWS
  }

  get checksum(): string {
    return String(this.cluster.engine.digest)
  }

  #namespaces(): ReadonlyArray<Netns> {
    return [...this.cluster.nodes.map(({ netns }) => netns), ...this.cluster.pods.map(({ netns }) => netns)]
  }
}

/** A pod that does nothing by itself. */
export function podOn(name: string, nodeName: string): KubeObject {
  return admitted({
    apiVersion: "v1", kind: "Pod", metadata: { name },
    spec: { nodeName, containers: [{ name: "pause", image: "pause" }] }
  })
}

/** As the API server would take it. */
export function admitted(manifest: unknown): KubeObject {
  const { object, problems } = admit(manifest)
  assert(
    object !== undefined && object !== null, `the bench's manifest is in order: ${JSON.stringify(problems)}`
  )
  return object
}
