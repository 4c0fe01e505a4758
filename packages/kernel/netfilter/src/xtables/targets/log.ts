/**
 * LOG: a line for the log, here for the trace (xt_LOG.c). Prefixes are cut after 29 octets, as by the tool.
 */
import { Errno } from "@podwire/netdev"
import type { Environment, LogSpec } from "../environment.ts"
import { type Action, CONTINUE, type Target, type TargetKind } from "../extension.ts"
import { parse as parseNumber } from "../numbers.ts"
import { RuleError } from "../rule-error.ts"
import { quote } from "../words.ts"

const PREFIX_MAX = 29
const WARNING = 4
const LEVELS: ReadonlyArray<readonly [string, number]> = [
  ["alert", 1], ["crit", 2], ["debug", 7], ["emerg", 0], ["error", 3], ["info", 6], ["notice", 5],
  ["panic", 0],
  ["warning", 4]
]
/** XT_LOG_*, in the order that they are printed in. */
const FLAGS: ReadonlyArray<readonly [string, number]> = [
  ["log-tcp-sequence", 1], ["log-tcp-options", 2], ["log-ip-options", 4], ["log-uid", 8],
  ["log-macdecode", 32]
]

export class LogTarget implements Target, LogSpec {
  readonly kind = kind
  readonly level: number
  readonly prefix: string
  readonly flags: number

  constructor(level: number, prefix: string, flags: number) {
    this.level = level
    this.prefix = prefix
    this.flags = flags
  }

  print(): string {
    return (this.prefix === "" ? "" : ` --log-prefix ${quote(this.prefix)}`) +
      (this.level === WARNING ? "" : ` --log-level ${this.level}`) +
      FLAGS.filter(([, bit]) => (this.flags & bit) !== 0).map(([name]) => ` --${name}`).join("")
  }

  bind(env: Environment): Action | Errno {
    if (env.log === undefined) return Errno.EOPNOTSUPP
    return {
      run: (packet) => {
        env.log!(packet, this)
        return CONTINUE
      }
    }
  }
}

function parseLevel(text: string): number {
  const level = parseNumber(text, 0, 7) ?? LEVELS.find(([name]) => name === text.toLowerCase())?.[1]
  if (level === undefined) throw new RuleError(`log level "${text}" unknown`)
  return level
}

export const kind: TargetKind = {
  name: "LOG",
  families: [4, 6],
  options: [{ name: "log-prefix" }, { name: "log-level" }, ...FLAGS.map(([name]) => ({ name, flag: true }))],
  parse(given) {
    const prefix = given.text("log-prefix")
    if (prefix === "") throw new RuleError("Argument must have a minimum length of 1 characters")
    if (prefix?.includes("\n") === true) throw new RuleError("LOG: newlines not allowed in --log-prefix")
    const level = given.text("log-level")
    const flags = FLAGS.reduce((bits, [name, bit]) => given.has(name) ? bits | bit : bits, 0)
    return new LogTarget(level === null ? WARNING : parseLevel(level), prefix?.slice(0, PREFIX_MAX) ?? "",
      flags)
  }
}
