/** The real file system in a temporary folder: what `-f` takes, and every way it can fail. */
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Stdio from "effect/Stdio"
import * as Stream from "effect/Stream"
import { execFileSync, spawn } from "node:child_process"
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { loadDocuments, readDocuments, sourcesFrom } from "@podwire/lab/input/index"
import { afterAll, expect, it } from "vitest"

const root = mkdtempSync(join(tmpdir(), "input-"))
afterAll(() => rmSync(root, { recursive: true, force: true }))

const pod = (name: string) => `apiVersion: v1\nkind: Pod\nmetadata:\n  name: ${name}\n`

function write(files: Readonly<Record<string, string>>): void {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, name)), { recursive: true })
    writeFileSync(join(root, name), text)
  }
}

/** `file name` of each object, or the error's text; the temporary folder is written as `/`. */
async function load(
  paths: ReadonlyArray<string>,
  options: { readonly recursive?: boolean; readonly stdin?: string } = {}
) {
  const bytes = new TextEncoder().encode(options.stdin ?? "")
  const stdio = Layer.mergeAll(
    NodeServices.layer,
    Stdio.layerTest({
      stdin: Stream.fromArray([bytes.subarray(0, 7), bytes.subarray(7)])
    })
  )
  const result = await Effect.runPromise(
    Effect.provide(
      Effect.result(
        loadDocuments(
          paths.map((path) => path.replace(/^\//, `${root}/`)),
          options
        )
      ),
      stdio
    )
  )
  const text =
    result._tag === "Failure"
      ? result.failure.message
      : result.success
          .map(({ file, value }) => `${file} ${(value["metadata"] as { readonly name: string }).name}`)
          .join("\n")
  return text.replaceAll(`${root}/`, "/")
}

it("files of any name, folders by extension and order of bytes, -R in place", async () => {
  write({
    "k8s/b.yaml": pod("b"),
    "k8s/a.yml": pod("a"),
    "k8s/B.json": JSON.stringify({ apiVersion: "v1", kind: "Pod", metadata: { name: "json" } }),
    "k8s/README.md": "text",
    "k8s/c/x.yaml": pod("x"),
    "k8s/aa/y.yaml": pod("why"),
    "k8s/e.yaml.bak": "{",
    "odd.txt": pod("odd")
  })
  expect(await load(["/odd.txt", "/k8s"])).toBe("/odd.txt odd\n/k8s/B.json json\n/k8s/a.yml a\n/k8s/b.yaml b")
  expect(await load(["/k8s"], { recursive: true })).toBe(
    "/k8s/B.json json\n/k8s/a.yml a\n/k8s/aa/y.yaml why\n/k8s/b.yaml b\n/k8s/c/x.yaml x"
  )
})

it("standard input once, several arguments together", async () => {
  expect(await load(["-", "/odd.txt"], { stdin: `${pod("one")}---\n${pod("two")}` })).toBe(
    "STDIN one\nSTDIN two\n/odd.txt odd"
  )
  expect(await load(["-", "-"], { stdin: pod("one") })).toBe(
    "STDIN: standard input cannot be used for multiple arguments; give - once"
  )
  expect(await load(["-"], { stdin: "# nothing\n" })).toBe(
    "STDIN: no objects in the input; give a file with at least one manifest"
  )
})

it("links: to files and the named folder followed, to folders within not entered", async () => {
  write({ "links/real.yaml": pod("real"), "data/in.yaml": pod("in") })
  symlinkSync(join(root, "data/in.yaml"), join(root, "links/link.yaml"))
  symlinkSync(join(root, "data"), join(root, "links/folder"))
  symlinkSync(join(root, "links"), join(root, "named"))
  symlinkSync(join(root, "nowhere"), join(root, "dangling.yaml"))
  symlinkSync(join(root, "loop"), join(root, "loop"))
  expect(await load(["/links"], { recursive: true })).toBe("/links/link.yaml in\n/links/real.yaml real")
  expect(await load(["/named"])).toBe("/named/link.yaml in\n/named/real.yaml real")
  expect(await load(["/dangling.yaml", "/loop"])).toBe(
    "/dangling.yaml: the path does not exist\n/loop: a link that leads to itself"
  )
})

it("every failure at once, with the problems of the texts that could be read", async () => {
  write({
    "bad.yaml": "apiVersion: v1\nkind: Pod\nkind: Pod\n",
    "empty/README.md": "x",
    "deep/er/z.yaml": pod("z")
  })
  expect(
    await load([
      "/bad.yaml",
      "/none.yaml",
      "/k8s/*.yaml",
      "/empty",
      "/deep",
      "/odd.txt/x",
      "https://example.org/a.yaml",
      ""
    ])
  ).toBe(`\
"": an empty file name; name a file, a folder, or - for standard input
/bad.yaml:3:1: the key "kind" is already set in this mapping; keep one of them
/deep: error reading [/deep]: recognized file extensions are [.json .yaml .yml]; name another folder, or add -R for the folders within
/empty: error reading [/empty]: recognized file extensions are [.json .yaml .yml]; name another folder, or add -R for the folders within
/k8s/*.yaml: the path does not exist; leave the pattern unquoted, the shell expands it
/none.yaml: the path does not exist
/odd.txt/x: the path does not exist
https://example.org/a.yaml: URLs are not fetched; fetch it first: curl -L https://example.org/a.yaml | podwire run -f -`)
  expect(await load([])).toBe("-f: nothing to read; name a file, a folder, or - for standard input")
})

it("charts and kustomizations are refused with the command that renders them", async () => {
  write({
    "chart/Chart.yaml": "name: web\n",
    "chart/templates/a.yaml": "{{ x }}",
    "kust/kustomization.yaml": "resources: [a.yaml]\n",
    "kust/a.yaml": pod("a"),
    "mono/web/Chart.yaml": "name: web\n",
    "mono/a.yaml": pod("a"),
    "mono/prod/Kustomization": "resources: []\n"
  })
  expect(await load(["/chart", "/kust"])).toBe(`\
/chart: a Helm chart, not manifests; render it: helm template /chart | podwire run -f -
/kust: a kustomization, not manifests; render it: kustomize build /kust | podwire run -f -`)
  expect(await load(["/mono"], { recursive: true })).toBe(`\
/mono/prod: a kustomization, not manifests; render it: kustomize build /mono/prod | podwire run -f -
/mono/web: a Helm chart, not manifests; render it: helm template /mono/web | podwire run -f -`)
  expect(await load(["/mono"])).toBe("/mono/a.yaml a")
})

it("a FIFO is read when named and refused within a folder, devices have an end", async () => {
  mkdirSync(join(root, "pipes"))
  execFileSync("mkfifo", [join(root, "pipes/p.yaml")])
  expect(await load(["/pipes"])).toBe(
    "/pipes/p.yaml: found a FIFO, expected a file; move it out of the folder"
  )
  const writer = spawn("sh", [
    "-c",
    'printf "%s" "$1" > "$2"',
    "sh",
    pod("piped"),
    join(root, "pipes/p.yaml")
  ])
  expect(await load(["/pipes/p.yaml"])).toBe("/pipes/p.yaml piped")
  writer.kill()
  expect(await load(["/dev/null"].map((path) => `../../../../..${path}`))).toMatch(
    /null: no objects in the input; give a file with at least one manifest$/
  )
})

it("what may not be read says so", async () => {
  write({ "secret.yaml": pod("s"), "closed/a.yaml": pod("a") })
  chmodSync(root, 0o755)
  chmodSync(join(root, "secret.yaml"), 0)
  chmodSync(join(root, "closed"), 0)
  const asRoot = process.geteuid?.() === 0
  // Nothing is closed to root: read as nobody, and be root again.
  if (asRoot) process.seteuid!(65534)
  const text = await load(["/secret.yaml", "/closed", "/closed/a.yaml"]).finally(
    () => asRoot && process.seteuid!(0)
  )
  chmodSync(join(root, "closed"), 0o700)
  expect(text).toBe(`\
/closed: permission denied; make it readable
/closed/a.yaml: permission denied; make it readable
/secret.yaml: permission denied; make it readable`)
})

it("memory serves as well", () => {
  const { documents } = readDocuments(
    sourcesFrom({ "a.yaml": pod("a"), "b.yaml": new TextEncoder().encode(pod("b")) })
  )
  expect(documents.map(({ file, index }) => `${file} ${index}`)).toEqual(["a.yaml 0", "b.yaml 0"])
})
