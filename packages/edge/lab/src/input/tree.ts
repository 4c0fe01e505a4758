/**
 * A value with the offset of every part of it, built alike by the YAML and the JSON reader. Values are plain:
 * objects, arrays and scalars. An alias shares the value of its anchor and has an offset of its own.
 *
 * Invariant: `value` has exactly the keys of `entries`, or the items of `items`.
 */
import type { Scalar } from "./scalar.ts"
import type { Path } from "./problem.ts"

export type Value = Scalar | ReadonlyArray<Value> | { readonly [key: string]: Value }

export interface Tree {
  readonly at: number
  readonly value: Value
  /** Levels below this one, aliases followed. */
  readonly height: number
  readonly entries: ReadonlyMap<string, Entry> | null
  readonly items: ReadonlyArray<Tree> | null
}

export interface Entry {
  readonly keyAt: number
  readonly tree: Tree
}

/**
 * Levels of mappings and lists in a document. encoding/json and yaml's scanner stop at 10,000; no object of
 * Kubernetes comes near either (a CRD's schema has about 60), and readers after this one may recurse.
 */
export const DEPTH_MAX = 500

export function scalarTree(at: number, value: Scalar): Tree {
  return { at, value, height: 0, entries: null, items: null }
}

export function listTree(at: number, items: ReadonlyArray<Tree>): Tree {
  let height = 0
  for (const item of items) height = Math.max(height, item.height)
  return { at, value: items.map((item) => item.value), height: height + 1, entries: null, items }
}

export function mappingTree(at: number, entries: ReadonlyMap<string, Entry>): Tree {
  let height = 0
  const value: { [key: string]: Value } = {}
  for (const [key, { tree }] of entries) {
    height = Math.max(height, tree.height)
    // Assigning to `__proto__` would change the object's prototype and lose the key.
    if (key === "__proto__")
      Object.defineProperty(value, key, {
        value: tree.value,
        enumerable: true,
        configurable: true,
        writable: true
      })
    else value[key] = tree.value
  }
  return { at, value, height: height + 1, entries, items: null }
}

/** The offset of what the path leads to; of its nearest existing parent where a part is missing. */
export function offsetOf(root: Tree, path: Path, atKey: boolean): number {
  let tree = root
  let offset = root.at
  for (const [i, key] of path.entries()) {
    if (tree.entries !== null) {
      const entry = tree.entries.get(String(key))
      if (entry === undefined) return i === 0 ? root.at : offset
      if (atKey && i === path.length - 1) return entry.keyAt
      // A missing part below is reported at the key that should hold it: the value may be empty.
      const missing = i < path.length - 1 && !has(entry.tree, path[i + 1]!)
      offset = missing ? entry.keyAt : entry.tree.at
      tree = entry.tree
    } else {
      const item = tree.items?.[Number(key)]
      if (item === undefined) return offset
      offset = item.at
      tree = item
    }
  }
  return offset
}

function has(tree: Tree, key: string | number): boolean {
  return tree.entries !== null
    ? tree.entries.has(String(key))
    : tree.items !== null && Number(key) < tree.items.length
}
