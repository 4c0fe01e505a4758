/**
 * Segments that no decent peer sends, or not then: what the near side answers to each is compared. A probe
 * ends with whatever state it left; nobody is behind the address that it came from.
 */
import { pause } from "./conversation.ts"
import type { Crafter } from "./crafter.ts"

export type Probe = (x: Crafter) => Promise<void>

const listening = (play: Probe): Probe => async (x) => {
  await x.near.listen(x.family, 8, {}, x.port)
  await play(x)
  await pause(100)
}

/** Connected; the near side's program does nothing unless told. */
const connected = (play: (x: Crafter, sock: number) => Promise<void>, window = 512): Probe => async (x) => {
  await play(x, await x.established(undefined, window))
  await pause(100)
}

/** The near side connects to us. */
const called = (play: Probe): Probe => async (x) => {
  const attempt = x.near.connect(x.family, x.ip, x.otherPort, {}, x.port).then(() => {}, () => {})
  await pause(60)
  await play(x)
  await pause(100)
  void attempt
}

/** What the near side's program does has come to us before we go on. */
async function does(call: Promise<void>): Promise<void> {
  await call
  await pause(40)
}

/** Type and code. */
const ERRORS: Readonly<Record<string, Readonly<Record<4 | 6, readonly [number, number]>>>> = {
  "no way": { 4: [3, 0], 6: [1, 0] }, "host unreachable": { 4: [3, 1], 6: [1, 3] },
  "port unreachable": { 4: [3, 3], 6: [1, 4] }, "prohibited": { 4: [3, 13], 6: [1, 1] },
  "too many hops": { 4: [11, 0], 6: [3, 0] }, "a wrong header": { 4: [12, 0], 6: [4, 0] },
  "an unknown code": { 4: [3, 15], 6: [1, 6] }
}

const tooBig = ({ family }: Crafter, mtu: number): [number, number, number] =>
  family === 4 ? [3, 4, mtu] : [2, 0, mtu]

const TIMESTAMP_ONLY: ReadonlyArray<number> = [1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 0]
const NO_OPTIONS: ReadonlyArray<number> = []
const SACK_ONLY: ReadonlyArray<number> = [2, 4, 5, 180, 1, 1, 4, 2]

export const PROBES: Readonly<Record<string, Probe>> = {
  // To nobody
  "closed: SYN": (x) => x.syn(),
  "closed: SYN with data": (x) => x.syn({ data: 10 }),
  "closed: ACK": (x) => x.send("A", { ack: 5 }),
  "closed: FIN": (x) => x.send("F"),
  "closed: FIN and ACK": (x) => x.send("FA", { ack: 5 }),
  "closed: nothing": (x) => x.send(""),
  "closed: RST": (x) => x.send("R"),
  "closed: RST and ACK": (x) => x.send("RA", { ack: 5 }),
  "closed: SYN and ACK": (x) => x.send("SA", { ack: 5 }),
  "closed: everything": (x) => x.send("SFRPAU", { ack: 5 }),
  // To a listener
  "listen: ACK": listening((x) => x.send("A", { ack: 5 })),
  "listen: FIN": listening((x) => x.send("F")),
  "listen: nothing": listening((x) => x.send("")),
  "listen: RST": listening((x) => x.send("R")),
  "listen: SYN and ACK": listening((x) => x.send("SA", { ack: 5 })),
  "listen: SYN and FIN": listening((x) => x.syn({}, "SF")),
  "listen: SYN and RST": listening((x) => x.syn({}, "SR")),
  "listen: SYN and URG": listening((x) => x.syn({ urgent: 1 }, "SU")),
  "listen: SYN with data": listening((x) => x.syn({ data: 10 })),
  "listen: SYN that asks for ECN": listening((x) => x.syn({}, "SEC")),
  "listen: SYN, wrong checksum": listening((x) => x.syn({ badChecksum: true })),
  "listen: SYN, header too short": listening((x) => x.syn({ header: 16 })),
  "listen: SYN, header too long": listening((x) => x.syn({ header: 60 })),
  "listen: SYN without options": listening((x) => x.syn({ options: NO_OPTIONS })),
  "listen: SYN, option of length 0": listening((x) => x.syn({ options: [2, 4, 5, 180, 3, 0, 3, 0] })),
  "listen: SYN, option over the end": listening((x) => x.syn({ options: [2, 4, 5, 180, 8, 10, 0, 0] })),
  "listen: SYN, unknown options": listening((x) => x.syn({ options: [253, 6, 1, 2, 3, 4, 2, 4, 5, 180] })),
  "listen: SYN, MSS 0": listening((x) => x.syn({ options: [2, 4, 0, 0] })),
  "listen: SYN, MSS 20": listening((x) => x.syn({ options: [2, 4, 0, 20] })),
  "listen: SYN, MSS 65535": listening((x) => x.syn({ options: [2, 4, 255, 255] })),
  "listen: SYN, window scale 15": listening((x) => x.syn({ options: [2, 4, 5, 180, 1, 3, 3, 15] })),
  "listen: SYN, window 0": listening((x) => x.syn({ window: 0 })),
  "listen: SYN, timestamps alone": listening((x) => x.syn({ options: TIMESTAMP_ONLY })),
  // Half open
  "half open: the SYN again": listening(async (x) => {
    await x.syn()
    await x.syn()
  }),
  "half open: another SYN": listening(async (x) => {
    await x.syn()
    await x.syn({ seq: 999 })
  }),
  "half open: a wrong ACK": listening(async (x) => {
    await x.syn()
    await x.send("A", { ack: 100 })
  }),
  "half open: an old ACK": listening(async (x) => {
    await x.syn()
    await x.send("A", { ack: -100 })
  }),
  "half open: RST": listening(async (x) => {
    await x.syn()
    await x.send("R", { seq: 0 })
    await x.send("A", { seq: 0 })
  }),
  "half open: RST out of window": listening(async (x) => {
    await x.syn()
    await x.send("R", { seq: 1_000_000 })
    await x.send("A", { seq: 0 })
  }),
  "half open: an ACK with an old timestamp": listening(async (x) => {
    await x.syn()
    await x.send("A", { ts: -1000 })
  }),
  "half open: an ACK with a wrong echo": listening(async (x) => {
    await x.syn()
    await x.send("A", { echo: 5000 })
  }),
  "half open: an ACK without timestamps": listening(async (x) => {
    await x.syn()
    await x.send("A", { ts: null })
  }),
  "half open: data with the ACK": listening(async (x) => {
    await x.syn()
    await x.send("PA", { data: 100 })
  }),
  "half open: FIN with the ACK": listening(async (x) => {
    await x.syn()
    await x.send("FA")
  }),
  "half open: data out of order": listening(async (x) => {
    await x.syn()
    await x.send("PA", { seq: 100, data: 100 })
  }),
  // Connected
  "connected: SYN": connected((x) => x.send("S", { seq: 0 })),
  "connected: SYN out of window": connected((x) => x.send("S", { seq: 10_000_000 })),
  "connected: the SYN again": connected((x) => x.syn()),
  "connected: SYN and ACK": connected((x) => x.send("SA", { seq: -1 })),
  "connected: RST": connected((x) => x.send("R")),
  "connected: RST in the window": connected((x) => x.send("R", { seq: 100 })),
  "connected: RST out of window": connected((x) => x.send("R", { seq: -1000 })),
  "connected: RST after a hole, at its right edge": connected(async (x) => {
    await x.send("PA", { seq: 100, data: 100 })
    await x.send("R", { seq: 200 })
  }),
  "connected: ACK of what was not sent": connected((x) => x.send("A", { ack: 5000 })),
  "connected: ACK from long ago": connected((x) => x.send("A", { ack: -5_000_000 })),
  "connected: data, ACK of what was not sent": connected((x) => x.send("PA", { data: 100, ack: 5000 })),
  "connected: data twice": connected(async (x) => {
    await x.send("PA", { seq: 0, data: 100 })
    await x.send("PA", { seq: 0, data: 100 })
  }),
  "connected: data that overlaps": connected(async (x) => {
    await x.send("PA", { seq: 0, data: 100 })
    await x.send("PA", { seq: 50, data: 100 })
  }),
  "connected: data beyond the window": connected((x) => x.send("PA", { seq: 10_000_000, data: 100 })),
  "connected: data over the edge": connected((x) => x.send("PA", { seq: 64_000, data: 1400 })),
  "connected: a hole": connected(async (x) => {
    await x.send("PA", { seq: 100, data: 100 })
    await x.send("PA", { seq: 0, data: 100 })
  }),
  "connected: four holes": connected(async (x) => {
    for (const seq of [100, 300, 500, 700]) await x.send("PA", { seq, data: 100 })
    for (const seq of [400, 0, 200, 600]) await x.send("PA", { seq, data: 100 })
  }),
  "connected: beyond a hole, twice": connected(async (x) => {
    await x.send("PA", { seq: 100, data: 100 })
    await x.send("PA", { seq: 100, data: 100 })
    await x.send("PA", { seq: 150, data: 100 })
  }),
  "connected: an old timestamp": connected((x) => x.send("PA", { data: 100, ts: -1000 })),
  "connected: an old timestamp on a RST": connected((x) => x.send("R", { ts: -1000 })),
  "connected: an old timestamp on an ACK": connected((x) => x.send("A", { ts: -1000 })),
  "connected: no timestamp": connected((x) => x.send("PA", { data: 100, ts: null })),
  "connected: without ACK": connected((x) => x.send("P", { data: 100 })),
  "connected: no flags": connected((x) => x.send("", { data: 100 })),
  "connected: urgent": connected((x) => x.send("PAU", { data: 100, urgent: 50 })),
  "connected: wrong checksum": connected((x) => x.send("PA", { data: 100, badChecksum: true })),
  "connected: header too long": connected((x) => x.send("PA", { header: 60 })),
  "connected: keep-alive": connected(async (x) => {
    await x.send("PA", { data: 100 })
    await x.send("A", { seq: 99 })
  }),
  "connected: keep-alive with an octet": connected(async (x) => {
    await x.send("PA", { data: 100 })
    await x.send("A", { seq: 99, data: 1 })
  }),
  "connected: FIN beyond a hole": connected(async (x) => {
    await x.send("FA", { seq: 100 })
    await x.send("PA", { seq: 0, data: 100 })
  }),
  "connected: FIN with data, twice": connected(async (x) => {
    await x.send("FA", { seq: 0, data: 100 })
    await x.send("FA", { seq: 0, data: 100 })
  }),
  "connected: data after FIN": connected(async (x) => {
    await x.send("FA", { seq: 0 })
    await x.send("PA", { seq: 1, data: 100 })
  }),
  "connected: SYN after FIN": connected(async (x) => {
    await x.send("FA", { seq: 0 })
    await x.send("S", { seq: 5 })
  }),
  // The near side speaks
  "speaks: three duplicates without SACK": connected(async (x, sock) => {
    await does(x.near.send(sock, "data", 7000))
    for (let i = 0; i < 4; i++) await x.send("A", { ack: 0 })
  }),
  "speaks: SACK of the last": connected(async (x, sock) => {
    await does(x.near.send(sock, "data", 7000))
    await x.send("A", { ack: 0, sack: [[5712, 7000]] })
  }),
  "speaks: SACK of what was not sent": connected(async (x, sock) => {
    await does(x.near.send(sock, "data", 7000))
    await x.send("A", { ack: 0, sack: [[50_000, 60_000]] })
  }),
  "speaks: SACK that is given up": connected(async (x, sock) => {
    await does(x.near.send(sock, "data", 7000))
    await x.send("A", { ack: 0, sack: [[1400, 7000]] })
    await x.send("A", { ack: 1400 })
  }),
  "speaks: part is acknowledged": connected(async (x, sock) => {
    await does(x.near.send(sock, "data", 7000))
    await x.send("A", { ack: 700 })
    await x.send("A", { ack: 7000 })
  }),
  "speaks: into a small window": connected(async (x, sock) => {
    await does(x.near.send(sock, "data", 7000))
    await x.send("A", { window: 4 })
    await x.send("A", { window: 8 })
  }, 10),
  "speaks: into no window": connected(async (x, sock) => {
    await does(x.near.send(sock, "data", 7000))
    await pause(900)
    await x.send("A", { window: 100 })
  }, 0),
  "speaks: the window shrinks": connected(async (x, sock) => {
    await does(x.near.send(sock, "data", 1000))
    await x.send("A", { ack: 0, window: 2 })
    await does(x.near.send(sock, "more", 3000))
    await pause(300)
  }),
  // The near side has closed
  "closes: data comes": connected(async (x, sock) => {
    await does(x.near.close(sock))
    await x.send("PA", { data: 100 })
  }),
  "closes: FIN, then much that is late": connected(async (x, sock) => {
    await does(x.near.close(sock))
    await pause(60)
    await x.send("FA", { seq: 0 })
    await x.send("A", { seq: 1 })
    await x.send("PA", { seq: 1, data: 10 })
    await pause(600)
    await x.send("FA", { seq: 0 })
  }),
  "closes: FIN first, then the ACK": connected(async (x, sock) => {
    await does(x.near.close(sock))
    await x.send("FA", { seq: 0, ack: 0 })
    await x.send("A", { seq: 1 })
  }),
  "closes: RST in TIME_WAIT": connected(async (x, sock) => {
    await does(x.near.close(sock))
    await x.send("FA", { seq: 0 })
    await x.send("R", { seq: 1 })
    await x.send("PA", { seq: 1, data: 10 })
  }),
  "closes: SYN in TIME_WAIT": connected(async (x, sock) => {
    await does(x.near.close(sock))
    await x.send("FA", { seq: 0 })
    await x.send("S", { seq: -1000 })
    await pause(600)
    await x.syn({ seq: 1000 })
  }),
  "closes: an old timestamp in TIME_WAIT": connected(async (x, sock) => {
    await does(x.near.close(sock))
    await x.send("FA", { seq: 0 })
    await x.send("A", { seq: 1, ts: -1000 })
  }),
  "closes second: a wrong ACK": connected(async (x, sock) => {
    await x.send("FA", { seq: 0 })
    await does(x.near.close(sock))
    await x.send("A", { ack: 0 })
    await x.send("A", { ack: 5000 })
    await x.send("A", { ack: 1 })
    await x.send("A", { ack: 1 })
  }),
  // The near side calls
  "calls: a wrong ACK": called((x) => x.send("A", { ack: 50 })),
  "calls: SYN-ACK of another SYN": called((x) => x.syn({ ack: 50 }, "SA")),
  "calls: SYN-ACK of an older SYN": called((x) => x.syn({ ack: -50 }, "SA")),
  "calls: SYN-ACK": called((x) => x.syn({}, "SA")),
  "calls: SYN-ACK twice": called(async (x) => {
    await x.syn({}, "SA")
    await x.syn({}, "SA")
  }),
  "calls: SYN-ACK without options": called((x) => x.syn({ options: NO_OPTIONS }, "SA")),
  "calls: SYN-ACK with SACK alone": called((x) => x.syn({ options: SACK_ONLY }, "SA")),
  "calls: SYN-ACK with data": called((x) => x.syn({ data: 20 }, "SA")),
  "calls: SYN-ACK with FIN": called((x) => x.syn({}, "SAF")),
  "calls: SYN-ACK, window 0": called((x) => x.syn({ window: 0 }, "SA")),
  "calls: RST without ACK": called((x) => x.send("R")),
  "calls: RST": called((x) => x.send("RA", { seq: 0 })),
  "calls: RST of another SYN": called((x) => x.send("RA", { seq: 0, ack: 50 })),
  "calls: FIN": called((x) => x.send("FA")),
  "calls: nothing": called((x) => x.send("")),
  ...Object.fromEntries(Object.entries(ERRORS).flatMap(([name, numbers]) => [
    [`calls: ${name}`, called(async (x) => {
      await x.icmp(...numbers[x.family])
      await pause(1100)
      await x.syn({}, "SA")
    })],
    [`speaks: ${name}`, connected(async (x, sock) => {
      await does(x.near.send(sock, "data", 3000))
      await x.icmp(...numbers[x.family])
      await pause(700)
      await x.send("A")
    })],
    [`half open: ${name}`, listening(async (x) => {
      await x.syn()
      await x.icmp(...numbers[x.family])
      await x.send("A", { seq: 0 })
    })]
  ])),
  "speaks: a narrow way": connected(async (x, sock) => {
    await does(x.near.send(sock, "data", 7000))
    await x.icmp(...tooBig(x, 1300), "data")
    await x.send("A")
    await does(x.near.send(sock, "more", 3000))
    await x.send("A")
  }),
  "speaks: a very narrow way": connected(async (x, sock) => {
    await does(x.near.send(sock, "data", 7000))
    await x.icmp(...tooBig(x, 300), "data")
    await x.send("A")
    await does(x.near.send(sock, "more", 3000))
  }),
  "speaks: a way as wide as before": connected(async (x, sock) => {
    await does(x.near.send(sock, "data", 7000))
    await x.icmp(...tooBig(x, 1500), "data")
  }),
  "speaks: a narrow way for what was not sent": connected(async (x, sock) => {
    await does(x.near.send(sock, "data", 7000))
    await x.icmp(...tooBig(x, 1300), "data", 1_000_000)
    await x.send("A")
    await does(x.near.send(sock, "more", 3000))
  }),
  "calls: an error about another SYN": called(async (x) => {
    await x.icmp(...ERRORS["port unreachable"]![x.family], 0, "last", 5000)
    await pause(1100)
    await x.syn({}, "SA")
  }),
  "calls: SYN": called(async (x) => {
    await x.syn()
    await x.send("A", { seq: 0 })
  }),
  "calls: SYN, then SYN-ACK": called(async (x) => {
    await x.syn()
    await x.syn({}, "SA")
  })
}
