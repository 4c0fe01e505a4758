/** A Cluster document may hold its CNI configuration or name a file beside it; errors stand where they were written. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { NodeServices } from "@effect/platform-node"
import * as Effect from "effect/Effect"
import { afterAll, expect, it } from "vitest"
import { InputError, Lab } from "@podwire/lab"

const folder = mkdtempSync(join(tmpdir(), "podwire-conflist-"))
afterAll(() => rmSync(folder, { recursive: true }))

const CLUSTER = (conflist: string) => `apiVersion: podwire.dev/v1\nkind: Cluster\nspec:\n  nodes: 1\n  cni:\n    conflist: ${conflist}\n---\n`
const POD = "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {containers: [{name: a, image: img}]}\n"

async function outcome(conflist: string, file: string | null): Promise<string> {
  writeFileSync(join(folder, "c.yaml"), CLUSTER(conflist) + POD)
  if (file !== null) writeFileSync(join(folder, "10-x.conflist"), file)
  const run = Effect.gen(function*() {
    const lab = yield* Lab.make({ manifests: [join(folder, "c.yaml")] })
    yield* lab.settle()
    return [lab.cluster.pods.map((pod) => pod.describe()).join("\n"), ...lab.warnings].join("\n")
  }).pipe(Effect.scoped, Effect.provide(NodeServices.layer), Effect.catchTag("InputError", (error: InputError) => Effect.succeed(error.message)))
  return (await Effect.runPromise(run as Effect.Effect<string>)).replaceAll(`${folder}/`, "")
}

const list = (...plugins: ReadonlyArray<string>) => `{\n  "cniVersion": "1.0.0",\n  "name": "n",\n  "plugins": [\n    ${plugins.join(",\n    ")}\n  ]\n}\n`
const PTP = '{ "type": "ptp", "ipam": { "type": "host-local", "subnet": "usePodCidr" } }'

it("a file beside the document, with the node's own range filled in; what is not modelled is said", async () => {
  expect(await outcome("10-x.conflist", list(PTP, '{ "type": "portmap" }'))).toBe(
    "default/a 10.244.0.2 on node1\nCNI portmap: hostPort is not forwarded"
  )
})

it("errors stand in the file that holds them", async () => {
  expect(await outcome("10-x.conflist", list('{ "type": "brigde" }'))).toMatch(/^10-x\.conflist:5:15: plugins\[0\]\.type: /)
  expect(await outcome("10-x.conflist", "{")).toMatch(/^10-x\.conflist:\d+:\d+: /)
  expect(await outcome("absent.conflist", null)).toBe("c.yaml:6:15: spec.cni.conflist: absent.conflist: cannot be read")
  expect(await outcome("{ cniVersion: 1.0.0, name: net, plugins: [{ type: bridge, ipam: { type: host-local, subnet: 10.0.0.1/24 } }] }", null))
    .toMatch(/^c\.yaml:6:\d+: spec\.cni\.conflist\.plugins\[0\]\.ipam\.subnet: /)
})
