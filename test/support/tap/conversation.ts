/** A connection between the two sides, and what a case does with it. */
import type { Family, Options, Peer, Received } from "./peer.ts"
import { whole } from "./peer.ts"

export class End {
  readonly peer: Peer
  readonly sock: number
  readonly port: number

  constructor(peer: Peer, sock: number, port: number) {
    this.peer = peer
    this.sock = sock
    this.port = port
  }

  send(seed: string, octets: number): Promise<void> {
    return this.peer.send(this.sock, seed, octets)
  }

  receive(octets?: number): Promise<Received> {
    return this.peer.receive(this.sock, octets)
  }

  shutdown(how: "read" | "write" | "both" = "write"): Promise<void> {
    return this.peer.shutdown(this.sock, how)
  }

  close(): Promise<void> {
    return this.peer.close(this.sock)
  }

  /** SO_LINGER 0, then close. */
  async reset(): Promise<void> {
    await this.peer.linger(this.sock, 0)
    await this.peer.close(this.sock)
  }
}

export interface PairOptions {
  readonly client?: Options
  readonly server?: Options
  readonly backlog?: number
  /** Ports, when they matter. */
  readonly from?: number
  readonly to?: number
}

/** Connected, the listener gone. */
export async function pair(
  client: Peer, server: Peer, family: Family, options: PairOptions = {}
): Promise<{ readonly c: End; readonly s: End }> {
  const listener = await server.listen(family, options.backlog ?? 16, options.server, options.to)
  const [connected, accepted] = await Promise.all([
    client.connect(family, server.ips[family], listener.port, options.client, options.from),
    server.accept(listener.sock)
  ])
  await server.close(listener.sock)
  return {
    c: new End(client, connected.sock, connected.port), s: new End(server, accepted.sock, listener.port)
  }
}

/** One end says so many octets and no more; what the other heard. */
export async function say(from: End, to: End, seed: string, octets: number): Promise<Received> {
  const [heard] = await Promise.all([to.receive(), from.send(seed, octets).then(() => from.shutdown())])
  return heard
}

/** Both at once. */
export function bothSay(a: End, b: End, octets: number): Promise<ReadonlyArray<Received>> {
  return Promise.all([say(a, b, "forth", octets), say(b, a, "back", octets)])
}

export function bothWhole(octets: number): ReadonlyArray<Received> {
  return [whole("forth", octets), whole("back", octets)]
}

/** `ask` until it gives that, or what it gave last. */
export async function eventually<T>(
  ask: () => Promise<T>, wanted: (value: T) => boolean, ms = 2000
): Promise<T> {
  const until = performance.now() + ms
  for (;;) {
    const value = await ask()
    if (wanted(value) || performance.now() > until) return value
    await pause(10)
  }
}

/** Wall time: the kernel's is no other. */
export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
