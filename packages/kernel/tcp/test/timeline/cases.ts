/** The files of `scripts/`, each for the families that it names. */
import { readdirSync, readFileSync } from "node:fs"
import { parseScript, type Script } from "./script.ts"

export interface Case {
  readonly file: string
  readonly family: 4 | 6
  readonly script: Script
}

export function cases(): ReadonlyArray<Case> {
  const folder = new URL("../scripts/", import.meta.url)
  const files = readdirSync(folder).filter((name) => name.endsWith(".tcp")).sort((a, b) => a < b ? -1 : 1)
  return files.flatMap((file) => {
    const source = readFileSync(new URL(file, folder), "utf8")
    const { families } = parseScript(source, 4)
    return families.map((family) => ({ file, family, script: parseScript(source, family) }))
  })
}
