/** What is printed as YAML is read back equal; strings of which kubectl 1.32 printed what stands here. */
import fc from "fast-check"
import { expect, it } from "vitest"
import { readDocuments } from "../../src/input/documents.ts"
import { toYaml } from "../../src/print/yaml.ts"

const LONG = "long text of many words that goes on and on and on well beyond eighty columns of the terminal, indeed it does"

it("quotes, folds and orders as kubectl", () => {
  expect(toYaml({
    data: {
      a: "y", ab: `a: ${LONG}`, ad: "  lead\nline", ae: "trail \nline", af: "x\n\n", aj: ".inf", aw: "1:30", ba: ":a", be: "NaN",
      bg: "0001", c: "2024-01-01", e: `a ${LONG}`, f: "multi\nline\n", h: " lead", j: "it's: x", k: "", n: "x #y", n10: "a", n9: "@x", o: "a\tb",
      q: "é ✓ 😀", v: "<none>", y: "1_000"
    }
  })).toMatchInlineSnapshot(`
    "data:
      a: "y"
      ab: 'a: long text of many words that goes on and on and on well beyond eighty columns
        of the terminal, indeed it does'
      ad: |2-
          lead
        line
      ae: "trail \\nline"
      af: |+
        x

      aj: ".inf"
      aw: "1:30"
      ba: :a
      be: NaN
      bg: "0001"
      c: "2024-01-01"
      e: a long text of many words that goes on and on and on well beyond eighty columns
        of the terminal, indeed it does
      f: |
        multi
        line
      h: ' lead'
      j: 'it''s: x'
      k: ""
      "n": 'x #y'
      n9: '@x'
      n10: a
      o: "a\\tb"
      q: "é ✓ \\U0001F600"
      v: <none>
      "y": "1_000"
    "
  `)
})

it("is read back equal", () => {
  const text = fc.oneof(
    fc.string({ unit: fc.constantFrom(..." \n:#-?'\"ay01.eE+_~,[]{}!%\t\\é😀\u0085\u2028|>") , maxLength: 12 }),
    fc.string({ unit: fc.constantFrom("a", "word", " ", " ", ": ", "\"", "'", "\t"), minLength: 30, maxLength: 90 })
  )
  const data = fc.dictionary(text, text, { maxKeys: 4, noNullPrototype: true })
  const value = fc.record({ data, list: fc.array(fc.oneof(text, fc.integer(), fc.boolean(), data, fc.array(text, { maxLength: 3 })), { maxLength: 4 }) })
  fc.assert(fc.property(value, (fields) => {
    const object = { apiVersion: "v1", kind: "X", metadata: { name: "x" }, ...fields }
    const { documents, problems } = readDocuments([{ name: "x.yaml", content: toYaml(object) }])
    expect(problems).toEqual([])
    expect(documents[0]?.value).toEqual(object)
  }), { seed: 7, numRuns: 300 })
})
