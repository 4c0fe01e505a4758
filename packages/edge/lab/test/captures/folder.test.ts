import { spawnSync } from "node:child_process"
import {
  existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync
} from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { PcapngWriter, PcapWriter, readCapture, readItems } from "pcap-writer"
import { afterAll, expect, it } from "vitest"
import { type Disk, hostDisk } from "../../src/captures/disk.ts"
import { CaptureFolder } from "../../src/captures/folder.ts"

const base = mkdtempSync(join(tmpdir(), "captures-"))
afterAll(() => rmSync(base, { recursive: true }))
let count = 0
const fresh = () => join(base, `${count++}`)

function captures(folder: string): ReadonlyArray<string> {
  return readdirSync(folder).filter((file) => /\.pcap(ng)?$/.test(file)).sort()
}

/** The host's disk with room for so many bytes; what does not fit is taken in part, as Linux does. */
class SmallDisk implements Disk {
  left: number
  openNow = 0
  openMost = 0

  constructor(bytes: number) {
    this.left = bytes
  }

  open(path: string, flags: "w" | "a"): number {
    this.openMost = Math.max(this.openMost, ++this.openNow)
    return hostDisk.open(path, flags)
  }

  write(file: number, bytes: Uint8Array, from: number, to: number): number {
    if (this.left === 0) throw Object.assign(new Error("ENOSPC: no space left"), { code: "ENOSPC" })
    const done = hostDisk.write(file, bytes, from, Math.min(to, from + this.left))
    this.left -= done
    return done
  }

  truncate(file: number, bytes: number): void {
    hostDisk.truncate(file, bytes)
  }

  close(file: number): void {
    this.openNow--
    hostDisk.close(file)
  }
}

function writeSome(folder: CaptureFolder, name: string, format: "pcapng" | "pcap", packets: number): void {
  const sink = folder.sink(name, format)
  const bytes = new Uint8Array(33)
  // A small buffer, so that several packets are in a chunk and several chunks in the file.
  if (format === "pcapng") {
    const writer = new PcapngWriter(sink, { bufferBytes: 300 })
    const id = writer.interface({ name })
    for (let i = 0; i < packets; i++) writer.record(id, i, bytes, 0, 33, 1, i)
    writer.flush()
  } else {
    const writer = new PcapWriter(sink, { bufferBytes: 300 })
    for (let i = 0; i < packets; i++) writer.packet(i, bytes, 0, 33)
    writer.flush()
  }
}

it("a disk that is full after any byte leaves every whole packet before it, and one failure", () => {
  for (const format of ["pcapng", "pcap"] as const) {
    const whole = fresh()
    const folder = new CaptureFolder(whole)
    writeSome(folder, "n/a", format, 12)
    expect(folder.close()).toBe(null)
    const bytes = readFileSync(join(whole, `n-a.${format}`))
    const items = [...readItems(bytes)]
    // A classic file is one from its file header on.
    const ends = format === "pcap"
      ? [0, 24, ...items.slice(2).map((item) => item.offset)]
      : items.map((item) => item.offset)
    const list = `n-a.${format}\n`.length
    for (let room = 0; room < bytes.length; room += 7) {
      const out = fresh()
      const small = new CaptureFolder(out, { disk: new SmallDisk(list + room) })
      writeSome(small, "n/a", format, 12)
      writeSome(small, "n/b", format, 12)
      expect(small.failure).toMatchObject({ file: join(out, `n-a.${format}`), cause: { code: "ENOSPC" } })
      expect(small.close()).toBe(small.failure)
      const got = readFileSync(join(out, `n-a.${format}`))
      expect(got.length).toBe(ends.filter((end) => end <= room).at(-1))
      expect(got.equals(bytes.subarray(0, got.length))).toBe(true)
      expect(captures(out)).toEqual([`n-a.${format}`])
    }
  }
})

it("a real file system that is full: the files on it are whole", (context) => {
  const mount = fresh()
  mkdirSync(mount)
  const mounted = process.getuid?.() === 0 &&
    spawnSync("mount", ["-t", "tmpfs", "-o", "size=128k", "tmpfs", mount]).status === 0
  if (!mounted) context.skip("mounting a small tmpfs needs root and Linux")
  try {
    const out = join(mount, "out")
    const folder = new CaptureFolder(out)
    for (let i = 0; i < 20 && folder.failure === null; i++) writeSome(folder, `n/dev${i}`, "pcapng", 200)
    const failure = folder.close()
    expect(failure).toMatchObject({ cause: { code: "ENOSPC" } })
    const files = captures(out)
    expect(files.length).toBeGreaterThan(3)
    for (const file of files) {
      const { fault, packets } = readCapture(readFileSync(join(out, file)))
      if (join(out, file) !== failure!.file) expect([fault, packets.length]).toEqual([null, 200])
      // The file that found the disk full may have got nothing.
      else if (packets.length > 0) expect(fault).toBe(null)
    }
  } finally {
    expect(spawnSync("umount", [mount]).status).toBe(0)
  }
})

it("more devices than files may be open: each file is the same as with all open", () => {
  const files = (openMax: number) => {
    const out = fresh()
    const disk = new SmallDisk(Infinity)
    const folder = new CaptureFolder(out, { openMax, disk })
    const small = { bufferBytes: 64 }
    const writers = Array.from({ length: 60 }, (_, i) => new PcapngWriter(folder.sink(`n/dev${i}`), small))
    const ids = writers.map((writer, i) => writer.interface({ name: `n/dev${i}` }))
    for (let round = 0; round < 5; round++) {
      writers.forEach((writer, i) => writer.record(ids[i]!, round, new Uint8Array(40), 0, 40, 1, round))
    }
    writers.forEach((writer) => writer.flush())
    expect(folder.close()).toBe(null)
    expect(disk.openNow).toBe(0)
    expect(disk.openMost).toBeLessThanOrEqual(openMax)
    return captures(out).map((file) => readFileSync(join(out, file)).toString("hex"))
  }
  const some = files(5)
  expect(some.length).toBe(60)
  expect(some).toEqual(files(100))
})

it("descriptors that others took: it goes on with fewer", () => {
  const out = fresh()
  const disk = new SmallDisk(Infinity)
  const open = disk.open.bind(disk)
  disk.open = (path, flags) => {
    if (disk.openNow >= 3) throw Object.assign(new Error("EMFILE: too many open files"), { code: "EMFILE" })
    return open(path, flags)
  }
  const folder = new CaptureFolder(out, { disk })
  for (let i = 0; i < 10; i++) writeSome(folder, `n/dev${i}`, "pcap", 3)
  expect(folder.close()).toBe(null)
  expect(captures(out).length).toBe(10)
})

it("the next run removes what the last one listed, and nothing else", () => {
  const out = fresh()
  const first = new CaptureFolder(out)
  for (const name of ["all", "n/a", "n/b"]) writeSome(first, name, "pcapng", 1)
  // A run that dies does not close; what it listed is what it wrote.
  writeFileSync(join(out, "mine.pcapng"), "mine")
  writeFileSync(join(out, "notes.txt"), "notes")
  writeFileSync(join(base, "outside.pcapng"), "outside")
  const list = readFileSync(join(out, ".podwire-captures"), "utf8")
  expect(list).toBe("all.pcapng\nn-a.pcapng\nn-b.pcapng\n")
  writeFileSync(join(out, ".podwire-captures"), `${list}../outside.pcapng\nnotes.txt\nabsent.pcapng\n\n`)
  const second = new CaptureFolder(out)
  writeSome(second, "all", "pcapng", 1)
  second.close()
  first.close()
  expect(readdirSync(out).sort()).toEqual(
    [".podwire-captures", "all.pcapng", "mine.pcapng", "notes.txt", "wireshark-profile"]
  )
  expect(existsSync(join(base, "outside.pcapng"))).toBe(true)
  expect(readFileSync(join(out, ".podwire-captures"), "utf8")).toBe("all.pcapng\n")
})

it("a listed name that has become a link is removed as a link", (context) => {
  if (process.platform === "win32") context.skip("links need rights on Windows")
  const out = fresh()
  writeSome(new CaptureFolder(out), "all", "pcapng", 1)
  rmSync(join(out, "all.pcapng"))
  writeFileSync(join(base, "target"), "target")
  symlinkSync(join(base, "target"), join(out, "all.pcapng"))
  writeSome(new CaptureFolder(out), "all", "pcapng", 1)
  expect(readFileSync(join(base, "target"), "utf8")).toBe("target")
})

it("tshark takes the profile: a column for the interface, checksums checked", (context) => {
  if (spawnSync("tshark", ["-v"]).status !== 0) context.skip("tshark is not on the PATH")
  const out = fresh()
  const folder = new CaptureFolder(out)
  const writer = new PcapngWriter(folder.sink("all"))
  const id = writer.interface({ name: "node1/eth0" })
  // IPv4 with a wrong header checksum.
  const frame = Buffer.from("020000000002020000000001080045000014000100004011ffff0a0000010a000002", "hex")
  writer.packet(id, 0, frame, 0, frame.length, { comment: "said" })
  writer.flush()
  folder.close()
  const { stdout, stderr } = spawnSync("tshark", ["-r", join(out, "all.pcapng")], {
    encoding: "utf8", env: { ...process.env, WIRESHARK_CONFIG_DIR: join(out, "wireshark-profile") }
  })
  expect(stdout).toMatch(/1 +0\.0+ node1\/eth0 +10\.0\.0\.1 .*said/)
  // Versions before 4.2 do not know the key, say so and go on; no other line may be refused.
  expect(stderr.split("\n").filter((line) => /No such preference|Syntax error|illegal/i.test(line))
    .filter((line) => !line.includes("conversation_deinterlacing_key"))).toEqual([])
  const checked = spawnSync("tshark", [
    "-r", join(out, "all.pcapng"), "-T", "fields", "-e", "ip.checksum.status"
  ], { encoding: "utf8", env: { ...process.env, WIRESHARK_CONFIG_DIR: join(out, "wireshark-profile") } })
  expect(checked.stdout).toBe("0\n")
})
