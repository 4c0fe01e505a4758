/** Whole texts of errors: every document is read, each fault has its line and column. */
import { problemsToJson, readDocuments } from "@podwire/lab/input/index"
import { expect, it } from "vitest"
import { HEAD, read } from "./read.ts"

it("syntax: one fault a document, all documents", () => {
  const texts = [
    "a: b: c",
    "a:\n\tb: c",
    "a: [b",
    "a: {b",
    "a: 'b",
    "a: @b",
    "a: - b",
    "a: b\n  c: d",
    "a:\n   b: c\n  d: e",
    "a: *b",
    'a: "\\q"',
    "? [a]\n: b",
    "image: {{ .Values.image }}",
    'a: {{ include "x" . }}',
    "{{- if .Values.on }}\na: b\n{{- end }}",
    "a: b\ntext",
    "a: &x &y b",
    `${"k".repeat(1030)}: v`,
    "- a\n b",
    "%YAML 1.1",
    "a: b\n...\nc: d",
    "a: &a [*a]",
    "a: {<<: 5}",
    "a: 1\nb: 2\na: 3"
  ]
  expect(read(texts.join("\n---\n"))).toBe(`\
f.yaml:1:4: not YAML: a second colon, or a mapping within a line; put the value in quotes, or start a new line
f.yaml:4:1: not YAML: a tab where YAML wants spaces; indent with spaces
f.yaml:7:1: not YAML: a [ is opened and never closed, or a comma is missing
f.yaml:9:1: not YAML: a { is opened and never closed, or a comma is missing
f.yaml:10:4: not YAML: a quote is opened and never closed
f.yaml:12:4: not YAML: a plain text cannot start with this character; put it in quotes
f.yaml:14:4: not YAML: a list cannot start on the line of its key; put - on the next line
f.yaml:16:4: not YAML: a second colon, or a mapping within a line; put the value in quotes, or start a new line
f.yaml:21:1: not YAML: this line stands to the left or right of the keys above it; give it their indentation
f.yaml:23:4: a: unknown anchor "b"; put &b before the value that is meant, above this line
f.yaml:25:5: not YAML: invalid escape sequence \\q
f.yaml:27:3: found a list as a key, expected a string; put the key in quotes
f.yaml:30:9: image: found a mapping as a key, expected a string; quote it; a Helm template must be rendered first: helm template
f.yaml:32:5: a: found a mapping as a key, expected a string; quote it; a Helm template must be rendered first: helm template
f.yaml:34:3: not YAML: block collections are not allowed within flow collections; a Helm template must be rendered first: helm template
f.yaml:39:1: not YAML: a text that is neither a key nor a value; is a colon missing?
f.yaml:41:7: not YAML: two anchors on one value; keep one
f.yaml:43:1: not YAML: a key longer than 1024 characters
f.yaml:45:1: found a list, expected a mapping with apiVersion and kind
f.yaml:48:1: kubectl reads no directives, found "%YAML 1.1"; remove the line
f.yaml:50:1: apiVersion: Required value; say what this is, such as \`apiVersion: v1\`
f.yaml:50:1: kind: Required value; say what this is, such as \`kind: Pod\`
f.yaml:52:1: kubectl drops what follows \`...\`, found "c: d", expected ---; start the next document with ---
f.yaml:54:8: a[0]: the value of anchor "a" contains itself
f.yaml:56:9: a[<<]: found "5", expected a mapping, or a list of mappings, to merge
f.yaml:60:1: the key "a" is already set in this mapping; keep one of them`)
})

it("JSON: strict once a key is quoted, YAML otherwise; keys twice, digits lost", () => {
  const json = (rest: string) => `{"apiVersion":"v1","kind":"X",${rest}`
  const texts = [
    json('"a":1,}'),
    json('"a":01}'),
    json('"a":"x\n"}'),
    json('"a":"\\x"}'),
    json('"a":"x'),
    json("'a':1"),
    json('"a" 1}'),
    json('"a":[1 2]}'),
    json('"a":1}x'),
    json('"a":{"b":1,"c":[0,{"b":1,"b":2}]}}'),
    json('"a":[9007199254740993,1e400]}'),
    '{"a":@}',
    "{a: @}",
    `${json('"a":1}')} # fine`
  ]
  expect(read(texts.join("\n---\n"))).toBe(`\
f.yaml:8:36: not JSON: an escape that JSON does not have
f.yaml:10:37: not JSON: a line break or tab within a JSON string; write \\n or \\t
f.yaml:12:31: not JSON, found "'", expected a key in double quotes
f.yaml:14:35: not JSON, found "1", expected a colon
f.yaml:18:37: not JSON, found "x", expected a JSON value
f.yaml:20:56: a.c[1]: the key "b" is already set in this mapping; keep one of them
f.yaml:22:36: a[0]: an integer beyond ±9007199254740991, whose last digits would be lost, found 9007199254740993; put it in quotes if its text is meant
f.yaml:22:53: a[1]: the number does not fit a double, found 1e400
f.yaml:24:6: not JSON, found "@", expected a JSON value
f.yaml:26:5: not YAML: a plain text cannot start with this character; put it in quotes`)
})

it("bytes: UTF-8, NUL and controls, surrogates, the separator", () => {
  const bytes = (...parts: ReadonlyArray<string | number>) =>
    Uint8Array.from(
      parts.flatMap((part) => (typeof part === "number" ? [part] : [...new TextEncoder().encode(part)]))
    )
  const inputs: ReadonlyArray<string | Uint8Array> = [
    bytes("a: é", 0xff, "b"),
    bytes("a: b\r\nc: ", 0xc3),
    bytes(0xe0, 0x80, 0x80),
    bytes("a\n\n  ", 0xed, 0xa0, 0x80),
    bytes(0xf4, 0x90, 0x80, 0x80),
    bytes("x", 0xc0, 0xaf),
    "a: b\0c",
    "a\u001bb",
    "a\u007f",
    "a\ufffe",
    "é\n😀\ud83d x",
    "\udc00",
    bytes(0xff, 0xfe, 0x61),
    "--- a: b\n---x\n----\n"
  ]
  expect(inputs.map(read).join("\n")).toBe(`\
f.yaml:1:5: invalid UTF-8, found byte 0xff; save the file as UTF-8
f.yaml:2:4: invalid UTF-8, found byte 0xc3; save the file as UTF-8
f.yaml:1:1: invalid UTF-8, found byte 0xe0; save the file as UTF-8
f.yaml:3:3: invalid UTF-8, found byte 0xed; save the file as UTF-8
f.yaml:1:1: invalid UTF-8, found byte 0xf4; save the file as UTF-8
f.yaml:1:2: invalid UTF-8, found byte 0xc0; save the file as UTF-8
f.yaml:1:5: control characters are not allowed, found a NUL byte; is this a text file in UTF-8?
f.yaml:1:2: control characters are not allowed, found U+001B; remove it, or write it as an escape in double quotes
f.yaml:1:2: control characters are not allowed, found U+007F; remove it, or write it as an escape in double quotes
f.yaml:1:2: control characters are not allowed, found U+FFFE; remove it, or write it as an escape in double quotes
f.yaml:2:2: half of a surrogate pair is no character, found U+D83D; save the file as UTF-8
f.yaml:1:1: half of a surrogate pair is no character, found U+DC00; save the file as UTF-8
f.yaml:1:1: half of a surrogate pair is no character, found U+D800; save the file as UTF-8
f.yaml:1:1: invalid YAML document separator, found "--- a: b", expected --- alone on its line; put the rest on the next line
f.yaml:2:1: invalid YAML document separator, found "---x", expected --- alone on its line; put the rest on the next line
f.yaml:3:1: invalid YAML document separator, found "----", expected --- alone on its line; put the rest on the next line`)
})

it("objects have the API server's limit, documents one of their own", () => {
  expect(read(`${HEAD}data: {k: "${"é".repeat(3 * 512 * 1024)}"}\n`)).toBe(
    "f.yaml:1:1: an object above 3145728 bytes, the API server's limit of a request; split it"
  )
  expect(read(`\n#\n${" ".repeat(33 * 1024 * 1024)}a`)).toMatch(
    /^f.yaml:3:\d+: a document longer than 33554432 characters; split it with ---$/
  )
})

it("aliases are bounded as go-yaml bounds them, and depth", () => {
  const bomb = Array.from({ length: 9 }, (_, i) => `a${i + 1}: &a${i + 1} [${`*a${i}, `.repeat(9)}]`).join(
    "\n"
  )
  expect(read(`${HEAD}a0: &a0 [x, x, x]\n${bomb}\n`)).toMatch(
    /^f.yaml:\d+:\d+: a\d\[\d\]: the document contains excessive aliasing; write the values out$/
  )
  const deep = (levels: number) => read(`${HEAD}a: ${"[".repeat(levels)}${"]".repeat(levels)}\n`)
  expect(deep(498)).toBe(`{"apiVersion":"v1","kind":"ConfigMap","a":${"[".repeat(498)}${"]".repeat(498)}}`)
  expect(
    [
      deep(5000),
      read("[".repeat(50_000)),
      read('{"a":'.repeat(5000)),
      read(Array.from({ length: 700 }, (_, i) => `${" ".repeat(i)}a:`).join("\n"))
    ].join("\n")
  ).toBe(`\
f.yaml:3:505: nested more than 500 levels deep
f.yaml:1:503: nested more than 500 levels deep
f.yaml:1:2501: not JSON: nested more than 500 levels deep
f.yaml:502:503: nested more than 500 levels deep`)
})

it("a list at the column of its ? key, which yaml 2.9.1 drops, is an error", () => {
  expect(read(`${HEAD}a:\n  ? b\n  - c\n`)).toBe(
    "f.yaml:4:3: text after a `? key` that would be lost; write `key: value`"
  )
  expect(read(`${HEAD}? b\n: [c]\n? &x d\n: *x\n? e\n<<: {f: g}\n`)).toBe(
    '{"apiVersion":"v1","kind":"ConfigMap","b":["c"],"d":"d","e":null,"f":"g"}'
  )
})

it("problems are sorted, cut at fifty, and whole as JSON", () => {
  const { problems } = readDocuments([
    { name: "b.yaml", content: "a\n---\n".repeat(60) },
    { name: "a.yaml", content: `${HEAD}spec:\n  é😀: {n: 1, no: 2}\n` }
  ])
  const { problems: parsed } = JSON.parse(problemsToJson(problems))
  expect(parsed).toHaveLength(61)
  expect(parsed[0]).toEqual({
    file: "a.yaml",
    line: 4,
    column: 14,
    path: "spec[é😀]",
    remedy: "keep one of them",
    message: 'the key "false" is already set in this mapping; keep one of them'
  })
})
