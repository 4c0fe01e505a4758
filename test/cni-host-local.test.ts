/**
 * host-local on a real disk: against what the real binary answered, as a process, side by side with other
 * processes, and as a store under the laws of every store.
 */
import { spawn, spawnSync } from "node:child_process"
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { DiskStore, runCniPlugin } from "@podwire/lab/cni/index"
import { format } from "@podwire/wire/ip"
import { afterAll, expect, it } from "vitest"
import { held, ip, leaseStoreLaws } from "../packages/kube/cni/test/lease-store.laws.ts"

const here = (name: string) => fileURLToPath(new URL(name, import.meta.url))
const root = mkdtempSync(join(tmpdir(), "podwire-cni-"))
afterAll(() => rmSync(root, { recursive: true, force: true }))

let count = 0
function folder(): string {
  const dir = join(root, `d${count++}`)
  mkdirSync(dir)
  return dir
}

const ENV = { CNI_PATH: "/opt/cni/bin", CNI_CONTAINERID: "c1", CNI_NETNS: "/nope", CNI_IFNAME: "eth0" }

function conf(dataDir: string, ipam: object = { ranges: [[{ subnet: "10.1.0.0/24" }]] }, more: object = {}): string {
  return JSON.stringify({ cniVersion: "1.1.0", name: "net", ...more, ipam: { type: "host-local", dataDir, ...ipam } })
}

function run(command: string, stdin: string, env: Record<string, string | undefined> = {}) {
  return runCniPlugin("host-local", { ...ENV, CNI_COMMAND: command, ...env }, stdin)
}

function listing(dir: string): string {
  const files = (readdirSync(dir, { recursive: true }) as Array<string>).filter((name) => statSync(join(dir, name)).isFile())
  const line = (name: string) => {
    const path = join(dir, name)
    return `${name} ${(statSync(path).mode & 0o777).toString(8)} ${JSON.stringify(readFileSync(path, "utf8"))}\n`
  }
  const key = (name: string) => name.split("/").map((part) => part.padEnd(40, "\u0000")).join("/")
  return files.sort((a, b) => (key(a) < key(b) ? -1 : 1)).map(line).join("")
}

it("answers as the real binary answered, and leaves the same files", () => {
  const dir = folder()
  const golden = readFileSync(here("cni-host-local.golden.txt"), "utf8").split("\n").filter((line) => !line.startsWith("#"))
  let played = ""
  for (const [i, line] of golden.entries()) {
    if (line === "= ls") played += `= ls\n${listing(dir)}`
    if (!line.startsWith("> ")) continue
    const [command, ...variables] = line.slice(2).split(" ")
    const env = Object.fromEntries(variables.map((one) => [one.slice(0, one.indexOf("=")), one.slice(one.indexOf("=") + 1)]))
    const { stdout, exitCode } = run(command!, golden[i + 1]!.replaceAll("$DIR", dir), env)
    played += `${line}\n${golden[i + 1]}\n< ${exitCode}\n`
    if (stdout !== "") played += `${stdout.replaceAll(dir, "$DIR").trimEnd()}\n`
  }
  expect(played).toBe(`${golden.filter((line) => line !== "").join("\n")}\n`.replaceAll(/(> [^\n]*\n)(< )/g, "$1\n$2"))
})

leaseStoreLaws("disk", () => {
  const dir = folder()
  const store = DiskStore.open("net", dir)
  if (typeof store === "string") throw new Error(store)
  return { store, close: () => rmSync(dir, { recursive: true }) }
}, 12)

it("finds leases of plugins that wrote no interface, and leaves strangers' files alone", () => {
  const dir = folder()
  const store = DiskStore.open("net", dir) as DiskStore
  writeFileSync(join(dir, "net", "10.0.0.9"), "old\n")
  writeFileSync(join(dir, "net", "notes.txt"), "old-notes")
  mkdirSync(join(dir, "net", "10.0.0.10"))
  symlinkSync("/none", join(dir, "net", "10.0.0.11"))
  expect(store.held("old", "eth0").map(format)).toEqual(["10.0.0.9"])
  expect(store.reserve("new", "eth0", ip("10.0.0.10"), 0)).toBe(false)
  expect(store.reserve("new", "eth0", ip("10.0.0.11"), 0)).toBe(false)
  store.release("old", "eth0")
  expect(held(store)).toEqual([])
  expect(readFileSync(join(dir, "net", "notes.txt"), "utf8")).toBe("old-notes")
  writeFileSync(join(dir, "net", "last_reserved_ip.0"), "rubbish")
  expect(store.lastReserved(0)).toBe(null)
})

it("DEL releases once for every range set, and so finds the old lease behind the new one", () => {
  for (const [ranges, left] of [[1, ["10.1.0.9 c1 "]], [2, []]] as const) {
    const dir = folder()
    const of = conf(dir, { ranges: ["10.1.0.0/24", "fd00::/64"].slice(0, ranges).map((subnet) => [{ subnet }]) })
    expect(run("ADD", of).exitCode).toBe(0)
    writeFileSync(join(dir, "net", "10.1.0.9"), "c1")
    expect(run("DEL", of)).toEqual({ stdout: "", stderr: "", exitCode: 0 })
    expect(held(DiskStore.open("net", dir) as DiskStore)).toEqual(left)
  }
})

it("GC keeps what is valid, STATUS is 50 on a range that has run out", () => {
  const dir = folder()
  const small = { ranges: [[{ subnet: "10.1.0.0/29" }]] }
  for (const one of ["a", "b", "c", "d", "e"]) expect(run("ADD", conf(dir, small), { CNI_CONTAINERID: one }).exitCode).toBe(0)
  expect(run("STATUS", conf(dir, small))).toEqual({
    stdout: "{\n    \"code\": 50,\n    \"msg\": \"no IP addresses available in range set: 10.1.0.1-10.1.0.6\"\n}", stderr: "", exitCode: 1
  })
  const valid = { "cni.dev/valid-attachments": [{ containerID: "b", ifname: "eth0" }, { containerID: "c", ifname: "eth1" }] }
  expect(run("GC", conf(dir, small, valid))).toEqual({ stdout: "", stderr: "", exitCode: 0 })
  expect(held(DiskStore.open("net", dir) as DiskStore)).toEqual(["10.1.0.3 b eth0"])
  expect(run("STATUS", conf(dir, small))).toEqual({ stdout: "", stderr: "", exitCode: 0 })
  expect(JSON.parse(run("GC", conf(dir, small)).stdout)).toEqual({
    code: 7, msg: "GC needs the list of valid attachments", details: "cni.dev/valid-attachments is missing"
  })
})

it("reads resolv.conf as the real plugin does", () => {
  const dir = folder()
  const file = join(dir, "resolv.conf")
  writeFileSync(file, "# c\n; d\nnameserver 1.1.1.1\n nameserver  8.8.8.8 x\nsearch a b\nsearch c\ndomain x.y\ndomain z\noptions ndots:5 a\nbogus x\nnameserver\n")
  const { stdout } = run("ADD", conf(dir, { subnet: "10.1.0.0/24", resolvConf: file }))
  expect(JSON.parse(stdout)["dns"]).toEqual({ nameservers: ["1.1.1.1", "8.8.8.8"], domain: "z", search: ["a", "b", "c"], options: ["ndots:5", "a"] })
})

it("sees after its work that it was called inside the namespace that it was called for", () => {
  const dir = folder()
  const own = run("ADD", conf(dir), { CNI_NETNS: "/proc/self/ns/net" })
  expect(own.stdout.replace(/^\{[^]*\}\{/, "{")).toBe(
    "{\n    \"code\": 8,\n    \"msg\": \"plugin's netns and netns from CNI_NETNS should not be the same\"\n}")
  expect(run("ADD", conf(dir), { CNI_CONTAINERID: "c2", CNI_NETNS: "/proc/self/ns/net", CNI_NETNS_OVERRIDE: "true" }).exitCode).toBe(0)
})

it("says of plugins that need a real namespace what to use, and of unknown ones that they are none", () => {
  const plugin = (type: string, command: string, stdin = conf("/none")) => {
    const { stdout, exitCode } = runCniPlugin(type, { ...ENV, CNI_COMMAND: command }, stdin)
    return { exitCode, ...JSON.parse(stdout) }
  }
  expect(plugin("bridge", "ADD")).toEqual({
    exitCode: 1, code: 100, msg: "bridge: Podwire changes no real namespace",
    details: "`podwire run` carries this configuration out on emulated nodes; for real ones use the plugin of github.com/containernetworking/plugins"
  })
  expect(plugin("ptp", "DEL").code).toBe(100)
  expect(plugin("loopback", "VERSION").supportedVersions).toContain("0.4.0")
  expect(plugin("loopback", "ADD", "{").code).toBe(6)
  expect(plugin("portmap", "ADD")).toEqual({ exitCode: 1, code: 100, msg: "portmap is not modelled", details: "hostPort is not forwarded" })
  expect(plugin("nope", "ADD").msg).toBe("failed to find plugin \"nope\" in path [/opt/cni/bin]")
  expect(runCniPlugin("host-local", {}, "")).toEqual({
    stdout: "", exitCode: 0,
    stderr: "CNI host-local plugin (Podwire)\nCNI protocol versions supported: 0.1.0, 0.2.0, 0.3.0, 0.3.1, 0.4.0, 1.0.0, 1.1.0\n"
  })
})

it("is a program: stdin, environment, stdout and exit code", () => {
  const dir = folder()
  const start = (command: string, stdin: string) => {
    const { stdout, stderr, status } = spawnSync(process.execPath, [here("cni-plugin.ts"), "host-local"], {
      input: stdin, encoding: "utf8", env: { ...ENV, CNI_COMMAND: command }
    })
    return { stdout, stderr, status }
  }
  expect(start("ADD", conf(dir))).toEqual({
    stdout: "{\n    \"cniVersion\": \"1.1.0\",\n    \"ips\": [\n        {\n            \"address\": \"10.1.0.2/24\",\n" +
      "            \"gateway\": \"10.1.0.1\"\n        }\n    ]\n}",
    stderr: "", status: 0
  })
  expect(start("ADD", conf(dir))).toEqual({
    stdout: "{\n    \"code\": 999,\n    \"msg\": \"failed to allocate for range 0: 10.1.0.2 has been allocated to c1, " +
      "duplicate allocation is not allowed\"\n}",
    stderr: "", status: 1
  })
})

it("eight processes at one time never share an address", async () => {
  const dir = folder()
  const results = await Promise.all(Array.from({ length: 8 }, (_, i) => new Promise<string>((resolve, reject) => {
    const child = spawn(process.execPath, [here("cni-plugin.ts"), "host-local"], { env: { ...ENV, CNI_CONTAINERID: `p${i}`, CNI_COMMAND: "ADD" } })
    let out = ""
    child.stdout.on("data", (data) => out += data)
    child.on("error", reject)
    child.on("close", () => resolve(out))
    child.stdin.end(conf(dir))
  })))
  const addresses = results.map((out) => JSON.parse(out)["ips"][0].address as string)
  expect(new Set(addresses).size).toBe(8)
  expect(held(DiskStore.open("net", dir) as DiskStore).length).toBe(8)
})
