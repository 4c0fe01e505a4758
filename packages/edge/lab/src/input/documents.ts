/**
 * Text → documents: what `kubectl -f` makes of a file. Text is cut at lines that start with `---`, as
 * apimachinery's YAMLReader cuts it, each piece is read as JSON values or as one YAML document, lists are
 * taken apart. Nothing throws; problems of all documents come together.
 *
 * Decided cases, each seen with kubectl 1.32.4 (`kubectl label --local -o json`) and found in the sources of
 * go.yaml.in/yaml/v2 2.4 (resolve.go, decode.go), sigs.k8s.io/yaml 1.6 and apimachinery (yaml/decoder.go):
 *
 *   y Y yes Yes YES on On ON true True TRUE   true        n N no No NO off Off OFF false …   false
 *   yES oN tRUE                               strings     ~ null Null NULL and nothing       null
 *   017 0o17 0O17 0b1111 0xf 0XF +15 1_5      15          08 (no octal)                      8
 *   0o8 0b2 0x _1 1e400 .e3                   strings     1e3 1. 1_0.5 .5_0                  1000 1 10.5 0.5
 *   12:30:45 2024-01-01 1.2.3 0x1p3           strings     .inf .nan                    error; as keys ".inf"
 *   {n: 3} {0x10: 3} {1.10: 3} {1e7: 3}       "false" "16" "1.1" "1e+07" as keys
 *   {~: 3} {[a]: 3} {{a: b}: 3}               error       9007199254740993 (kept by kubectl) error
 *   18446744073709551615 (beyond int64)       nearest double
 *   !!str 5, ! 5                              "5"         !!int "3", !!bool "yes", !!float 3 3, true, 3
 *   !!int x                                   error       !!binary aGVsbG8=                  "hello"
 *   a key, then <<: *a                        the merge wins; <<: first, the key wins; <<: [*a, *b], a wins
 *   --- text, ---text                         error       %YAML, %TAG                        error
 *   {…}{…} JSON values in a row               documents   [..] or text as a document         error
 *   items: [...] at the top, of any kind      a list      items of a PodList without kind    kind Pod
 *   items: null                               no objects  a list in a list                   error
 *
 * Stricter than kubectl, which would lose or change input in silence: a key twice (the last wins there), an
 * unknown tag (dropped), text after `...` (dropped), invalid UTF-8 (U+FFFD). Stricter also: an int64 beyond
 * 2^53, and an object above 3 MiB, the API server's limit of a request, in the file already.
 * Stricter by the `yaml` package: "a"#c without a space, \' in double quotes, a block text's | or > at column
 * 1 under its key. Looser: a tab before a plain text, \/ in double quotes, JSON followed by any YAML
 * documents.
 */
import { type Fault, JsonReader } from "./json-reader.ts"
import { describe, makeProblem, type Path, type Place, type Problem, quote } from "./problem.ts"
import { decodeText, type Text } from "./text.ts"
import { offsetOf, type Tree, type Value } from "./tree.ts"
import { readYaml } from "./yaml-reader.ts"

export interface SourceFile {
  /** As the user wrote it, or STDIN. */
  readonly name: string
  readonly content: string | Uint8Array
}

export interface Documents {
  readonly documents: ReadonlyArray<Document>
  readonly problems: ReadonlyArray<Problem>
}

/** As the decoders of `kube/api` report; `atKey` when the key itself is wrong, not its value. */
export interface Issue {
  readonly path: Path
  readonly atKey: boolean
  readonly message: string
}

export type ObjectValue = { readonly [key: string]: Value }

/** The API server's limit of a request body (apiserver `MaxRequestBodyBytes`). */
const OBJECT_BYTES_MAX = 3 * 1024 * 1024
/** A document may be a List of many objects; what stands in memory at once needs a limit all the same. */
const DOCUMENT_LENGTH_MAX = 32 * 1024 * 1024

/** Where one document stands in its file, and how to read it again when a place in it is asked for. */
class Piece {
  readonly text: Text
  readonly start: number
  readonly end: number
  readonly json: boolean
  #tree: Tree | null = null

  constructor(text: Text, start: number, end: number, json: boolean) {
    this.text = text
    this.start = start
    this.end = end
    this.json = json
  }

  /** Offsets are not kept for every document: places are asked for rarely, and reading again is exact. */
  offset(path: Path, atKey: boolean): number {
    this.#tree ??= this.json
      ? (new JsonReader(this.text.text, this.start, this.end).next() as Tree)
      : readYaml(this.text.text.slice(this.start, this.end), this.start).tree!
    return offsetOf(this.#tree, path, atKey)
  }
}

export class Document {
  readonly file: string
  /** Of the object in its file, counted after lists are taken apart. */
  readonly index: number
  readonly apiVersion: string
  readonly kind: string
  readonly value: ObjectValue
  readonly #piece: Piece
  /** Where a list holds this object. */
  readonly #prefix: Path
  readonly #at: number

  constructor(index: number, value: ObjectValue, piece: Piece, prefix: Path, at: number) {
    this.file = piece.text.file
    this.index = index
    this.apiVersion = value["apiVersion"] as string
    this.kind = value["kind"] as string
    this.value = value
    this.#piece = piece
    this.#prefix = prefix
    this.#at = at
  }

  /**
   * 1-based; of the nearest existing parent's key where the path leads to nothing. `atKey`: of the last key.
   */
  place(path: Path = [], atKey = false): Place {
    const whole = path.length === 0
    return this.#piece.text.placeAt(
      whole ? this.#at : this.#piece.offset([...this.#prefix, ...path], atKey)
    )
  }

  /** What a decoder found wrong with the value, as problems with places. */
  problems(issues: ReadonlyArray<Issue>): ReadonlyArray<Problem> {
    return issues.map(({ path, atKey, message }) => this.problem(path, { what: message }, atKey))
  }

  /** A problem of this document, ready to be collected. */
  problem(path: Path, complaint: Parameters<typeof makeProblem>[3], atKey = false): Problem {
    return makeProblem(this.file, this.place(path, atKey), path, complaint)
  }
}

export function readDocuments(files: Iterable<SourceFile>): Documents {
  const documents: Array<Document> = []
  const problems: Array<Problem> = []
  for (const { name, content } of files) {
    const text = decodeText(name, content)
    if ("message" in text) problems.push(text)
    else new FileReader(text, documents, problems).read()
  }
  return { documents, problems }
}

class FileReader {
  readonly #text: Text
  readonly #documents: Array<Document>
  readonly #problems: Array<Problem>
  #index = 0

  constructor(text: Text, documents: Array<Document>, problems: Array<Problem>) {
    this.#text = text
    this.#documents = documents
    this.#problems = problems
  }

  read(): void {
    const { text } = this.#text
    let start = 0
    for (
      let at = text.startsWith("---") ? 0 : nextSeparator(text, 0);
      at >= 0;
      at = nextSeparator(text, at)
    ) {
      if (at > start) this.#piece(start, at)
      const lineEnd = endOfLine(text, at)
      const rest = text.slice(at + 3, lineEnd).trim()
      if (rest !== "" && !rest.startsWith("#")) {
        this.#fault({
          at,
          what: "invalid YAML document separator",
          found: quote(`---${text.slice(at + 3, lineEnd).trimEnd()}`),
          expected: "--- alone on its line",
          remedy: "put the rest on the next line"
        })
      }
      start = Math.min(lineEnd + 1, text.length)
    }
    if (start < text.length) this.#piece(start, text.length)
  }

  #piece(start: number, end: number): void {
    const { text } = this.#text
    const first = firstContent(text, start, end)
    if (first >= end) return
    if (end - start > DOCUMENT_LENGTH_MAX) {
      this.#fault({
        at: first,
        what: `a document longer than ${DOCUMENT_LENGTH_MAX} characters`,
        remedy: "split it with ---"
      })
    } else if (text[first] === "{") this.#json(start, end)
    else if (text[first] === "%")
      this.#fault({
        at: first,
        what: "kubectl reads no directives",
        found: quote(text.slice(first, endOfLine(text, first)).trim()),
        remedy: "remove the line"
      })
    else this.#yaml(start, end)
  }

  /** kubectl takes what starts with a brace for JSON first, and for YAML when it is not. */
  #json(start: number, end: number): void {
    const { text } = this.#text
    const reader = new JsonReader(text, start, end)
    for (let count = 0; ; count++) {
      const from = count === 0 ? start : reader.at
      const tree = reader.next()
      if (tree === null) break
      if ("what" in tree) {
        if (count > 0 && firstContent(text, from, end) >= end) break
        if (count === 0 && !/^\{\s*"/.test(text.slice(firstContent(text, start, end), end).slice(0, 200))) {
          this.#yaml(start, end)
          return
        }
        if (count === 0 && this.#yaml(start, end, true)) return
        this.#fault({ ...tree, what: tree.what === "" ? "not JSON" : `not JSON: ${tree.what}` })
        break
      }
      if (reader.faults.length === 0) this.#document(tree, new Piece(this.#text, tree.at, reader.at, true))
      for (const fault of reader.faults.splice(0)) this.#fault(fault)
    }
  }

  /** Returns whether it could be read; `trial` says nothing when it could not. */
  #yaml(start: number, end: number, trial = false): boolean {
    const { text } = this.#text
    const stop = documentEnd(text, start, end)
    const { tree, faults } = readYaml(text.slice(start, stop), start)
    if (trial && tree === null) return false
    for (const fault of faults) this.#fault(fault)
    let after = stop
    while (after < end && /^\.\.\.(?=\s|$)/.test(text.slice(after, after + 4)))
      after = firstContent(text, after + 3, end)
    if (after < end) {
      this.#fault({
        at: after,
        what: "kubectl drops what follows `...`",
        found: quote(text.slice(after, endOfLine(text, after)).trim()),
        expected: "---",
        remedy: "start the next document with ---"
      })
    }
    if (tree !== null && faults.length === 0) this.#document(tree, new Piece(this.#text, start, stop, false))
    return true
  }

  #document(tree: Tree, piece: Piece): void {
    if (tree.value === null) return
    if (tree.entries === null) {
      this.#fault({
        at: tree.at,
        what: "",
        found: describe(tree.value),
        expected: "a mapping with apiVersion and kind"
      })
      return
    }
    const items = tree.entries.get("items")
    if (items === undefined) {
      if (bytesAbove(piece.text.text, piece.start, piece.end, OBJECT_BYTES_MAX)) {
        this.#fault({
          at: tree.at,
          what: `an object above ${OBJECT_BYTES_MAX} bytes, the API server's limit of a request`,
          remedy: "split it"
        })
      } else this.#object(tree, tree.value as ObjectValue, piece, [])
    } else this.#list(tree, items.tree, piece)
  }

  /** apimachinery `decodeToList`, cli-runtime `FlattenListVisitor`. */
  #list(list: Tree, items: Tree, piece: Piece): void {
    if (!this.#typed(list, [])) return
    if (items.value === null) return
    if (items.items === null) {
      this.#fault(
        {
          at: items.at,
          what: "",
          found: describe(items.value),
          expected: "a list of objects",
          remedy: "`items` makes a document a List"
        },
        ["items"]
      )
      return
    }
    const { apiVersion, kind } = list.value as { readonly apiVersion: string; readonly kind: string }
    for (const [i, item] of items.items.entries()) {
      const prefix = ["items", i]
      if (item.entries === null) {
        this.#fault({ at: item.at, what: "", found: describe(item.value), expected: "an object" }, prefix)
      } else if (item.entries.has("items")) {
        this.#fault(
          {
            at: item.at,
            what: "a List within a List; kubectl refuses it",
            remedy: "put its items into the outer list"
          },
          prefix
        )
      } else {
        const value = item.value as ObjectValue
        const bare = !value["kind"] && !value["apiVersion"]
        const itemKind = kind.replace(/List$/, "")
        if (bare && itemKind !== "")
          this.#object(item, { ...value, apiVersion, kind: itemKind }, piece, prefix, true)
        else this.#object(item, value, piece, prefix)
      }
    }
  }

  #object(tree: Tree, value: ObjectValue, piece: Piece, prefix: Path, typed = false): void {
    if (!typed && !this.#typed(tree, prefix)) return
    const { apiVersion } = value
    if ((apiVersion as string).startsWith("kustomize.config.k8s.io/")) {
      this.#fault(
        {
          at: tree.at,
          what: "a kustomization is no object of a cluster",
          remedy: "render it first: kustomize build DIR | podwire run -f -"
        },
        prefix
      )
      return
    }
    this.#documents.push(new Document(this.#index++, value, piece, prefix, tree.at))
  }

  #typed(tree: Tree, prefix: Path): boolean {
    const before = this.#problems.length
    for (const [key, example] of [
      ["apiVersion", "v1"],
      ["kind", "Pod"]
    ] as const) {
      const entry = tree.entries?.get(key)
      const value = entry?.tree.value
      if (typeof value === "string" && value !== "") continue
      if (entry === undefined)
        this.#fault(
          { at: tree.at, what: "Required value", remedy: `say what this is, such as \`${key}: ${example}\`` },
          [...prefix, key]
        )
      else {
        const remedy =
          typeof value === "boolean" || typeof value === "number"
            ? "put it in quotes"
            : `such as \`${key}: ${example}\``
        this.#fault({ at: entry.tree.at, what: "", found: describe(value), expected: "a string", remedy }, [
          ...prefix,
          key
        ])
      }
    }
    return this.#problems.length === before
  }

  #fault({ at, path: own, ...complaint }: Fault, path: Path = own ?? []): void {
    this.#problems.push(makeProblem(this.#text.file, this.#text.placeAt(at), path, complaint))
  }
}

function nextSeparator(text: string, from: number): number {
  const at = text.indexOf("\n---", from)
  return at < 0 ? -1 : at + 1
}

function endOfLine(text: string, from: number): number {
  const at = text.indexOf("\n", from)
  return at < 0 ? text.length : at
}

/** The offset of the first line-start `...` of a piece, or its end. */
function documentEnd(text: string, start: number, end: number): number {
  const found = /^\.\.\.(?=\s|$)/m.exec(text.slice(start, end))
  return found === null ? end : start + found.index
}

const CONTENT = /[^\s]/g

/** Past blank lines and comments; `end` when there is nothing else. */
function firstContent(text: string, start: number, end: number): number {
  let at = start
  while (at < end) {
    CONTENT.lastIndex = at
    const found = CONTENT.exec(text)
    if (found === null || found.index >= end) return end
    if (found[0] !== "#") return found.index
    at = endOfLine(text, found.index)
  }
  return end
}

function bytesAbove(text: string, start: number, end: number, max: number): boolean {
  if (end - start > max) return true
  return (end - start) * 3 > max && new TextEncoder().encode(text.slice(start, end)).length > max
}
