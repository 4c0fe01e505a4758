/** The product as a user runs it: the command line on the first scenario, and tshark on what it wrote. */
import { spawnSync } from "node:child_process"
import { createHash } from "node:crypto"
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll, expect, it } from "vitest"
import { folderFindings, tsharkVersion } from "./support/expert-findings.ts"

const folder = mkdtempSync(join(tmpdir(), "podwire-first-light-"))
afterAll(() => rmSync(folder, { recursive: true }))

/** Without arguments, the first scenario. */
function podwire(...args: ReadonlyArray<string>) {
  const { status, stdout, stderr } = spawnSync(
    process.execPath, ["packages/edge/cli/bin/podwire.mjs", "run", ...args], { encoding: "utf8", env: { ...process.env, NO_COLOR: "1" } }
  )
  return { status, stdout, stderr }
}

function captures(name: string): ReadonlyArray<string> {
  return readdirSync(join(folder, name)).filter((file) => file.endsWith(".pcapng")).sort()
}

function hashOf(name: string): string {
  const hash = createHash("sha256")
  for (const file of captures(name)) hash.update(file).update(readFileSync(join(folder, name, file)))
  return hash.digest("hex")
}

/** The rows of the first table: everything but names that a controller drew, and so the order of those. */
function podTable(stdout: string): string {
  const rows = stdout.slice(0, stdout.indexOf("\n\n")).replaceAll(/(web|agent)-[\w-]+ /g, (name) => `${name.split("-")[0]}-… `)
  return rows.replaceAll(/ +/g, " ").split("\n").sort((a, b) => (a < b ? -1 : 1)).join("\n")
}

let first: ReturnType<typeof podwire>
beforeAll(() => {
  first = podwire("--out", join(folder, "a"))
})

it("nine pods on three nodes, in the order and on the nodes that the manifests say", () => {
  expect([first.status, first.stderr]).toEqual([0, "seed 7\n"])
  expect(podTable(first.stdout)).toMatchInlineSnapshot(`
    "NAMESPACE NAME STATUS RESTARTS IPS NODE
    default db-0 Running 0 10.244.1.2,fd00:10:244:1::2 node2
    default db-1 Running 0 10.244.2.4,fd00:10:244:2::4 node3
    default pair Running 0 10.244.0.2,fd00:10:244::2 node1
    default web-… Running 0 10.244.0.3,fd00:10:244::3 node1
    default web-… Running 0 10.244.1.3,fd00:10:244:1::3 node2
    default web-… Running 0 10.244.2.2,fd00:10:244:2::2 node3
    kube-system agent-… Running 0 10.244.0.4,fd00:10:244::4 node1
    kube-system agent-… Running 0 10.244.1.4,fd00:10:244:1::4 node2
    kube-system agent-… Running 0 10.244.2.3,fd00:10:244:2::3 node3"
  `)
})

it("every pod and node reaches every pod over both families", () => {
  for (const family of ["IPv4", "IPv6"]) {
    expect(first.stdout).toContain(`${family}: 108 of 108 pairs answer and see the sender's own address\n`)
  }
  expect(first.stdout.match(/\bok\b/g)?.length).toBe(216)
})

it("the same seed, the same words and bytes; another seed, other bytes", () => {
  const again = podwire("--out", join(folder, "b"))
  expect(again.stdout.replaceAll(join(folder, "b"), join(folder, "a"))).toBe(first.stdout)
  expect(captures("b")).toEqual(captures("a"))
  expect(hashOf("b")).toBe(hashOf("a"))
  const other = podwire("--seed", "8", "--out", join(folder, "c"))
  expect([other.status, other.stderr]).toEqual([0, "seed 8\n"])
  expect(hashOf("c")).not.toBe(hashOf("a"))
})

it("a file for each interface and one for all, in which tshark finds nothing wrong", (context) => {
  // A pod's eth0 and lo, a node's eth0, lo, cni0 and its pods' ends, and all of them.
  const names = captures("a")
  expect(names.filter((name) => /-eth0\.pcapng$/.test(name)).length).toBe(12)
  expect(names.filter((name) => /^node\d-cni0\.pcapng$/.test(name)).length).toBe(3)
  expect(names).toContain("all.pcapng")
  if (tsharkVersion === null) context.skip("tshark is not on the PATH")
  expect(folderFindings(join(folder, "a"))).toBe("")
})
