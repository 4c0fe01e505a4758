/**
 * Manifests from text, with the place of everything that is wrong in them. So far Pods are carried out;
 * every other kind is counted and said, never dropped in silence.
 * Not supported yet: kubectl's reading of scalars (`yes`, `017`), `kind: List`, fields' validation beyond
 * names, and the workload kinds.
 */
import * as YAML from "yaml"

export interface PodManifest {
  readonly namespace: string
  readonly name: string
  readonly nodeName: string | null
  readonly place: string
}

export interface Manifests {
  readonly pods: ReadonlyArray<PodManifest>
  /** Kinds that are in the files and not carried out, with how many of each. */
  readonly notModelled: ReadonlyMap<string, number>
  readonly problems: ReadonlyArray<string>
}

const DNS_LABEL = /^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/

export function readManifests(files: ReadonlyArray<{ readonly file: string; readonly text: string }>): Manifests {
  const pods: Array<PodManifest> = []
  const notModelled = new Map<string, number>()
  const problems: Array<string> = []
  const seen = new Map<string, string>()
  for (const { file, text } of files) {
    const lines = new YAML.LineCounter()
    for (const doc of YAML.parseAllDocuments(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: true })) {
      if (!("errors" in doc)) continue
      const at = (offset: number) => {
        const { line, col } = lines.linePos(offset)
        return `${file}:${line}:${col}`
      }
      for (const error of doc.errors) problems.push(`${at(error.pos[0])}: ${error.message}`)
      if (doc.errors.length > 0 || doc.contents === null) continue
      const start = at(doc.contents.range?.[0] ?? 0)
      const text = (...path: ReadonlyArray<string>) => {
        const value: unknown = doc.getIn(path)
        return typeof value === "string" ? value : null
      }
      const kind = text("kind")
      const name = text("metadata", "name")
      if (kind === null) problems.push(`${start}: kind: Required value. Say what the document is, such as \`kind: Pod\``)
      else if (kind !== "Pod") notModelled.set(kind, (notModelled.get(kind) ?? 0) + 1)
      else if (name === null || name.length > 253 || !DNS_LABEL.test(name)) {
        problems.push(`${start}: metadata.name: Invalid value: ${JSON.stringify(name)}: a lowercase RFC 1123 subdomain is expected`)
      } else {
        const namespace = text("metadata", "namespace") ?? "default"
        const key = `${namespace}/${name}`
        const before = seen.get(key)
        if (before !== undefined) problems.push(`${start}: metadata.name: pods "${name}" already exists in ${namespace} (${before}). Rename one`)
        seen.set(key, start)
        pods.push({ namespace, name, nodeName: text("spec", "nodeName"), place: start })
      }
    }
  }
  return { pods, notModelled, problems }
}
