/** The product as a user runs it: the command line on real files, and tshark on what it wrote. */
import { spawnSync } from "node:child_process"
import { createHash } from "node:crypto"
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, expect, it } from "vitest"
import { expertFindings, tsharkVersion } from "./support/expert-findings.ts"

const folder = mkdtempSync(join(tmpdir(), "podwire-"))
afterAll(() => rmSync(folder, { recursive: true }))

function podwire(...args: ReadonlyArray<string>) {
  const { status, stdout, stderr } = spawnSync(
    process.execPath, ["packages/edge/cli/bin/podwire.mjs", ...args], { encoding: "utf8" }
  )
  return { status, stdout, stderr }
}

function captures(out: string): ReadonlyArray<string> {
  return readdirSync(out).filter((file) => file.endsWith(".pcapng")).sort()
}

function bytesOf(out: string): string {
  const hash = createHash("sha256")
  for (const file of captures(out)) hash.update(file).update(readFileSync(join(out, file)))
  return hash.digest("hex")
}

it("the first scenario: every pair answers, and the same seed gives the same bytes", () => {
  const first = podwire("run", "--out", join(folder, "a"))
  expect(first.status).toBe(0)
  expect(first.stdout).toContain("IPv4: 28 of 28 pairs answer and see the sender's own address")
  expect(first.stdout).toContain("IPv6: 28 of 28 pairs answer and see the sender's own address")
  expect(podwire("run", "--out", join(folder, "b")).status).toBe(0)
  expect(bytesOf(join(folder, "b"))).toBe(bytesOf(join(folder, "a")))
  podwire("run", "--seed", "8", "--out", join(folder, "c"))
  expect(bytesOf(join(folder, "c"))).not.toBe(bytesOf(join(folder, "a")))
})

it("no capture holds a malformed packet, a bad checksum or an expert error", (context) => {
  if (tsharkVersion === null) context.skip("tshark is not on the PATH")
  const out = join(folder, "d")
  podwire("run", "--out", out)
  // Four pods with eth0, three nodes with eth0 and cni0, and the common file at least.
  expect(captures(out).length).toBeGreaterThan(10)
  expect(captures(out).map((file) => expertFindings(join(out, file))).join("")).toBe("")
}, 120_000)

it("bad input is refused with its place and exit code 2", () => {
  const file = join(folder, "bad.yaml")
  const refused = (text: string) => {
    writeFileSync(file, text)
    const { status, stderr } = podwire("run", file, "--out", join(folder, "e"))
    return `${status} ${stderr.replaceAll(file, "bad.yaml").trimEnd()}`
  }
  expect(refused("kind: Pod\nmetadata: {name: A_b}\n")).toBe(
    '2 bad.yaml:1:1: metadata.name: Invalid value: "A_b": a lowercase RFC 1123 subdomain is expected'
  )
  expect(refused("kind: Pod\nmetadata: {name: a}\nspec: {nodeName: node9}\n")).toContain(
    'bad.yaml:1:1: spec.nodeName: no node is called "node9"; there are node1, node2, node3'
  )
  expect(refused("kind: Pod\nkind: Pod\n")).toMatch(/^2 bad\.yaml:2:1: /)
  expect(refused("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\n")).toBe(
    "2 warning: 1 ConfigMap: not modelled, kept and counted\nno Pod in the input; Pods are what runs so far"
  )
  expect(podwire("run", join(folder, "absent.yaml")).status).toBe(2)
  expect(podwire("run", "--seed", "x").status).toBe(2)
})
