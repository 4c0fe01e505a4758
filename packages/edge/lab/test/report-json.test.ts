/** `run -o json` keeps its promise: the schema in the repository is the one that reports obey. */
import { readFileSync, writeFileSync } from "node:fs"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { expect, it } from "vitest"
import { InputError, Lab, renderJson, runLab, RunJson } from "@podwire/lab"
import { NodeServices } from "@effect/platform-node"

const FILE = new URL("../schema/run.schema.json", import.meta.url)

it("schema/run.schema.json is made from the Schema", () => {
  const { schema, definitions } = Schema.toJsonSchemaDocument(RunJson)
  const text = `${JSON.stringify({ $schema: "https://json-schema.org/draft/2020-12/schema", ...schema, $defs: definitions }, null, 2)}\n`
  if (process.env["PODWIRE_UPDATE"] === "1") writeFileSync(FILE, text)
  expect(readFileSync(FILE, "utf8")).toBe(text)
})

const POD = (name: string, port: number) =>
  `apiVersion: v1\nkind: Pod\nmetadata: {name: ${name}}\nspec: {containers: [{name: a, image: a1, ports: [{containerPort: ${port}}]}, ` +
  "{name: b, image: b1, ports: [{containerPort: 80}]}]}\n"

it.each([["all holds", POD("p", 81), true], ["a port clash", POD("p", 80), false]])("%s: the report obeys it", async (_, content, held) => {
  const text = await Effect.runPromise(Effect.gen(function*() {
    const lab = yield* Lab.of([{ name: "m.yaml", content }], { nodes: 1 })
    return renderJson(lab, yield* runLab(lab), { name: "m", verbose: false, out: null })
  }).pipe(Effect.scoped, Effect.provide(NodeServices.layer)) as Effect.Effect<string, InputError>)
  const json = Schema.decodeUnknownSync(RunJson)(JSON.parse(text), { onExcessProperty: "error" })
  expect(json.held).toBe(held)
  expect(json.reach!.length).toBe(4)
  expect(json.failures.map((failure) => `${failure.line}:${failure.path}`)).toEqual(held ? [] : ["4:spec.containers[1].ports[0].containerPort"])
})
