/**
 * Stories of one connection each, for the near side and the kernel, that the near side's frames are told by.
 * They run at the same time: each has a port of its own, and what is lost is lost by that port.
 */
import { End, pair, type PairOptions, pause, say } from "./conversation.ts"
import type { Segment } from "./frame-ring.ts"
import type { Family, Peer } from "./peer.ts"

/** The sides of one story. */
export interface Stage {
  readonly near: Peer
  readonly kernel: Peer
  readonly family: Family
  /** The server's. */
  readonly port: number
  /** Of the segments that fit, those of these numbers, from 1, are lost. */
  lose(fits: Fits, ...numbers: ReadonlyArray<number>): void
}

/** The near end and the kernel's. */
type Play = (n: End, k: End) => Promise<void>
type Fits = (segment: Segment) => boolean
export type Story = (stage: Stage) => Promise<void>

const data = ({ out, payload }: Segment) => out && payload > 0
const theirData = ({ out, payload }: Segment) => !out && payload > 0
const bare = ({ out, flags }: Segment) => out && flags === "."
const theirBare = ({ out, flags }: Segment) => !out && flags === "."
const first = (flags: string) => (segment: Segment) => segment.out && segment.flags === flags
/** From 1 to `count`. */
const upTo = (count: number) => Array.from({ length: count }, (_, i) => i + 1)

/** The near side is the client (`n`), the kernel the server (`k`). */
const asClient = (play: Play, options: PairOptions = {}): Story => async (stage) => {
  const { c, s } = await pair(stage.near, stage.kernel, stage.family, { ...options, to: stage.port })
  await play(c, s)
}

const asServer = (play: Play, options: PairOptions = {}): Story => async (stage) => {
  const { c, s } = await pair(stage.kernel, stage.near, stage.family, { ...options, to: stage.port })
  await play(s, c)
}

/** What is lost is lost from the handshake on. */
const losing = (fits: Fits, numbers: ReadonlyArray<number>, story: Story): Story => (stage) => {
  stage.lose(fits, ...numbers)
  return story(stage)
}

async function closeBoth(first: End, second: End): Promise<void> {
  await first.close()
  await second.receive()
  // Long enough for the end to be acknowledged by itself.
  await pause(100)
  await second.close()
}

const echo = async (client: End, server: End) => {
  await client.send("question", 100)
  await server.receive(100)
  await server.send("answer", 100)
  await client.receive(100)
}

/** All of it, then the end from that side, then from the other. */
const sends = (octets: number) => async (from: End, to: End) => {
  await say(from, to, "said", octets)
  await to.close()
  await from.close()
}

/** All of it, a while, then the end from the side that heard. */
const sendsThenWaits = (octets: number) => async (from: End, to: End) => {
  await from.send("said", octets)
  await to.receive(octets)
  await pause(500)
  await closeBoth(to, from)
}

const hears = (octets: number) => (to: End, from: End) => sends(octets)(from, to)

/** Nobody listens. */
function refused(stage: Stage, client: "near" | "kernel"): Promise<void> {
  const { ips } = stage[client === "near" ? "kernel" : "near"]
  return stage[client].connect(stage.family, ips[stage.family], stage.port).then(() => {}, () => {})
}

export const STORIES: Readonly<Record<string, Story>> = {
  "echo, near closes": asClient(async (n, k) => {
    await echo(n, k)
    await closeBoth(n, k)
  }),
  "echo, near answers and closes": asServer(async (n, k) => {
    await echo(k, n)
    await closeBoth(n, k)
  }),
  "near is refused": (stage) => refused(stage, "near"),
  "near refuses": (stage) => refused(stage, "kernel"),
  "near resets": asClient(async (n, k) => {
    await n.reset()
    await k.receive()
    await k.close()
  }),
  "near closes with data unread": asClient(async (n, k) => {
    await k.send("unread", 500)
    await pause(100)
    await n.close()
    await k.receive()
    await k.close()
  }),
  "near has closed when data comes": asClient(async (n, k) => {
    await n.close()
    await pause(100)
    await k.send("late", 500)
    await pause(150)
    await k.close()
  }),
  "near closes half": asClient(async (n, k) => {
    await say(n, k, "forth", 1000)
    await say(k, n, "back", 5000)
    await n.close()
    await k.close()
  }),
  "both close": asClient(async (n, k) => {
    await Promise.all([n.close(), k.close()])
    await pause(150)
  }),
  "both open": async ({ near, kernel, family, port }) => {
    const other = port + 20_000
    const [x, y] = await Promise.all([
      near.connect(family, kernel.ips[family], port, {}, other),
      kernel.connect(family, near.ips[family], other, {}, port)
    ])
    await pause(100)
    await closeBoth(new End(near, x.sock, other), new End(kernel, y.sock, port))
  },
  "20 segments": asClient(sends(28_000)),
  "20 segments from a server": asServer(sends(28_000)),
  "20 segments heard": asClient(hears(28_000)),
  "20 segments heard by a server": asServer(hears(28_000)),
  "small writes": asClient(async (n, k) => {
    for (let i = 0; i < 5; i++) await n.send("small", 10)
    await k.receive(50)
    await closeBoth(n, k)
  }),
  "small writes without delay": asClient(async (n, k) => {
    for (let i = 0; i < 5; i++) await n.send("small", 10)
    await k.receive(50)
    await closeBoth(n, k)
  }, { client: { nodelay: 1 } }),
  "a small segment size of ours": asClient(sends(6000), { client: { maxseg: 600 } }),
  "a small segment size of theirs": asClient(sends(6000), { server: { maxseg: 600 } }),
  "keep-alive": asClient(async (n, k) => {
    await pause(1200)
    await closeBoth(n, k)
  }, { client: { keepalive: 1, keepidle: 1, keepintvl: 1, keepcnt: 2 } }),
  "their keep-alive": asServer(async (n, k) => {
    await pause(1200)
    await closeBoth(n, k)
  }, { client: { keepalive: 1, keepidle: 1, keepintvl: 1, keepcnt: 2 } }),
  "SYN lost": losing(first("S"), [1], asClient(closeBoth)),
  "SYN lost twice": losing(first("S"), [1, 2], asClient(closeBoth)),
  "SYN-ACK lost": losing(first("S."), [1], asServer(async (n, k) => {
    await pause(1300)
    await closeBoth(k, n)
  })),
  "ACK of the handshake lost, data follows": losing(bare, [1], asClient(sendsThenWaits(10))),
  "their ACK of the handshake lost": losing(theirBare, [1], async ({ near, kernel, family, port }) => {
    const listener = await near.listen(family, 8, {}, port)
    const { sock } = await kernel.connect(family, near.ips[family], port)
    const accepted = await near.accept(listener.sock)
    await near.close(listener.sock)
    await closeBoth(new End(kernel, sock, 0), new End(near, accepted.sock, port))
  }),
  "third of 20 lost": losing(data, [3], asClient(sends(28_000))),
  "three of 20 lost": losing(data, [3, 5, 7], asClient(sends(28_000))),
  "last of 10 lost": losing(data, [10], asClient(sendsThenWaits(14_000))),
  "last two of 10 lost": losing(data, [9, 10], asClient(sendsThenWaits(14_000))),
  "the only one lost": losing(data, [1], asClient(sendsThenWaits(100))),
  "the only one lost twice": losing(data, [1, 2], asClient(sendsThenWaits(100))),
  "the only one lost three times": losing(data, [1, 2, 3], asClient(sendsThenWaits(100))),
  "all ten lost": losing(data, upTo(10), asClient(sendsThenWaits(14_000))),
  "what was sent again is lost too": losing(data, [3, 12], asClient(sends(28_000))),
  "FIN lost": losing(first("F."), [1], asClient(closeBoth)),
  "last ACK lost": losing(bare, [2], asClient(async (n, k) => {
    await closeBoth(n, k)
    await pause(500)
  })),
  "third of their 20 lost": losing(theirData, [3], asClient(hears(28_000))),
  "three of their 20 lost": losing(theirData, [3, 5, 7], asClient(hears(28_000))),
  "last of their 10 lost": losing(theirData, [10], asClient((n, k) => sendsThenWaits(14_000)(k, n))),
  "our ACKs lost": losing(bare, upTo(11).slice(1), asClient((n, k) => sendsThenWaits(14_000)(k, n))),
  "their ACKs lost": losing(theirBare, upTo(10), asClient(sendsThenWaits(14_000)))
}

/**
 * Too long to be told frame by frame: how long they take, and what is sent again, says how the window grows.
 */
export const LONG: Readonly<Record<string, Story>> = {
  "half a MiB": asClient(sends(1 << 19)),
  "half a MiB, the 40th lost": losing(data, [40], asClient(sends(1 << 19))),
  "half a MiB, every 90th lost": losing(data, upTo(10).map((i) => i * 90), asClient(sends(1 << 19))),
  "half a MiB heard, the 40th lost": losing(theirData, [40], asClient(hears(1 << 19))),
  "half a MiB, an early window lost": losing(data, upTo(20).map((i) => i + 40), asClient(sends(1 << 19)))
}

/** With a kernel that lacks something. */
export const POORER: Readonly<Record<string, Story>> = {
  "20 segments, third lost": losing(data, [3], asClient(sends(28_000))),
  "20 segments from a server": asServer(sends(28_000)),
  "20 segments heard, third lost": losing(theirData, [3], asClient(hears(28_000)))
}
