/**
 * One YAML document → a tree, with the `yaml` package's parser and Go's meaning (scalar.ts). The failsafe
 * schema keeps every scalar as text; anchors, merges, duplicates and tags are resolved here.
 *
 * Stricter than kubectl, because each would lose or change input in silence: unknown tags, a key twice,
 * non-finite numbers. Aliases are shared, never copied, and bounded as go-yaml's decoder bounds them.
 * Not supported: YAML 1.1's extra line breaks, base 60, and go-yaml's own error texts.
 */
import {
  Composer,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  Lexer,
  type Node,
  type Pair,
  Parser,
  type ParsedNode,
  type Scalar as ScalarNode,
  type YAMLError,
  type YAMLMap
} from "yaml"
import { duplicateKey, type Fault, tooDeep } from "./json-reader.ts"
import { describe, type Path } from "./problem.ts"
import { KNOWN_TAGS, keyOf, resolveScalar, type Tag, TOO_MANY_DIGITS } from "./scalar.ts"
import { DEPTH_MAX, type Entry, listTree, mappingTree, scalarTree, type Tree } from "./tree.ts"

interface Anchor {
  readonly weight: number
  /** Null while the anchored node is being read: an alias there would contain itself. */
  readonly tree: Tree | null
  readonly mapping: boolean
}

/** What the lexer says before a plain or block scalar (its `cst.SCALAR`). */
const SCALAR_FOLLOWS = "\x1f"
const YAML_TAG = "tag:yaml.org,2002:"
const COLLECTION_TAGS = new Set(["map", "seq", "set", "omap", "pairs"])
const OPTIONS = {
  schema: "failsafe",
  merge: false,
  resolveKnownTags: false,
  uniqueKeys: false,
  logLevel: "silent",
  prettyErrors: false
} as const

/** The tree of the first document (null when it is empty) and what is wrong with it; offsets from `base`. */
export function readYaml(
  text: string,
  base: number
): { readonly tree: Tree | null; readonly faults: ReadonlyArray<Fault> } {
  const composed = compose(text)
  if ("what" in composed) return { tree: null, faults: [{ ...composed, at: composed.at + base }] }
  const { contents } = composed
  if (contents === null) return { tree: null, faults: [] }
  const builder = new Builder(base)
  const tree = builder.build(contents, [])
  if (builder.faults.length === 0 && builder.texts !== composed.texts) {
    // yaml 2.9.1 drops, without an error, a list that stands at the column of the `?` before it.
    const what = "text after a `? key` that would be lost"
    return { tree, faults: [{ at: base + composed.explicitAt, what, remedy: "write `key: value`" }] }
  }
  return { tree, faults: builder.faults }
}

interface Composed {
  readonly contents: ParsedNode | null
  /** Scalars and aliases in the text, to be found again in the tree. */
  readonly texts: number
  readonly explicitAt: number
}

/** Lexer and parser keep their own stacks; depth is checked there, before anything recurses. */
function compose(text: string): Composed | Fault {
  const parser = new Parser()
  const composer = new Composer(OPTIONS)
  let contents: ParsedNode | null = null
  let fault: Fault | null = null
  let quoteAt = 0
  let explicitAt = 0
  let texts = 0
  let scalar = false
  const take = (tokens: Iterable<Parameters<Composer["next"]>[0]>) => {
    for (const token of tokens) for (const doc of composer.next(token)) finish(doc)
  }
  const finish = (doc: {
    readonly errors: ReadonlyArray<YAMLError>
    readonly contents: ParsedNode | null
  }) => {
    fault ??= doc.errors.length > 0 ? syntaxFault(doc.errors[0]!, text, quoteAt) : null
    contents ??= doc.contents
  }
  for (const lexeme of lexerLikeGo().lex(text)) {
    const first = lexeme[0]
    const quoted = first === '"' || first === "'"
    if (quoted) quoteAt = parser.offset
    if (lexeme === "?") explicitAt = parser.offset
    if (scalar) scalar = false
    else if (lexeme === SCALAR_FOLLOWS) {
      scalar = true
      texts++
    } else if (quoted || (first === "*" && lexeme.length > 1)) texts++
    take(parser.next(lexeme))
    // The stack holds the document and a scalar besides the collections.
    if (parser.stack.length > DEPTH_MAX + 2) return { at: parser.offset, what: tooDeep() }
  }
  take(parser.end())
  for (const doc of composer.end(false, text.length)) finish(doc)
  return fault ?? { contents, texts, explicitAt }
}

interface LexerState {
  indentNext: number
  parseFlowCollection(): Generator<string, unknown>
  parseQuotedScalar(): Generator<string, unknown>
}

/**
 * YAML asks that what stands in brackets or quotes is indented deeper than its parent; Go's scanner does not,
 * and manifests use it (`command: [` with the closing bracket, or all of it, at the left). The package's
 * lexer has no option for that, so its wanted indentation is 0 while it is inside.
 */
function lexerLikeGo(): Lexer {
  const lexer = new Lexer()
  const state = lexer as unknown as LexerState
  for (const name of ["parseFlowCollection", "parseQuotedScalar"] as const) {
    const original = state[name]
    state[name] = function* () {
      const wanted = state.indentNext
      state.indentNext = 0
      const next = yield* original.call(state)
      state.indentNext = wanted
      return next
    }
  }
  return lexer
}

class Builder {
  readonly faults: Array<Fault> = []
  /** Scalars and aliases that stand in the text, as met. */
  texts = 0
  readonly #base: number
  readonly #anchors = new Map<string, Anchor>()
  #nodes = 0
  #aliased = 0
  #bomb = false

  constructor(base: number) {
    this.#base = base
  }

  build(node: Node | null, path: Path): Tree {
    const before = this.#nodes++
    const at = this.#base + (node?.range?.[0] ?? 0)
    if (node === null) return scalarTree(at, null)
    if (isAlias(node)) return this.#alias(node.source, at, path)
    const anchor = "anchor" in node ? (node.anchor as string | undefined) : undefined
    const mapping = isMap(node)
    if (anchor !== undefined) this.#anchors.set(anchor, { weight: 0, tree: null, mapping })
    const mine = anchor === undefined ? undefined : this.#anchors.get(anchor)
    const tree = this.#content(node, at, path)
    if (anchor !== undefined && this.#anchors.get(anchor) === mine)
      this.#anchors.set(anchor, { weight: this.#nodes - before, tree, mapping })
    return tree
  }

  #content(node: Node, at: number, path: Path): Tree {
    if (isScalar(node)) return this.#scalar(node as ScalarNode, at, path)
    const tag = shortTag(node.tag)
    if (tag !== null && !COLLECTION_TAGS.has(tag)) this.#unknownTag(tag, at, path)
    if (isMap(node)) return this.#mapping(node as YAMLMap<Node, Node | null>, at, path)
    if (isSeq(node))
      return listTree(
        at,
        node.items.map((item, i) => this.build(itemNode(item), [...path, i]))
      )
    return scalarTree(at, null)
  }

  #scalar(node: ScalarNode, at: number, path: Path): Tree {
    const source = String(node.value ?? "")
    const value = this.#resolve(node, source, at, path)
    if (typeof value === "number" && !Number.isFinite(value)) {
      this.faults.push({
        at,
        path,
        what: `JSON and Kubernetes have no number ${source}`,
        remedy: "put it in quotes if the text is meant"
      })
      return scalarTree(at, null)
    }
    if (typeof value === "bigint") {
      this.faults.push({
        at,
        path,
        what: TOO_MANY_DIGITS,
        found: String(value),
        remedy: "put it in quotes if its text is meant"
      })
      return scalarTree(at, 0)
    }
    return scalarTree(at, value)
  }

  #resolve(node: ScalarNode, source: string, at: number, path: Path) {
    if (source !== "" || node.type !== "PLAIN") this.texts++
    if (!source.isWellFormed()) {
      this.faults.push({
        at,
        path,
        what: "an escape names half of a surrogate pair",
        remedy: "write the character itself, or \\U and eight digits"
      })
    }
    const tag: Tag = shortTag(node.tag) ?? (node.type === "PLAIN" ? null : "str")
    if (tag !== null && !KNOWN_TAGS.has(tag)) {
      this.#unknownTag(tag, at, path)
      return source
    }
    const resolved = resolveScalar(tag, source)
    if ("value" in resolved) return resolved.value
    this.faults.push({
      at,
      path,
      what: `cannot read ${resolved.error}`,
      remedy: "remove the tag or change the value"
    })
    return null
  }

  #mapping(node: YAMLMap<Node, Node | null>, at: number, path: Path): Tree {
    const entries = new Map<string, Entry>()
    const explicit = new Set<string>()
    for (const pair of node.items) {
      if (isMerge(pair)) {
        this.texts++
        this.#merge(pair.value, entries, path)
        continue
      }
      const keyAt = this.#base + (pair.key?.range?.[0] ?? 0)
      const key = this.#key(pair.key, keyAt, path)
      const tree = this.build(pair.value, [...path, key ?? ""])
      if (key === null) continue
      if (explicit.has(key))
        this.faults.push({ at: keyAt, path, what: duplicateKey(key), remedy: "keep one of them" })
      explicit.add(key)
      entries.set(key, { keyAt, tree: isNothing(pair.value) ? { ...tree, at: keyAt } : tree })
    }
    return mappingTree(at, entries)
  }

  #key(node: Node | null, at: number, path: Path): string | null {
    this.#nodes++
    const target = node !== null && isAlias(node) ? this.#alias(node.source, at, path) : null
    if (target !== null && target.entries === null && target.items === null) {
      const value = target.value as string
      return typeof value === "object" ? this.#badKey("null", at, path) : keyOf(value, String(value))
    }
    if (target !== null || (node !== null && !isScalar(node))) {
      return this.#badKey((target?.items ?? isSeq(node)) ? "a list" : "a mapping", at, path)
    }
    const scalar = node as ScalarNode | null
    if (scalar?.anchor !== undefined) {
      this.build(scalar, path)
      this.texts--
    }
    const source = String(scalar?.value ?? "")
    const value = scalar === null ? null : this.#resolve(scalar, source, at, path)
    return keyOf(value, source) ?? this.#badKey(value === null ? "null" : source, at, path)
  }

  #badKey(found: string, at: number, path: Path): null {
    const template =
      found === "a mapping"
        ? "quote it; a Helm template must be rendered first: helm template"
        : "put the key in quotes"
    this.faults.push({
      at,
      path,
      what: "",
      found: `${found} as a key`,
      expected: "a string",
      remedy: template
    })
    return null
  }

  /**
   * As go-yaml v2 merges: in the order of the lines, so that a merge after a key replaces it; in a list the
   * earlier mapping wins.
   */
  #merge(node: Node | null, entries: Map<string, Entry>, path: Path): void {
    this.#nodes++
    const nodes = node !== null && isSeq(node) ? [...node.items].map(itemNode).reverse() : [node]
    for (const one of nodes) {
      const at = this.#base + (one?.range?.[0] ?? 0)
      const mapping =
        one !== null && (isMap(one) || (isAlias(one) && (this.#anchors.get(one.source)?.mapping ?? true)))
      if (!mapping) {
        this.faults.push({
          at,
          path: [...path, "<<"],
          what: "",
          found: notMapping(one),
          expected: "a mapping, or a list of mappings, to merge"
        })
        continue
      }
      for (const [key, entry] of this.build(one, path).entries ?? []) entries.set(key, entry)
    }
  }

  #alias(name: string, at: number, path: Path): Tree {
    this.texts++
    const anchor = this.#anchors.get(name)
    if (anchor === undefined) {
      this.faults.push({
        at,
        path,
        what: `unknown anchor ${JSON.stringify(name)}`,
        remedy: `put &${name} before the value that is meant, above this line`
      })
      return scalarTree(at, null)
    }
    const { tree, weight } = anchor
    if (tree === null) {
      this.faults.push({ at, path, what: `the value of anchor ${JSON.stringify(name)} contains itself` })
      return scalarTree(at, null)
    }
    this.#nodes += weight
    this.#aliased += weight
    if (!this.#bomb && excessive(this.#aliased, this.#nodes)) {
      this.#bomb = true
      this.faults.push({
        at,
        path,
        what: "the document contains excessive aliasing",
        remedy: "write the values out"
      })
    }
    // The rest of a document that is refused need not be shared into ever taller trees.
    if (tree.height + path.length > DEPTH_MAX) {
      if (!this.#bomb) this.faults.push({ at, path, what: tooDeep() })
      this.#bomb = true
    }
    return this.#bomb ? scalarTree(at, null) : { ...tree, at }
  }

  #unknownTag(tag: string, at: number, path: Path): void {
    this.faults.push({
      at,
      path,
      what: `unknown tag ${tag.startsWith("!") ? tag : `!!${tag}`}`,
      remedy: "remove it; tags of other tools mean nothing to Kubernetes"
    })
  }
}

/** go-yaml decode.go: 99 % of a small document may come from aliases, 10 % of a large one. */
function excessive(aliased: number, nodes: number): boolean {
  const low = 400_000
  const high = 4_000_000
  const share = nodes <= low ? 0.99 : nodes >= high ? 0.1 : 0.99 - (0.89 * (nodes - low)) / (high - low)
  return aliased > 100 && nodes > 1000 && aliased / nodes > share
}

function isMerge({ key }: Pair<Node, Node | null>): boolean {
  return (
    isScalar(key) &&
    key.value === "<<" &&
    (key.tag === `${YAML_TAG}merge` || (key.tag === undefined && key.type === "PLAIN"))
  )
}

/** `key:` and no more: the value's place is the key's. */
function isNothing(node: Node | null): boolean {
  return (
    node === null ||
    (isScalar(node) &&
      node.value === "" &&
      node.type === "PLAIN" &&
      node.tag === undefined &&
      node.anchor === undefined)
  )
}

function notMapping(node: Node | null): string {
  return isScalar(node) ? describe(node.value) : isAlias(node) ? `*${node.source}` : "a list"
}

/** `[a: b]` is a mapping of one pair, which the package keeps as a bare pair only in its own types. */
function itemNode(item: unknown): Node | null {
  return item === null || item === undefined ? null : (item as Node)
}

function shortTag(tag: string | undefined): Tag {
  return tag === undefined ? null : tag.startsWith(YAML_TAG) ? tag.slice(YAML_TAG.length) : tag
}

/** The parser's codes, and its words where one code has several meanings, in ours. The first that fits. */
const SYNTAX: ReadonlyArray<readonly [of: RegExp, what: string, remedy?: string]> = [
  [/^TAB_AS_INDENT/, "a tab where YAML wants spaces", "indent with spaces"],
  [/^BAD_SCALAR_START/, "a plain text cannot start with this character", "put it in quotes"],
  [
    /^MULTILINE_IMPLICIT_KEY/,
    "a key must stand on one line and end with a colon",
    "is a colon or a quote missing?"
  ],
  [
    /^BLOCK_AS_IMPLICIT_KEY/,
    "a second colon, or a mapping within a line",
    "put the value in quotes, or start a new line"
  ],
  [/^KEY_OVER_1024_CHARS/, "a key longer than 1024 characters"],
  [/^MULTIPLE_ANCHORS/, "two anchors on one value", "keep one"],
  [/^MULTIPLE_TAGS/, "two tags on one value", "keep one"],
  [/^ALIAS_PROPS/, "an alias takes no anchor and no tag", "remove it"],
  [/Missing closing ("|')/, "a quote is opened and never closed"],
  [/flow sequence .* end with a \]/i, "a [ is opened and never closed, or a comma is missing"],
  [/flow map .* end with a \}/i, "a { is opened and never closed, or a comma is missing"],
  [
    /All mapping items must start/,
    "this line stands to the left or right of the keys above it",
    "give it their indentation"
  ],
  [
    /All sequence items must start/,
    "this line stands to the left or right of the items above it",
    "give it their indentation"
  ],
  [
    /block-seq-ind on same line with key/,
    "a list cannot start on the line of its key",
    "put - on the next line"
  ],
  [/at node end/, "text after the end of the value", "put the value in quotes, or start a new line"],
  [/Implicit map keys need to be/, "a text that is neither a key nor a value", "is a colon missing?"],
  [
    /leading empty lines must use/,
    "a block text whose empty first lines are indented more, or with tabs",
    "indent with spaces"
  ],
  [/must be separated from/, "a space is missing here"]
]

/** What never closes is reported by the parser where the text ends; the last quote is where it was opened. */
function syntaxFault(error: YAMLError, text: string, quoteAt: number): Fault {
  const at = error.message.startsWith("Missing closing") ? quoteAt : Math.min(error.pos[0], text.length)
  const known = SYNTAX.find(([of]) => of.test(`${error.code} ${error.message}`) || of.test(error.message))
  const theirs = error.message.replace(/\s+/g, " ").slice(0, 200)
  const what = known?.[1] ?? `${theirs.charAt(0).toLowerCase()}${theirs.slice(1)}`
  const lineEnd = text.indexOf("\n", at)
  const line = text.slice(text.lastIndexOf("\n", at - 1) + 1, lineEnd < 0 ? text.length : lineEnd)
  const remedy = line.includes("{{") ? "a Helm template must be rendered first: helm template" : known?.[2]
  return { at, what: `not YAML: ${what}`, ...(remedy === undefined ? {} : { remedy }) }
}
