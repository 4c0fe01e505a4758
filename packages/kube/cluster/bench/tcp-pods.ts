/**
 * Two pods on two nodes that speak TCP, for the benches: a sink that reads all it gets, a source that never
 * stops.
 */
import { Cluster, makePlan, nodeNames, type Observer } from "@podwire/cluster"
import { assert, type Engine } from "@podwire/engine"
import { Errno } from "@podwire/netdev"
import type { Netns } from "@podwire/netns"
import { Tcp, type TcpSocket } from "@podwire/tcp"
import { family, type Ip } from "@podwire/wire/ip"
import { SEED } from "./figure.ts"
import { podOn } from "./flow.ts"

export const PORT = 8080

export class TcpPods {
  readonly cluster: Cluster
  readonly client: Netns
  readonly server: Netns
  readonly to: Ip

  constructor(version: 4 | 6, observe?: (engine: Engine) => ReadonlyArray<Observer>) {
    this.cluster = new Cluster(makePlan({ seed: SEED, nodes: nodeNames(2) }), observe)
    this.cluster.store.create(podOn("client", "node1"))
    this.cluster.store.create(podOn("server", "node2"))
    assert(this.cluster.settle(), "the bench's cluster comes to rest")
    const server = this.cluster.pod("default", "server")!
    this.client = this.cluster.pod("default", "client")!.netns
    this.server = server.netns
    this.to = server.ips.find((ip) => family(ip) === version)!
  }

  get checksum(): string {
    return String(this.cluster.engine.digest)
  }

  /** Whoever connects is handed over. */
  listen(backlog: number, accepted: (socket: TcpSocket) => void): TcpSocket {
    const listener = Tcp.of(this.server).socket(6)
    assert(listener.bind(null, PORT) === 0 && listener.listen(backlog) === 0, "the server's port is free")
    listener.wake = () => {
      for (;;) {
        const socket = listener.accept()
        if (typeof socket === "number") return
        accepted(socket)
      }
    }
    return listener
  }

  connect(): TcpSocket {
    const socket = Tcp.of(this.client).socket(family(this.to))
    assert(socket.connect(this.to, PORT) === Errno.EINPROGRESS, "a connection begins")
    return socket
  }

  /** Time goes on until it is done. */
  until(done: () => boolean): void {
    const { engine } = this.cluster
    while (!done()) {
      assert(engine.nextNs < Infinity, "the bench goes on until it is done")
      engine.advance(engine.nextNs, 4096)
    }
  }
}
