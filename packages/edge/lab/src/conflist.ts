/**
 * A `.conflist` that a Cluster document names by its path (`cni: { conflist: 10-my.conflist }`, beside the
 * document): its value, and the place of whatever turns out to be wrong in it.
 */
import { makeProblem, type Path, type Problem } from "./input/index.ts"
import { decodeText } from "./input/text.ts"
import { offsetOf } from "./input/tree.ts"
import { readYaml } from "./input/yaml-reader.ts"

export interface Conflist {
  readonly value: unknown
  problem(path: Path, what: string): Problem
}

export function readConflist(file: string, content: string | Uint8Array): Conflist | ReadonlyArray<Problem> {
  const text = decodeText(file, content)
  if ("message" in text) return [text]
  const { tree, faults } = readYaml(text.text, 0)
  if (faults.length > 0) {
    return faults.map((fault) => makeProblem(file, text.placeAt(fault.at), [], { what: fault.what }))
  }
  if (tree === null) {
    return [makeProblem(file, null, [], { what: "empty", expected: "a CNI network configuration list" })]
  }
  return {
    value: tree.value,
    problem: (path, what) => makeProblem(file, text.placeAt(offsetOf(tree, path, false)), path, { what })
  }
}
