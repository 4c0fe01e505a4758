/** Versions of the CNI specification, and how they compare (cni/pkg/version). No version is 0.1.0. */
import { goQuote, goQuoteList } from "./json.ts"

export const CURRENT = "1.1.0"
export const SUPPORTED: ReadonlyArray<string> =
  ["0.1.0", "0.2.0", "0.3.0", "0.3.1", "0.4.0", "1.0.0", "1.1.0"]

export type Version = readonly [number, number, number]

const PARTS = ["major", "minor", "micro"] as const

/** The three numbers, or what is wrong with the text. */
function parseVersion(text: string): Version | string {
  if (text === "") return [0, 1, 0]
  const parts = text.split(".")
  if (parts.length > 3) return `invalid version ${goQuote(text)}: too many parts`
  const numbers: [number, number, number] = [0, 0, 0]
  for (const [i, part] of parts.entries()) {
    if (!/^[-+]?\d+$/.test(part)) {
      const cause = `strconv.Atoi: parsing ${goQuote(part)}: invalid syntax`
      return `failed to convert ${PARTS[i]} version part ${goQuote(part)}: ${cause}`
    }
    numbers[i] = Number(part)
  }
  return numbers
}

/** Below, equal or above zero, or what is wrong with one of them. */
export function compareVersions(a: string, b: string): number | string {
  const left = parseVersion(a)
  const right = parseVersion(b)
  if (typeof left === "string") return left
  if (typeof right === "string") return right
  return left[0] - right[0] || left[1] - right[1] || left[2] - right[2]
}

/** For versions that are known to be sound. */
export function atLeast(version: string, least: string): boolean {
  const order = compareVersions(version, least)
  return typeof order === "number" && order >= 0
}

export function incompatible(version: string): string {
  return `config is ${goQuote(version)}, plugin supports ${goQuoteList(SUPPORTED)}`
}
