/**
 * What is wrong is said whole: file, line, column, path, what was found, what to do; exit code 2, nothing on
 * stdout, and never 3. Through the real command line, several at a time; the whole of stderr is compared.
 */
import { spawn, spawnSync } from "node:child_process"
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join, resolve } from "node:path"
import { InputError, Lab } from "@podwire/lab"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Cause from "effect/Cause"
import fc from "fast-check"
import { afterAll, expect, it } from "vitest"

const CLI = resolve("packages/edge/cli/bin/podwire.mjs")
const AT_ONCE = 4
const folder = mkdtempSync(join(tmpdir(), "podwire-bad-"))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

interface Answer {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** The command in `folder`, where manifests have short names. */
function podwire(args: ReadonlyArray<string>, stdin = ""): Promise<Answer> {
  return new Promise((done, failed) => {
    const child = spawn(process.execPath, [CLI, ...args], { cwd: folder, env: { ...process.env, NO_COLOR: "1" } })
    let stdout = ""
    let stderr = ""
    child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text))
    child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text))
    child.on("error", failed)
    child.on("close", (code) => done({ code: code ?? -1, stdout, stderr }))
    child.stdin.end(stdin)
  })
}

/** In order, `AT_ONCE` of them at a time. */
async function all<A, B>(list: ReadonlyArray<A>, act: (item: A) => Promise<B>): Promise<ReadonlyArray<B>> {
  const results: Array<B> = []
  let next = 0
  const worker = async () => {
    for (let i = next++; i < list.length; i = next++) results[i] = await act(list[i]!)
  }
  await Promise.all(Array.from({ length: AT_ONCE }, worker))
  return results
}

function put(files: Readonly<Record<string, string>>): void {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true })
    writeFileSync(join(folder, name), text)
  }
}

/** Each case: command line, then exit code and the whole of stderr. */
async function answers(cases: ReadonlyArray<readonly [args: ReadonlyArray<string>, code: number, stderr: string]>): Promise<void> {
  const got = await all(cases, async ([args]) => {
    const { code, stderr } = await podwire(args)
    return `$ podwire ${args.join(" ")}\n${stderr}exit ${code}\n`
  })
  expect(got.join("")).toBe(cases.map(([args, code, stderr]) => `$ podwire ${args.join(" ")}\n${stderr}exit ${code}\n`).join(""))
}

const pod = (name: string, spec: object = {}) =>
  `${JSON.stringify({ apiVersion: "v1", kind: "Pod", metadata: { name }, spec: { containers: [{ name: "c", image: "busybox" }], ...spec } })}\n`
const cluster = (spec: object) => `${JSON.stringify({ apiVersion: "podwire.dev/v1", kind: "Cluster", spec })}\n---\n${pod("a")}`
const scenario = (spec: object) => `${JSON.stringify({ apiVersion: "podwire.dev/v1", kind: "Scenario", spec })}\n---\n${pod("a")}`
const web = (replicas: number) => `apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  replicas: ${replicas}
  selector:
    matchLabels: { app: web }
  template:
    metadata:
      labels: { app: web }
    spec:
      containers:
        - name: c
          image: busybox
`
put({ "good.yaml": pod("a") })

const run = (...files: ReadonlyArray<string>) => ["run", "--no-captures", ...files]

/** What `Lab.of` says of a text: the message that the command line prints, or "" when it is taken. */
function said(text: string, name = "x.yaml"): string {
  const exit = Effect.runSyncExit(Effect.scoped(Lab.of([{ name, content: text }], {})))
  if (Exit.isSuccess(exit)) return ""
  const error: unknown = Cause.squash(exit.cause)
  if (error instanceof InputError) return error.message
  throw error
}

it("text that is no manifest, all of it in one call", async () => {
  put({
    "indent.yaml": "apiVersion: v1\nkind: Pod\nmetadata:\n  name: a\n labels: {}\n",
    "open.yaml": "apiVersion: v1\nkind: [Pod\n",
    "nothing.yaml": "metadata:\n  name: a\n",
    "types.yaml": web(3).replace("replicas: 3", "replicas: three").replace("image: busybox", "image: busybox\n          ports: [{ containerPort: \"80\" }]"),
    "misspelt.yaml": web(1).replace("image: busybox", "imagee: busybox"),
    "kind.yaml": web(1).replace("Deployment", "Deploymnet"),
    "version.yaml": web(1).replace("apps/v1", "apps/v1beta1"),
    "twice.yaml": `${pod("a")}---\n${pod("a")}`,
    "empty/readme.txt": "no manifest"
  })
  const files = ["indent", "open", "nothing", "types", "misspelt", "kind", "version", "twice"].map((name) => `${name}.yaml`)
  await answers([
    [run(...files, "empty", "absent.yaml"), 2, `\
absent.yaml: the path does not exist
empty: error reading [empty]: recognized file extensions are [.json .yaml .yml]; name another folder, or add -R for the folders within
indent.yaml:5:1: not YAML: this line stands to the left or right of the keys above it; give it their indentation
kind.yaml:2:7: kind: no kind "Deploymnet" in apps/v1; did you mean Deployment?
misspelt.yaml:14:11: spec.template.spec.containers[0].image: Required value
misspelt.yaml:15:11: unknown field "spec.template.spec.containers[0].imagee": Deployment has no such field; did you mean "image"?
nothing.yaml:1:1: apiVersion: Required value; say what this is, such as \`apiVersion: v1\`
nothing.yaml:1:1: kind: Required value; say what this is, such as \`kind: Pod\`
open.yaml:3:1: not YAML: a [ is opened and never closed, or a comma is missing
twice.yaml:3:52: metadata.name: pods "a" already exists; it stands at twice.yaml:1 already; rename or remove one
types.yaml:6:13: spec.replicas: Invalid value: "three": expected an integer
types.yaml:16:36: spec.template.spec.containers[0].ports[0].containerPort: Invalid value: "80": expected an integer; remove the quotes
version.yaml:1:13: apiVersion: no matches for kind "Deployment" in version "apps/v1beta1": removed in 1.16; use apps/v1
`]
  ])
})

const FOUR = { ipFamilies: ["IPv4"] }

it("clusters that cannot be", async () => {
  put({
    "overlap.yaml": cluster({ podCIDRs: ["10.96.0.0/16"] }),
    "few.yaml": cluster({ ...FOUR, nodes: 3, podCIDRs: ["10.244.0.0/23"] }),
    "two.yaml": `${cluster({ nodes: 1 })}---\n${cluster({ nodes: 2 }).split("---\n")[0]}`
  })
  await answers([
    [run("overlap.yaml"), 2, "overlap.yaml:1:49: spec.serviceCIDRs[0]: 10.96.0.0/12 overlaps spec.podCIDRs[0] 10.96.0.0/16\n"],
    [run("few.yaml"), 2, "few.yaml:1:101: spec.podCIDRs[0]: 10.244.0.0/23 cut into /24 is enough for 2 nodes, not 3; " +
      "give a Cluster document wider podCIDRs, or a longer nodeCIDRMaskSize\n"],
    [run("two.yaml"), 2, "two.yaml:5:39: kind: a second Cluster, expected one; the first stands at two.yaml:1\n"]
  ])
})

it("more clusters that cannot be, without the command line around them", () => {
  const link = (between: ReadonlyArray<string>) => ({ links: [{ between, loss: "1%" }] })
  const specs: ReadonlyArray<object> = [
    { ...FOUR, nodes: 1, podCIDRs: ["10.244.0.0/24"], nodeCIDRMaskSize: { ipv4: 31 } }, { ...FOUR, podCIDRs: ["127.0.0.0/16"] },
    { ...FOUR, podCIDRs: ["10.244.0.1/16"] }, { ...FOUR, podCIDRs: ["10.0.0.0/7"], nodeCIDRMaskSize: { ipv4: 24 } },
    { ...FOUR, podCIDRs: ["10.244.0.0/16", "fd00::/48"] }, { ...FOUR, underlay: { cidrs: ["172.18.0.0/30"] } },
    { ipFamilies: ["IPv4", "IPv4"] }, { ipFamilies: [] }, { nodes: 0 }, { nodes: -1 }, { nodes: "3" }, { underlay: { mtu: 1000 } },
    link(["node1", "node1"]), link(["node1", "node9"]),
    { underlay: { delay: "0s" }, links: [{ between: ["node1", "node2"], reorder: "1%" }] },
    { nodes: [{ name: "Node 1" }] }, { nodes: [{ name: "a" }, { name: "a" }] },
    { hosts: [{ name: "h", addresses: ["172.18.0.2/16"] }] }, { hosts: [{ name: "node1", addresses: ["172.18.9.2/16"] }] },
    { cni: { conflist: { cniVersion: "1.0.0", name: "x", plugins: [{ type: "nope" }] } } }, { cni: { conflist: {} } }, { podCIDR: "x" },
    { links: [{ between: ["node1", "node2"], loss: "101%" }] }, { watchDelay: "soon" }
  ]
  const told = specs.map((spec) => `${JSON.stringify(spec)}\n  ${said(cluster(spec)).trimEnd().replaceAll("\n", "\n  ")}\n`).join("")
  expect(told).toMatchInlineSnapshot(`
    "{"ipFamilies":["IPv4"],"nodes":1,"podCIDRs":["10.244.0.0/24"],"nodeCIDRMaskSize":{"ipv4":31}}
      x.yaml:1:145: spec.nodeCIDRMaskSize.ipv4: /31 leaves no address for a pod; at most /30
    {"ipFamilies":["IPv4"],"podCIDRs":["127.0.0.0/16"]}
      x.yaml:1:91: spec.podCIDRs[0]: 127.0.0.0/16 overlaps 127.0.0.0/8, loopback
    {"ipFamilies":["IPv4"],"podCIDRs":["10.244.0.1/16"]}
      x.yaml:1:91: spec.podCIDRs[0]: 10.244.0.1/16 has bits set to the right of its prefix
    {"ipFamilies":["IPv4"],"podCIDRs":["10.0.0.0/7"],"nodeCIDRMaskSize":{"ipv4":24}}
      x.yaml:1:49: spec.serviceCIDRs[0]: 10.96.0.0/12 overlaps spec.podCIDRs[0] 10.0.0.0/7
    {"ipFamilies":["IPv4"],"podCIDRs":["10.244.0.0/16","fd00::/48"]}
      x.yaml:1:90: spec.podCIDRs: has a range of a family that ipFamilies does not name
    {"ipFamilies":["IPv4"],"underlay":{"cidrs":["172.18.0.0/30"]}}
      x.yaml:1:90: spec.underlay: 172.18.0.0/30 has no room for 3 nodes
    {"ipFamilies":["IPv4","IPv4"]}
      x.yaml:1:70: spec.ipFamilies: must be one or two different families
    {"ipFamilies":[]}
      x.yaml:1:70: spec.ipFamilies: must be one or two different families
    {"nodes":0}
      x.yaml:1:65: spec.nodes: must have at least one node
    {"nodes":-1}
      x.yaml:1:65: spec.nodes: Invalid value: -1: expected a whole number, zero or more or a list
    {"nodes":"3"}
      x.yaml:1:65: spec.nodes: Invalid value: "3": expected a whole number, zero or more or a list
    {"underlay":{"mtu":1000}}
      x.yaml:1:75: spec.underlay.mtu: must be between 1280 and 65535, inclusive
    {"links":[{"between":["node1","node1"],"loss":"1%"}]}
      x.yaml:1:77: spec.links[0].between: "node1" twice; a link lies between two machines
    {"links":[{"between":["node1","node9"],"loss":"1%"}]}
      x.yaml:1:77: spec.links[0].between: no node or host is called "node9"
    {"underlay":{"delay":"0s"},"links":[{"between":["node1","node2"],"reorder":"1%"}]}
      x.yaml:1:92: spec.links[0]: reorder needs a delay: what is sent at once overtakes what waits
    {"nodes":[{"name":"Node 1"}]}
      x.yaml:1:74: spec.nodes[0].name: Invalid value: "Node 1": a lowercase RFC 1123 subdomain is expected
    {"nodes":[{"name":"a"},{"name":"a"}]}
      x.yaml:1:87: spec.nodes[1].name: Duplicate value: "a"
    {"hosts":[{"name":"h","addresses":["172.18.0.2/16"]}]}
      x.yaml:1:91: spec.hosts[0].addresses[0]: 172.18.0.2 is node1's address
    {"hosts":[{"name":"node1","addresses":["172.18.9.2/16"]}]}
      x.yaml:1:74: spec.hosts[0].name: Duplicate value: "node1"
    {"cni":{"conflist":{"cniVersion":"1.0.0","name":"x","plugins":[{"type":"nope"}]}}}
      x.yaml:1:127: spec.cni.conflist.plugins[0].type: failed to find plugin "nope" in path [/opt/cni/bin]
    {"cni":{"conflist":{}}}
      x.yaml:1:64: spec.cni.conflist.name: missing network name
      x.yaml:1:64: spec.cni.conflist.plugins: Required value: the list holds no plugins
    {"podCIDR":"x"}
      x.yaml:1:57: unknown field "spec.podCIDR": Cluster has no such field; did you mean "podCIDRs"?
    {"links":[{"between":["node1","node2"],"loss":"101%"}]}
      x.yaml:1:102: spec.links[0].loss: Invalid value: "101%": expected a part of the frames such as 1%, 0.5% or 200ppm
    {"watchDelay":"soon"}
      x.yaml:1:70: spec.watchDelay: Invalid value: "soon": expected a duration such as 5s, 1m30s or 250ms
    "
  `)
})

it("pods that can never run", async () => {
  const big = { containers: [{ name: "c", image: "busybox", resources: { requests: { cpu: "65" } } }] }
  put({
    "nowhere.yaml": `${pod("a", { nodeSelector: { disk: "ssd" } })}---\n${pod("b", big)}`,
    "node.yaml": `${pod("a", { nodeName: "node9" })}---\n${web(1).replace("    spec:\n", "    spec:\n      nodeName: node9\n")}`,
    "full.yaml": `${JSON.stringify({ apiVersion: "podwire.dev/v1", kind: "Cluster", spec: {
      nodes: 1, ipFamilies: ["IPv4"], podCIDRs: ["10.244.0.0/28"], nodeCIDRMaskSize: { ipv4: 30 }
    } })}\n---\n${web(3)}`
  })
  const never = "preemption: 0/3 nodes are available: 3 Preemption is not helpful for scheduling.; add nodes (--nodes) or loosen what the pod asks for"
  await answers([
    [run("nowhere.yaml"), 2, "seed 7\n" +
      `nowhere.yaml:1:126: spec.nodeSelector: pod default/a: 0/3 nodes are available: 3 node(s) didn't match Pod's node affinity/selector. ${never}\n` +
      `nowhere.yaml:3:64: spec: pod default/b: 0/3 nodes are available: 3 Insufficient cpu. ${never}\n`],
    [run("node.yaml"), 2, "node.yaml:1:122: spec.nodeName: no node is called \"node9\"; there are node1, node2, node3\n" +
      "node.yaml:15:17: spec.template.spec.nodeName: no node is called \"node9\"; there are node1, node2, node3\n"],
    [run("full.yaml"), 2, "seed 7\nfull.yaml:12:5: spec.template: pod default/web-74564c6d97-fdx6m: no network: plugin type=\"bridge\" failed (add): " +
      "failed to allocate for range 0: no IP addresses available in range set: 10.244.0.1-10.244.0.2; node1's share of podCIDRs is used up: " +
      "make shares larger (nodeCIDRMaskSize), or add nodes (--nodes) (and 1 more pod alike)\n"]
  ])
})

it("scenarios, flags, targets and programs that are not there", async () => {
  put({
    "step.yaml": scenario({ steps: [{ exce: { pod: "a", argv: ["ping"] } }] })
  })
  const on = ["-f", "good.yaml"]
  await answers([
    [run("step.yaml"), 2, "step.yaml:1:68: unknown field \"spec.steps[0].exce\": Scenario has no such field; did you mean \"exec\"?\n"],
    [["frobnicate"], 2, "podwire: Unknown subcommand \"frobnicate\" for \"podwire\"\nsee: podwire --help\n"],
    [["run", "--frobnicate"], 2, "podwire: Unrecognized flag: --frobnicate in command podwire run\nsee: podwire run --help\n"],
    [["run", "good.yaml", "--seed", "-1"], 2, "podwire: --seed: found -1, expected a whole number, zero or more\n"],
    [["run", "good.yaml", "--out", "good.yaml"], 2, "podwire: good.yaml: cannot write captures: EEXIST: a file stands where the folder should be; " +
      "name another folder with --out. What was written before is whole up to its last packet\n"],
    [["exec", "b", ...on, "--", "hostname"], 2, "seed 7\nError from server (NotFound): pods \"b\" not found\n"],
    [["exec", "a", ...on, "--timeout", "xx", "--", "hostname"], 2, "podwire: --timeout: found \"xx\", expected a duration such as 5s, 1m30s or 250ms\n"],
    [["exec", "a", ...on, "--", "dig", "x"], 127, "seed 7\nexec: \"dig\": executable file not found in $PATH\n"]
  ])
})

const OTHERS = [
  "1 ConfigMap: stored, not modelled yet", "1 HorizontalPodAutoscaler: stored, not modelled yet",
  "1 CustomResourceDefinition: stored, not modelled yet", "1 CronTab (stable.example.com/v1): custom resource, stored and not acted on"
]

it("what is legal and not ours is kept and said, and refused where asked to be strict", async () => {
  put({
    "legal.yaml": `# Source: chart/templates/a.yaml
---
---
# Source: chart/templates/nothing.yaml
---
apiVersion: v1
kind: ConfigMap
metadata: { name: c }
data: { a: b }
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: { name: web }
spec:
  maxReplicas: 3
  scaleTargetRef: { apiVersion: apps/v1, kind: Deployment, name: web }
---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: { name: crontabs.stable.example.com }
spec:
  group: stable.example.com
  scope: Namespaced
  names: { plural: crontabs, kind: CronTab }
  versions: [{ name: v1, served: true, storage: true, schema: { openAPIV3Schema: { type: object } } }]
---
apiVersion: stable.example.com/v1
kind: CronTab
metadata: { name: my-cron }
spec: { cronSpec: "* * * * */5" }
---
${pod("a")}`
  })
  await answers([
    [run("legal.yaml"), 0, `seed 7\n${OTHERS.map((line) => `warning: ${line}\n`).join("")}`],
    [[...run("legal.yaml"), "--strict"], 2, OTHERS.map((line) => `--strict: ${line}\n`).join("")]
  ])
})

it("a file that may not be read", async (context) => {
  if (process.getuid?.() === 0) context.skip("root reads every file")
  put({ "secret.yaml": pod("a") })
  chmodSync(join(folder, "secret.yaml"), 0)
  await answers([[run("secret.yaml"), 2, "secret.yaml: permission denied\n"]])
})

it("a disk that is full", async (context) => {
  const disk = join(folder, "disk")
  mkdirSync(disk)
  const mounted = process.getuid?.() === 0 && spawnSync("mount", ["-t", "tmpfs", "-o", "size=64k", "tmpfs", disk]).status === 0
  if (!mounted) context.skip("only root can make a small disk")
  try {
    await answers([[["run", "good.yaml", "--out", "disk/out"], 2, "seed 7\npodwire: disk/out/node1-cni0.pcapng: cannot write captures: " +
      "ENOSPC: the disk is full; free some space, or name a folder on another disk with --out. What was written before is whole up to its last packet\n"]])
  } finally {
    spawnSync("umount", [disk])
  }
})

const bytes = fc.oneof(
  fc.uint8Array({ maxLength: 200 }).map((some) => Buffer.from(some).toString("latin1")),
  fc.string({ unit: "binary", maxLength: 100 }),
  fc.array(fc.constantFrom("a: ", "- ", "  ", "\n", "[", "]", "{", "}", "&x ", "*x", "|", ">", "\"", "'", "#", "---\n", "? ", "!!str ", "~", "\t", "0x1", "kind: Pod\n"), { maxLength: 40 })
    .map((parts) => parts.join(""))
)

/** Manifests in which one place holds something else. */
const SEEDS = [
  web(2), pod("a"), cluster({ nodes: 2, podCIDRs: ["10.0.0.0/16", "fd00::/48"], links: [{ between: ["node1", "node2"], loss: "1%" }] }),
  scenario({ seed: 3, steps: [{ exec: { pod: "a", argv: ["hostname"] }, expect: { exit: 0 } }] })
]
const other = fc.oneof(
  fc.jsonValue({ maxDepth: 2 }).map((value) => JSON.stringify(value)), fc.constantFrom("null", "-1", "1e99", "1.5", "9007199254740993", "''", "a b", "10.0.0.0/33", "{}", "[]", "[[]]", "~")
)
const changed = fc.record({ text: fc.constantFrom(...SEEDS), at: fc.nat(), value: other }).map(({ text, at, value }) => {
  const places = [...text.matchAll(/(?<=[:[,] ?)("[^"]*"|[\w./-]+)/g)]
  const place = places[at % places.length]!
  return text.slice(0, place.index) + value + text.slice(place.index + place[0].length)
})

it("any text at all is taken or refused with a place, and is never a bug", () => {
  const numRuns = Math.max(400, Number(process.env["PODWIRE_RUNS"] ?? 0))
  fc.assert(fc.property(fc.oneof(bytes, changed), (text) => {
    expect(typeof said(text)).toBe("string")
  }), { seed: 11, numRuns })
})

const word = fc.constantFrom(
  "run", "exec", "inspect", "cni", "good.yaml", "-f", "--seed", "7", "-1", "x", "--nodes", "2", "--strict", "-q", "-v", "-o", "json", "a", "--",
  "hostname", "ip", "addr", "--no-captures", "--out", "o", "-c", "c", "-n", "default", "--help", "--version", "-R", "", "-", "--pcap=maybe", "--seed="
)

it("any command line ends with 0, 1, 2 or what a program of the pod said, never with 3", async () => {
  const lines = fc.sample(fc.array(word, { maxLength: 9 }), { seed: 5, numRuns: Math.max(6, Number(process.env["PODWIRE_RUNS"] ?? 0)) })
  const got = await all(lines, (line) => podwire(line))
  const bugs = got.flatMap(({ code, stderr }, i) => (code < 0 || code === 3 ? [`${lines[i]!.join(" ")}: ${code} ${stderr}`] : []))
  expect(bugs).toEqual([])
}, 120_000)
