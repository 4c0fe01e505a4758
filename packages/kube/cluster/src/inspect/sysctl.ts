/**
 * `sysctl` (procps 4.0): the settings that the namespace has, all of them read by the data plane; others do
 * not exist here. Not supported: writing (a variable with `=`, -w, -p, --system), -r with more than one
 * expression.
 */
import type { Netns } from "@podwire/netns"
import { Failure, notModelled } from "./failure.ts"

interface Options {
  all: boolean
  names: boolean
  values: boolean
  binary: boolean
  ignore: boolean
  pattern: RegExp | null
}

export function sysctl(netns: Netns, args: ReadonlyArray<string>): string {
  const options: Options = {
    all: false, names: false, values: false, binary: false, ignore: false, pattern: null
  }
  const wanted = readArguments(args, options)
  if (!options.all && wanted.length === 0) notModelled("sysctl --help")
  let [stdout, stderr] = ["", ""]
  for (const name of options.all ? [""] : wanted) {
    const found = find(netns, name, options.pattern)
    if (found.length > 0) stdout += found.map(([key, value]) => line(key, value, options)).join("")
    else if (!options.ignore && options.pattern === null) {
      stderr += `sysctl: cannot stat /proc/sys/${pathOf(name)}: No such file or directory\n`
    }
  }
  if (stderr !== "") throw new Failure(stderr, 1, stdout)
  return stdout
}

function readArguments(args: ReadonlyArray<string>, options: Options): ReadonlyArray<string> {
  const wanted: Array<string> = []
  for (let i = 0; i < args.length; i++) {
    const arg = args[i]!
    if (/^(-[aAX]|--all)$/.test(arg)) options.all = true
    else if (/^(-n|--values)$/.test(arg)) options.values = true
    else if (/^(-N|--names)$/.test(arg)) options.names = true
    else if (/^(-b|--binary)$/.test(arg)) options.binary = true
    else if (/^(-e|--ignore)$/.test(arg)) options.ignore = true
    else if (/^(-r|--pattern)$/.test(arg)) options.pattern = patternOf(args[++i] ?? "")
    else if (arg.startsWith("--pattern=")) options.pattern = patternOf(arg.slice("--pattern=".length))
    else if (arg.startsWith("-") || arg.includes("=")) notModelled(`sysctl ${arg}`)
    else wanted.push(arg)
  }
  return wanted
}

/** POSIX extended expressions that JavaScript reads alike. */
function patternOf(text: string): RegExp {
  try {
    return new RegExp(text)
  } catch {
    return notModelled(`sysctl --pattern ${text}`)
  }
}

/** Dots and slashes change places, unless the name begins as a path. */
function pathOf(name: string): string {
  const [slash, dot] = [name.indexOf("/"), name.indexOf(".")]
  return slash >= 0 && (dot < 0 || slash < dot) ? name : name.replaceAll(".", "/")
}

/** A variable, or all that are in a directory. */
function find(
  netns: Netns, name: string, pattern: RegExp | null
): ReadonlyArray<readonly [name: string, value: string]> {
  const dotted = pathOf(name).replaceAll("/", ".")
  return netns.sysctl.list().filter(([key]) =>
    (dotted === "" || key === dotted || key.startsWith(`${dotted}.`)) &&
    (pattern === null || pattern.test(key)))
}

function line(key: string, value: string, { names, values, binary }: Options): string {
  if (names) return `${key}\n`
  if (binary) return value
  return values ? `${value}\n` : `${key} = ${value}\n`
}
