/**
 * Ports and ranges of ports in the text of rules. Not supported: names of services, which a machine without
 * /etc/services refuses in the same words.
 */
import { parse } from "./numbers.ts"
import { RuleError } from "./rule-error.ts"

export interface Range {
  readonly min: number
  readonly max: number
}

export const ALL: Range = { min: 0, max: 0xffff }

export function parsePort(text: string): number {
  const port = parse(text, 0, 0xffff)
  if (port === null) throw new RuleError(`invalid port/service \`${text}' specified`)
  return port
}

/** `PORT`, `MIN:MAX`, `:MAX` or `MIN:`. */
export function parseRange(text: string): Range {
  const colon = text.indexOf(":")
  if (colon < 0) {
    const port = parsePort(text)
    return { min: port, max: port }
  }
  const min = colon === 0 ? 0 : parsePort(text.slice(0, colon))
  const max = colon === text.length - 1 ? 0xffff : parsePort(text.slice(colon + 1))
  if (min > max) throw new RuleError("invalid portrange (min > max)")
  return { min, max }
}

/** "" for all ports: the tool then shows nothing, even of an inverted option. */
export function printRange(option: string, range: Range, inverted: boolean): string {
  if (range.min === 0 && range.max === 0xffff) return ""
  return ` ${inverted ? "! " : ""}--${option} ${range.min}${range.max === range.min ? "" : `:${range.max}`}`
}

export function within(range: Range, port: number): boolean {
  return port >= range.min && port <= range.max
}
