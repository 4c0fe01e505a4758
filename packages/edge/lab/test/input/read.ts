/** Short forms for these tests: one file in, rendered values or rendered problems out. */
import { readDocuments, renderProblems } from "@podwire/lab/input/index"

export const HEAD = "apiVersion: v1\nkind: ConfigMap\n"

/** The objects as JSON, one a line, or the problems as the user sees them. */
export function read(content: string | Uint8Array): string {
  const { documents, problems } = readDocuments([{ name: "f.yaml", content }])
  return problems.length > 0
    ? renderProblems(problems)
    : documents.map(({ value }) => JSON.stringify(value)).join("\n")
}

/** The value of `k` as JSON; the problem without its place when there is one. */
export function scalar(text: string): string {
  const { documents, problems } = readDocuments([{ name: "f", content: `${HEAD}k: ${text}\n` }])
  if (problems.length > 0) return problems.map(({ message }) => message).join("\n")
  return JSON.stringify(documents[0]!.value["k"])
}

export function key(text: string): string {
  const { documents, problems } = readDocuments([{ name: "f", content: `${HEAD}k:\n  ${text}: v\n` }])
  if (problems.length > 0) return problems.map(({ message }) => message).join("\n")
  return JSON.stringify(Object.keys(documents[0]!.value["k"] as object)[0])
}
