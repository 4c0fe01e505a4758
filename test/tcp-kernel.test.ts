/**
 * An emulated pod talks TCP with the kernel's own stack, over a TAP device in a network namespace that is
 * made for it: what arrives is compared, and what the kernel thinks of it (its counters, `ss`), and on clean
 * paths tshark's opinion of what the pod's card saw. Cases are played with the parts given both ways.
 *
 * Needs root on Linux, ip, ss, python3 and /dev/net/tun; says so and does nothing where these are missing.
 * With PODWIRE_NEAR=kernel the pod's part is played by the kernel too: whatever fails then asks for what
 * Linux does not do.
 */
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, onTestFailed } from "vitest"
import { expertFindings, tsharkVersion } from "./support/expert-findings.ts"
import { bothSay, bothWhole, End, eventually, pair, pause, say } from "./support/tap/conversation.ts"
import type { KernelPeer } from "./support/tap/kernel-peer.ts"
import { missing } from "./support/tap/kernel-wire.ts"
import { type Family, type Peer, whole } from "./support/tap/peer.ts"
import { synFlood } from "./support/tap/syn-flood.ts"
import { trouble } from "./support/tap/trouble.ts"
import { TAP, World } from "./support/tap/world.ts"

const near = process.env["PODWIRE_NEAR"] === "kernel" ? "kernel" : "pod"
const why = missing()
if (why !== null) console.log(`skipped: no real TCP to talk with, ${why}`)
else if (tsharkVersion === null) console.log("the capture is not looked at: tshark is not on the PATH")

const MIB = 1 << 20
const ATTEMPTS = 3
/**
 * Queues and round trips of virtual time, beside which a busy machine's do not count: a tail loss probe waits
 * for two.
 */
const FAR_AWAY = { delayNs: 25e6, rateBps: 150e6, queuePackets: 16_384 }

// Real time on a shared machine: what fails twice is a fault.
describe.skipIf(why !== null)(`${near} and kernel`, { retry: 1 }, () => {
  const folder = mkdtempSync(join(tmpdir(), "podwire-tcp-kernel-"))
  const capture = join(folder, "eth0.pcapng")
  let kept = false
  let world: World
  let kernel: KernelPeer
  beforeAll(async () => {
    world = await World.make(capture, near)
    kernel = world.kernel
    for (const seed of ["bulk", "forth", "back"]) for (const size of [6, 8]) whole(seed, size * MIB)
  })
  afterAll(async () => {
    await world?.end()
    if (!kept) rmSync(folder, { recursive: true })
  })
  beforeEach(() => {
    world.ring.clear()
    onTestFailed(() => console.log(world.ring.text()))
  })
  afterEach(async () => {
    world.span.impair({})
    if (!await settled()) await world.resetAll()
  })

  /** No connection is left but in TIME_WAIT, and nothing is on its way. */
  async function settled(): Promise<boolean> {
    // Requests of a flood outlive their listener until their timer finds out.
    const passing = ["listening", "time-wait", "syn-recv"].flatMap((state) => ["exclude", state])
    const left = () => Promise.all(world.kernels.map((side) => side.ss("-tan", ...passing)))
    const rows = await eventually(left, (found) => found.join("") === "" && world.span.still)
    return rows.join("") === ""
  }

  /**
   * The kernel has nothing to complain about, unless by these counters, and the frames are kept for tshark. A
   * process that is not given time looks to the kernel like a lost segment, so what fails is played again: a
   * fault shows every time.
   */
  async function clean(
    story: () => Promise<void>, allowed: ReadonlyArray<string> = [], keep = true
  ): Promise<void> {
    for (let attempt = 1;; attempt++) {
      await settled()
      const before = await world.counters()
      world.recorder.begin()
      let found = "the story has another end"
      try {
        await story()
        await settled()
        found = trouble(before, await world.counters(), allowed)
      } finally {
        world.recorder.end(keep && found === "")
      }
      if (found === "" || attempt === ATTEMPTS) return expect(found).toBe("")
      // Beside a longer round trip the same stall is none.
      world.span.slower()
      console.log(`again, since: ${found.trimEnd().replaceAll("\n", ", ")}`)
    }
  }

  /** Client and server. */
  const parts = () => [[world.near, kernel], [kernel, world.near]] as const
  const casting = [0, 1].flatMap((i) => ([4, 6] as const).map((family) => {
    const [c, s] = i === 0 ? [near, "kernel"] : ["kernel", near]
    const cast = (): readonly [Peer, Peer] => parts()[i as 0 | 1]
    return { name: `${c} to ${s}, IPv${family}`, family, cast }
  }))
  const families = ([4, 6] as const).map((family) => ({ name: `IPv${family}`, family }))

  /** What the kernel shows of connections with that port of its own or of the other side. */
  async function states(port: number): Promise<ReadonlyArray<string>> {
    const text = await kernel.ss("-tan", `( sport = :${port} or dport = :${port} )`)
    return text.split("\n").filter((row) => row !== "").map((row) => row.split(/\s+/)[0]!)
  }

  describe.each(families)("$name", ({ family }) => {
    it("they find each other and answer pings", async () => {
      await clean(async () => {
        expect(await kernel.ping(world.near.ips[family], 5)).toContain("5 packets transmitted, 5 received")
        if (world.pod !== null) expect(await world.pod.ping(family, kernel.ips[family], 3, 1400)).toBe(3)
      })
    })

    it("UDP comes back whole, fragments and all", async () => {
      if (world.pod === null) return
      const port = await kernel.udpEcho(family)
      expect(await world.pod.datagram(family, kernel.ips[family], port, 5000)).toBe(5000)
    })
  })

  describe.each(casting)("$name", ({ family, cast }) => {
    it("a closed port refuses", async () => {
      const [client, server] = cast()
      await clean(async () => {
        await expect(client.connect(family, server.ips[family], 9)).rejects.toThrow("connect: ECONNREFUSED")
      }, ["AttemptFails", "OutRsts"])
    })

    it("ten frames carry an echo and its end, whoever ends it", async () => {
      const [client, server] = cast()
      for (const first of ["client", "server"] as const) {
        await clean(async () => {
          world.ring.clear()
          const { c, s } = await pair(client, server, family)
          await c.send("question", 100)
          expect(await s.receive(100)).toEqual(whole("question", 100, "octets"))
          await s.send("answer", 100)
          expect(await c.receive(100)).toEqual(whole("answer", 100, "octets"))
          const [a, b] = first === "client" ? [c, s] : [s, c]
          // What was heard last is acknowledged by itself.
          await pause(5)
          await a.close()
          expect((await b.receive()).end).toBe("eof")
          await b.close()
          // Who closes first keeps the connection for a while.
          const wanted = a.peer === kernel ? ["TIME-WAIT"] : []
          expect(await eventually(() => states(c.port), (rows) => `${rows}` === `${wanted}`)).toEqual(wanted)
          // The end has an acknowledgement of its own where the other's program is not quick.
          expect(world.ring.flags(c.port)).toMatch(/^S S\. \. P\. \. P\. (\. )?F\. (\. )?F\. \.$/)
        })
      }
    })

    it("half a connection is closed, the other half goes on", async () => {
      const [client, server] = cast()
      world.span.impair({ ...FAR_AWAY, delayNs: 10e6 })
      await clean(async () => {
        const { c, s } = await pair(client, server, family)
        expect(await say(c, s, "forth", 1000)).toEqual(whole("forth", 1000))
        expect(await say(s, c, "back", 300_000)).toEqual(whole("back", 300_000))
        await Promise.all([c.close(), s.close()])
      })
    })

    it("a reset is heard as one", async () => {
      const [client, server] = cast()
      await clean(async () => {
        const { c, s } = await pair(client, server, family)
        const heard = s.receive()
        await c.reset()
        expect((await heard).end).toBe("ECONNRESET")
        await s.close()
        expect(await states(c.port)).toEqual([])
      }, ["EstabResets", "OutRsts", "TCPAbortOnData"])
    })

    it("who closes with data unread resets", async () => {
      const [client, server] = cast()
      await clean(async () => {
        const { c, s } = await pair(client, server, family)
        await c.send("unread", 100)
        await s.receive(10)
        const heard = c.receive()
        await s.close()
        expect((await heard).end).toBe("ECONNRESET")
        await c.close()
      }, ["EstabResets", "OutRsts", "TCPAbortOnClose", "TCPAbortOnData"])
    })

    it("TIME_WAIT gives way to a new connection of the same ports", async () => {
      const [client, server] = cast()
      await clean(async () => {
        const options = { client: { reuseaddr: 1 }, server: { reuseaddr: 1 } } as const
        const { c, s } = await pair(client, server, family, options)
        await s.close()
        expect((await c.receive()).end).toBe("eof")
        await c.close()
        await pause(30)
        const again = await pair(client, server, family, { ...options, from: c.port, to: s.port })
        expect(await say(again.c, again.s, "again", 1000)).toEqual(whole("again", 1000))
        await Promise.all([again.c.close(), again.s.close()])
      })
    })
  })

  describe("what takes a while, in all castings at once", () => {
    const all = (story: (family: Family, client: Peer, server: Peer) => Promise<void>) =>
      Promise.all(casting.map(({ family, cast }) => story(family, ...cast()))).then(() => {})

    it("a zero window stops, a new one lets go on", () => all(async (family, client, server) => {
      const { c, s } = await pair(client, server, family)
      const sent = c.send("much", 2 * MIB).then(() => c.shutdown())
      sent.catch(() => {})
      // It asks, and hears that there is no room.
      const { ring } = world
      const asked = await eventually(
        async () => Math.min(ring.probes(c.port), ring.closedWindows(c.port)), (count) => count >= 2
      )
      expect(asked).toBeGreaterThanOrEqual(2)
      const timer = client === kernel ? await kernel.ss("-tino", `sport = :${c.port}`) : "timer:(persist"
      expect(timer).toContain("timer:(persist")
      expect(await s.receive()).toEqual(whole("much", 2 * MIB))
      await sent
      await Promise.all([c.close(), s.close()])
    }))

    it("keep-alive probes are sent and answered", () => clean(() => all(async (family, client, server) => {
      const keep = { keepalive: 1, keepidle: 1, keepintvl: 1, keepcnt: 2 } as const
      const { c, s } = await pair(client, server, family, { client: keep })
      const before = world.ring.count
      await pause(1150)
      expect(world.ring.flags(c.port, before)).toBe(". .")
      expect(await say(c, s, "alive", 10)).toEqual(whole("alive", 10))
      await Promise.all([c.close(), s.close()])
    })))

    it("a full accept queue has one too many", () => all(async (family, client, server) => {
      const listener = await server.listen(family, 1)
      const connect = () => client.connect(family, server.ips[family], listener.port)
      const both = await Promise.all([connect(), connect()])
      await pause(20)
      const before = world.ring.count
      const third = connect()
      third.catch(() => {})
      await pause(50)
      expect(world.ring.flags(listener.port, before)).toBe("S")
      const accepted = await server.accept(listener.sock)
      // Its second SYN, a second later, finds room.
      await client.close((await third).sock)
      const flags = async () => world.ring.flags(listener.port, before)
      expect(await eventually(flags, (text) => text.length > 7)).toMatch(/^S S S\. \./)
      for (const { sock } of both) await client.close(sock)
      await server.close(accepted.sock)
      await server.close(listener.sock)
    }))
  })

  describe.each(families)("$name, bulk", ({ family }) => {
    it("each way, then both at once", async () => {
      world.span.impair(FAR_AWAY)
      // What goes one way is too much to be looked at frame by frame.
      for (const [from, to] of parts()) {
        await clean(async () => {
          const { c, s } = await pair(from, to, family)
          expect(await say(c, s, "bulk", 6 * MIB)).toEqual(whole("bulk", 6 * MIB))
          await Promise.all([c.close(), s.close()])
        }, [], false)
      }
      await clean(async () => {
        const { c, s } = await pair(world.near, kernel, family)
        await Promise.all([c.send("forth", MIB), s.send("back", MIB), s.receive(MIB), c.receive(MIB)])
        expect(await kernel.ss("-tin", `sport = :${s.port}`)).not.toMatch(/retrans|lost|sacked|dsack|reord/)
        expect(await bothSay(c, s, 8 * MIB)).toEqual(bothWhole(8 * MIB))
        await Promise.all([c.close(), s.close()])
      }, [], false)
    })

    it.each([
      ["loses", { lossPpm: 20_000 }],
      ["loses, reorders and doubles", {
        lossPpm: 20_000, reorderPpm: 20_000, duplicatePpm: 10_000, jitterNs: 400_000
      }],
      ["loses and corrupts", { lossPpm: 10_000, corruptPpm: 10_000 }]
    ])("over a wire that %s", async (_, harm) => {
      world.span.impair({ delayNs: 1e6, ...harm })
      const { c, s } = await pair(world.near, kernel, family)
      expect(await bothSay(c, s, MIB)).toEqual(bothWhole(MIB))
      world.span.impair({})
      await Promise.all([c.close(), s.close()])
    })

    it.each([
      ["selective acknowledgement", { "net.ipv4.tcp_sack": 0 }],
      ["timestamps", { "net.ipv4.tcp_timestamps": 0 }],
      ["window scaling", { "net.ipv4.tcp_window_scaling": 0 }],
      ["all three", {
        "net.ipv4.tcp_sack": 0, "net.ipv4.tcp_timestamps": 0, "net.ipv4.tcp_window_scaling": 0
      }]
    ])("a kernel without %s", async (_, settings) => {
      const before = await kernel.sysctl(settings)
      try {
        const castings = Object.keys(settings).length > 1 ? parts() : [parts()[family === 4 ? 0 : 1]]
        for (const [from, to] of castings) {
          world.span.impair(FAR_AWAY)
          await clean(async () => {
            const { c, s } = await pair(from, to, family)
            expect(await bothSay(c, s, MIB / 4)).toEqual(bothWhole(MIB / 4))
            await Promise.all([c.close(), s.close()])
          })
          world.span.impair({ delayNs: 1e6, lossPpm: 20_000 })
          const { c, s } = await pair(from, to, family)
          expect(await bothSay(c, s, MIB / 8)).toEqual(bothWhole(MIB / 8))
          world.span.impair({})
          await Promise.all([c.close(), s.close()])
        }
      } finally {
        await kernel.sysctl(before)
      }
    })
  })

  describe.each(families)("$name, at once", ({ family }) => {
    it("both close", async () => {
      world.span.impair({ delayNs: 20e6 })
      await clean(async () => {
        const { c, s } = await pair(world.near, kernel, family)
        world.ring.clear()
        await Promise.all([c.close(), s.close()])
        const found = await eventually(() => states(c.port), (rows) => `${rows}` === "TIME-WAIT")
        expect(found).toEqual(["TIME-WAIT"])
        await pause(50)
        expect(world.ring.flags(c.port)).toBe("F. F. . .")
      })
    })

    it("both open", async () => {
      world.span.impair({ delayNs: 30e6 })
      const { near: a } = world
      const [ours, theirs] = [42_000 + family, 43_000 + family]
      const [x, y] = await Promise.all([
        a.connect(family, kernel.ips[family], theirs, {}, ours),
        kernel.connect(family, a.ips[family], ours, {}, theirs)
      ])
      expect(world.ring.flags(ours)).toMatch(/^S S S\. S\./)
      await a.send(x.sock, "crossed", 1000)
      await a.shutdown(x.sock, "write")
      expect(await kernel.receive(y.sock)).toEqual(whole("crossed", 1000))
      await Promise.all([a.close(x.sock), kernel.close(y.sock)])
    })
  })

  describe.each(families)("$name, SYN cookies", ({ family }) => {
    it.each([["always", 2, 0], ["in a flood", 1, 300]])("the kernel's, %s", async (_, cookies, flood) => {
      const before = await kernel.sysctl({
        "net.ipv4.tcp_syncookies": cookies, "net.ipv4.tcp_max_syn_backlog": 16
      })
      try {
        const listener = await kernel.listen(family, 8)
        world.inject(synFlood(family, world.macs("kernel"), kernel.ips[family], listener.port, flood))
        await pause(20)
        const { SyncookiesRecv: count } = tcpExt(await kernel.counters())
        const [c, s] = await Promise.all([
          world.near.connect(family, kernel.ips[family], listener.port), kernel.accept(listener.sock)
        ])
        expect(tcpExt(await kernel.counters())["SyncookiesRecv"]).toBe(count! + 1)
        await world.near.send(c.sock, "cookie", 100_000)
        await world.near.close(c.sock)
        expect(await kernel.receive(s.sock)).toEqual(whole("cookie", 100_000))
        await kernel.close(s.sock)
        await kernel.close(listener.sock)
      } finally {
        await kernel.sysctl(before)
      }
    })

    it("a flood of the pod's listener leaves room for who is real", async () => {
      const listener = await world.near.listen(family, 8)
      await kernel.raw(TAP, synFlood(family, world.macs("near"), world.near.ips[family], listener.port, 300))
      await pause(20)
      const [c, s] = await Promise.all([
        kernel.connect(family, world.near.ips[family], listener.port), world.near.accept(listener.sock)
      ])
      await kernel.send(c.sock, "cookie", 100_000)
      await kernel.close(c.sock)
      expect(await world.near.receive(s.sock)).toEqual(whole("cookie", 100_000))
      await world.near.close(s.sock)
      await world.near.close(listener.sock)
    })
  })

  it("a listener to all addresses hears both families", async () => {
    for (const [client, server] of parts()) {
      await clean(async () => {
        const listener = await server.listenToAll()
        for (const family of [4, 6] as const) {
          const [c, s] = await Promise.all([
            client.connect(family, server.ips[family], listener.port), server.accept(listener.sock)
          ])
          const [a, b] = [new End(client, c.sock, c.port), new End(server, s.sock, listener.port)]
          expect(await bothSay(a, b, 1000)).toEqual(bothWhole(1000))
          await Promise.all([a.close(), b.close()])
        }
        await server.close(listener.sock)
      })
    }
  })

  it("a crowd over a bad wire: each gets what it is to get", async () => {
    world.span.impair({
      delayNs: 2e6, jitterNs: 1e6, lossPpm: 50_000, reorderPpm: 50_000, duplicatePpm: 20_000, corruptPpm: 5000
    })
    const crowd = casting.flatMap(({ family, cast }) => Array.from({ length: 6 }, () => ({ family, cast })))
    await Promise.all(crowd.map(async ({ family, cast }) => {
      const { c, s } = await pair(...cast(), family)
      expect(await bothSay(c, s, 60_000)).toEqual(bothWhole(60_000))
      await Promise.all([c.close(), s.close()])
    }))
  })

  it("a narrow way is found out, both ways", async () => {
    const far = await world.behind(1300, 1400)
    for (const family of [4, 6] as const) {
      const { c, s } = await pair(world.near, far, family)
      expect(await bothSay(c, s, 300_000)).toEqual(bothWhole(300_000))
      await Promise.all([c.close(), s.close()])
    }
    expect(world.ring.others()).toMatch(/need to frag \(mtu 1300\)[^]*packet too big, mtu 1300/)
  })

  it("no frame is left anywhere", async () => {
    const { pool } = world.span
    expect(await eventually(async () => pool.inFlight, (count) => count === 0)).toBe(0)
    expect(pool.balance()).toBe(null)
  })

  it.skipIf(tsharkVersion === null)("tshark finds nothing wrong in what was clean", () => {
    world.recorder.flush()
    onTestFailed(() => {
      kept = true
      console.log(`the capture is ${capture}`)
    })
    const found = expertFindings(capture, { allow: ["window_full", "reused_ports"] }).split("\n")
    // Where a checksum would be 0, Linux writes 0xffff for TCP too (CSUM_MANGLED_0).
    expect(found.filter((text) => !text.includes("0xffff instead of 0x0000")).join("\n")).toBe("")
  })
})

function tcpExt(counters: Readonly<Record<string, number>>): Readonly<Record<string, number>> {
  const entries = Object.entries(counters)
  return Object.fromEntries(entries.map(([name, value]) => [name.replace("TcpExt.", ""), value]))
}
