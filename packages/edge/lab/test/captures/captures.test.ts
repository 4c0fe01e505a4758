import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Engine } from "@podwire/engine"
import { Dummy, FramePool, addTap } from "@podwire/netdev"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Logger from "effect/Logger"
import { readCapture } from "pcap-writer"
import { afterAll, expect, it } from "vitest"
import * as captures from "../../src/captures/index.ts"

const base = mkdtempSync(join(tmpdir(), "captures-"))
afterAll(() => rmSync(base, { recursive: true }))

/** One frame of 60 bytes on node1/eth0. */
function send(tap: captures.Captures["Service"]["taps"]): void {
  const engine = new Engine(1)
  const pool = new FramePool(engine)
  const dev = new Dummy(engine, pool, "eth0", 1)
  dev.ns = "node1"
  dev.up = true
  addTap(dev, tap(engine)[0]!)
  const frame = pool.alloc()!
  frame.tail = frame.head + 60
  dev.xmit(frame)
}

const packets = (file: string) => readCapture(readFileSync(file)).packets.length

it("what a scope acquires is whole when it ends, also by a defect", () => {
  for (const end of [Effect.void, Effect.die("a bug"), Effect.fail("no")]) {
    const folder = join(base, "scope")
    const exit = Effect.runSyncExit(Effect.scoped(Effect.gen(function*() {
      const { taps: tap } = yield* captures.acquire({ folder })
      send(tap)
      yield* end
    })))
    expect(Exit.isSuccess(exit)).toBe(end === Effect.void)
    expect([packets(join(folder, "all.pcapng")), packets(join(folder, "node1-eth0.pcapng"))]).toEqual([1, 1])
  }
})

it("flush makes files readable during the run; options reach the capture", () => {
  const folder = join(base, "flush")
  Effect.runSync(Effect.gen(function*() {
    const { flush, taps: tap } = yield* captures.Captures
    send(tap)
    expect(() => packets(join(folder, "all.pcapng"))).toThrow("ENOENT")
    yield* flush
    expect([packets(join(folder, "all.pcapng")), packets(join(folder, "node1-eth0.pcap"))]).toEqual([1, 1])
  }).pipe(Effect.provide(captures.layer({ folder, classic: true }))))
})

it("a failure is one tagged error with file, cause and what to do", () => {
  const full = {
    open: () => 1, truncate: () => {}, close: () => {},
    write: () => {
      throw Object.assign(new Error("ENOSPC: no space left on device, write"), { code: "ENOSPC" })
    }
  }
  const folder = join(base, "full")
  const error = Effect.runSync(Effect.scoped(Effect.gen(function*() {
    const { close, taps: tap } = yield* captures.acquire({ folder, disk: full })
    send(tap)
    return yield* Effect.flip(close)
  })))
  expect(error._tag).toBe("CaptureWriteError")
  expect(error.message.replace(base, "")).toBe(
    "/full/.podwire-captures: cannot write captures: ENOSPC: the disk is full; free some space, or name a " +
      "folder on another disk with --out. What was written before is whole up to its last packet"
  )
})

it("a failure that nobody asked for is logged at the scope's end", () => {
  const logged: Array<unknown> = []
  const logger = Logger.make(({ message }) => void logged.push(message))
  const disk = { open: () => { throw new Error("no") }, truncate: () => {}, close: () => {}, write: () => 0 }
  Effect.runSync(Effect.scoped(Effect.map(
    captures.acquire({ folder: join(base, "silent"), disk }), ({ taps: tap }) => send(tap)
  )).pipe(Effect.provide(Logger.layer([logger]))))
  expect(String(logged).replace(base, "")).toBe(
    "/silent/.podwire-captures: cannot write captures: no. " +
      "What was written before is whole up to its last packet"
  )
})

it("a folder that cannot be made is refused at the start", () => {
  writeFileSync(join(base, "file"), "")
  const refused = captures.acquire({ folder: join(base, "file/out") })
  const error = Effect.runSync(Effect.scoped(Effect.flip(refused)))
  expect(error.message.replace(base, "")).toMatch(
    /^\/file\/out: cannot write captures: ENOTDIR: a file stands where the folder should be; name another/
  )
})
