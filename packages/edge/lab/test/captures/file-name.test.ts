import fc from "fast-check"
import { expect, it } from "vitest"
import { FileNames, isCaptureFileName } from "../../src/captures/file-name.ts"

it("names are the interface's, safe everywhere, and never the same", () => {
  const names = new FileNames()
  expect([
    "all", "default/web-0/eth0", "node1/cni0", "a-b/c", "a/b-c", "A/b-c", "node1/vlan:5", "node1/eth0.100",
    "/eth0", "con", "nul/x", "nul", ".hidden/lo", "n/x~2", "ünïcode/lo", "x".repeat(300)
  ].map((name) => names.take(name, "pcapng")).join("\n")).toBe([
    "all.pcapng", "default-web-0-eth0.pcapng", "node1-cni0.pcapng", "a-b-c.pcapng", "a-b-c~2.pcapng",
    "A-b-c~3.pcapng", "node1-vlan_5.pcapng", "node1-eth0.100.pcapng", "_-eth0.pcapng", "_con.pcapng",
    "nul-x.pcapng", "_nul.pcapng", "_.hidden-lo.pcapng", "n-x_2.pcapng", "_n_code-lo.pcapng",
    `${"x".repeat(200)}.pcapng`
  ].join("\n"))
})

it("whatever the names, files differ, fit a file system and are known as ours", () => {
  const name = fc.oneof(fc.string(), fc.stringMatching(/^[ab/-]{1,5}$/))
  fc.assert(fc.property(fc.array(name, { maxLength: 30 }), (all) => {
    const names = new FileNames()
    const files = all.map((one) => names.take(one, "pcap"))
    expect(new Set(files.map((file) => file.toLowerCase())).size).toBe(all.length)
    for (const file of files) {
      expect(file).toMatch(/^[A-Za-z0-9_][A-Za-z0-9._-]*(~\d+)?\.pcap$/)
      expect(file.length).toBeLessThan(230)
      expect(isCaptureFileName(file)).toBe(true)
    }
    const again = new FileNames()
    expect(all.map((one) => again.take(one, "pcap"))).toEqual(files)
  }), { seed: 3, numRuns: 300 })
})

it("what is no capture of ours is not known as one", () => {
  const others = ["../all.pcapng", "a/b.pcapng", "notes.txt", ".pcapng", "", "a.pcapng\n"]
  expect(others.filter(isCaptureFileName)).toEqual([])
})
