/** The package as npm packs it, used by plain Node: the README's example, and its types. */
import { spawnSync } from "node:child_process"
import {
  existsSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync
} from "node:fs"
import { tmpdir } from "node:os"
import { delimiter, dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { afterAll, expect, it } from "vitest"

const here = dirname(dirname(fileURLToPath(import.meta.url)))
const folder = mkdtempSync(join(tmpdir(), "pcap-writer-pack-"))
afterAll(() => rmSync(folder, { recursive: true }))

function run(command: string, args: ReadonlyArray<string>, cwd = folder): string {
  const { status, stdout, stderr, error } = spawnSync(command, args, { cwd, encoding: "utf8" })
  expect({ command, status, said: status === 0 ? "" : stdout + stderr, error })
    .toEqual({ command, status: 0, said: "", error: undefined })
  return stdout
}

/** The Node that runs this, and every other one on the PATH. */
function nodes(): ReadonlyArray<string> {
  const name = process.platform === "win32" ? "node.exe" : "node"
  const onPath = (process.env["PATH"] ?? "").split(delimiter).map((path) => join(path, name))
  const found = [process.execPath, ...onPath]
  return [...new Set(found.filter((path) => existsSync(path)).map((path) => realpathSync(path)))]
}

it("built, packed and installed, it runs the README's example on every Node at hand", () => {
  run(process.execPath, [join(here, "build.mjs"), join(folder, "dist")])
  const packed = run("npm", ["pack", "./dist", "--json", "--offline", "--loglevel=error"])
  const [{ filename, files }] = JSON.parse(packed)
  const paths: ReadonlyArray<string> = files.map((file: { readonly path: string }) => file.path)
  expect(paths.filter((path) => !path.endsWith(".d.ts"))).toEqual([
    "LICENSE", "README.md", "block.js", "capture-file.js", "codes.js", "field.js", "index.js", "package.json",
    "pcap.js", "pcapng.js", "read-pcap.js", "read-pcapng.js", "reader.js", "text.js"
  ])
  const manifest = JSON.parse(readFileSync(join(folder, "dist/package.json"), "utf8"))
  expect(manifest).not.toHaveProperty("private")

  mkdirSync(join(folder, "node_modules/pcap-writer"), { recursive: true })
  run("tar", ["-xzf", filename, "-C", "node_modules/pcap-writer", "--strip-components=1"])
  const readme = readFileSync(join(here, "README.md"), "utf8")
  const example = /```js\n([^`]*)```/.exec(readme)![1]!
  const printed = /^\/\/ (.*)$/m.exec(example.slice(example.indexOf("console.log")))![1]!
  writeFileSync(join(folder, "example.mjs"), example)
  for (const node of nodes()) {
    expect(`${node}: ${run(node, ["example.mjs"])}`).toBe(`${node}: ${printed}\n`)
    if (spawnSync("tshark", ["-v"]).status !== 0) continue
    const fields = ["-e", "frame.interface_name", "-e", "arp.dst.proto_ipv4"]
    expect(run("tshark", ["-r", "example.pcapng", "-T", "fields", ...fields])).toBe(
      "node1/eth0\t10.0.0.2\n".repeat(2))
  }

  writeFileSync(join(folder, "package.json"), '{"type":"module"}')
  writeFileSync(join(folder, "use.ts"), `import { type Packet, PcapWriter, readCapture } from "pcap-writer"
const sink = { write: (chunk: Uint8Array): void => void chunk.length }
const writer: PcapWriter = new PcapWriter(sink, { nanosecond: true })
export const first: Packet | undefined = readCapture(new Uint8Array()).packets[0]
// @ts-expect-error: a packet has bytes
writer.packet(1)
`)
  run(process.execPath, [
    join(here, "../../../node_modules/typescript/bin/tsc"), "--noEmit", "--strict", "--module", "nodenext",
    "--target", "es2022", "--types", "", "use.ts"
  ])
})
