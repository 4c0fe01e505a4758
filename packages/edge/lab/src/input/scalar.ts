/**
 * What a YAML scalar means to kubectl: go.yaml.in/yaml/v2 `resolve`, then sigs.k8s.io/yaml's way to JSON and
 * apimachinery's way back. Neither YAML 1.1 (no base 60, `017` and `0o17` both octal) nor 1.2 (`y`, `off`).
 *
 * Integers beyond an int64 and all else with a point or exponent are the nearest double, as in apimachinery's
 * JSON. An int64 beyond 2^53 would lose digits as a number: it comes as a bigint, which the readers refuse.
 */
export type Scalar = string | number | boolean | null
type Resolved = Scalar | bigint

const BOOLEANS: ReadonlyMap<string, boolean> = new Map([
  ...["y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"].map(
    (word) => [word, true] as const
  ),
  ...["n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"].map(
    (word) => [word, false] as const
  )
])
const NULLS = new Set(["", "~", "null", "Null", "NULL"])
const NOT_FINITE: ReadonlyMap<string, number> = new Map([
  ...[".nan", ".NaN", ".NAN"].map((word) => [word, NaN] as const),
  ...[".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"].map((word) => [word, Infinity] as const),
  ...["-.inf", "-.Inf", "-.INF"].map((word) => [word, -Infinity] as const)
])
const INT64_MIN = -(2n ** 63n)
const INT64_MAX = 2n ** 63n - 1n
const UINT64_MAX = 2n ** 64n - 1n
/** Go's number syntax after a leading dot, where single underscores may stand between digits. */
const DOT_FLOAT = /^\.\d+(_\d+)*([eE][-+]?\d+(_\d+)*)?$/
const FLOAT = /^[-+]?(\.\d+|\d+(\.\d*)?)([eE][-+]?\d+)?$/
const DATE = /^\d{4}-\d{1,2}-\d{1,2}([Tt ]\d{1,2}:\d{1,2}:\d{1,2}(\.\d+)?(Z|[-+]\d{2}:\d{2})?)?$/

/** The short name of a tag's type: `int` for `!!int`; the tag itself when it is not YAML's own. */
export type Tag = string | null

const SAID: Readonly<Record<string, string>> = {
  str: "a string",
  bool: "a boolean",
  int: "an integer",
  float: "a number",
  null: "null",
  timestamp: "a date"
}

/** Returns the value, or in `error` what Go's `failf` would say. A plain scalar without tag has tag null. */
export function resolveScalar(
  tag: Tag,
  source: string
): { readonly value: Resolved } | { readonly error: string } {
  if (tag === "str" || tag === "!") return { value: source }
  if (tag === "binary") return binary(source)
  const value = plain(source)
  if (tag === null) return { value }
  const date = DATE.test(source)
  const type =
    value === null
      ? "null"
      : typeof value === "boolean"
        ? "bool"
        : typeof value === "string"
          ? date
            ? "timestamp"
            : "str"
          : typeof value === "bigint" ||
              (Number.isInteger(value) && integer(source.replaceAll("_", "")) !== null)
            ? "int"
            : "float"
  if (type === tag || (tag === "float" && type === "int"))
    return { value: tag === "float" && typeof value === "bigint" ? Number(value) : value }
  return { error: `!!${tag} on ${JSON.stringify(source)}, which is ${SAID[type]}` }
}

export const KNOWN_TAGS: ReadonlySet<string> = new Set([
  "str",
  "bool",
  "int",
  "float",
  "null",
  "timestamp",
  "binary",
  "!"
])

/** A plain scalar without a tag. May be NaN or an infinity, which JSON has no word for. */
export function plain(source: string): Resolved {
  if (NULLS.has(source)) return null
  const first = source.charCodeAt(0)
  // Only signs, digits, the dot and the first letters of the words can start anything but a string.
  if (first > 0x39 && !/^[yYnNtTfFoO~]/.test(source)) return source
  const word = BOOLEANS.get(source)
  if (word !== undefined) return word
  const special = NOT_FINITE.get(source)
  if (special !== undefined) return special
  if (first === 0x2e) return DOT_FLOAT.test(source) ? (finite(source.replaceAll("_", "")) ?? source) : source
  if (!(first >= 0x30 && first <= 0x39) && first !== 0x2b && first !== 0x2d) return source
  const bare = source.replaceAll("_", "")
  const whole = integer(bare)
  if (whole !== null) return narrow(whole)
  if (FLOAT.test(bare)) return finite(bare) ?? source
  return source
}

/** strconv.ParseInt and ParseUint with base 0, and yaml's own `0b` after them (which takes a second sign). */
function integer(text: string): bigint | null {
  const parts = /^([-+]?)(?:0[xX]([\da-fA-F]+)|0[bB]([01]+)|0[oO]([0-7]+)|0([0-7]+)|([1-9]\d*|0))$/.exec(text)
  if (parts === null) {
    const twice = /^0b([-+])([01]{1,64})$/.exec(text)
    return twice === null ? null : inRange(BigInt(`0b${twice[2]}`), twice[1]!, true)
  }
  const [, sign, hex, binary, octal, old, decimal] = parts
  const digits =
    hex !== undefined
      ? `0x${hex}`
      : binary !== undefined
        ? `0b${binary}`
        : (octal ?? old !== undefined)
          ? `0o${octal ?? old}`
          : decimal!
  // Twenty decimal digits or sixty-four binary ones hold any uint64; longer ones need leading zeros stripped.
  if (digits.length > 70)
    return inRange(BigInt(digits.length > 10_000 ? UINT64_MAX + 1n : digits), sign!, sign !== "")
  return inRange(BigInt(digits), sign!, sign !== "")
}

function inRange(size: bigint, sign: string, signed: boolean): bigint | null {
  const value = sign === "-" ? -size : size
  return value >= INT64_MIN && value <= (signed ? INT64_MAX : UINT64_MAX) ? value : null
}

/** JSON numbers beyond an int64 become float64 in apimachinery (`util/json`). */
export function narrow(value: bigint): number | bigint {
  if (value >= -9007199254740991n && value <= 9007199254740991n) return Number(value)
  return value <= INT64_MAX && value >= INT64_MIN ? value : Number(value)
}

/** strconv.ParseFloat refuses what overflows; a negative zero ends as JSON's integer 0. */
function finite(text: string): number | null {
  const value = Number(text)
  return !Number.isFinite(value) ? null : value === 0 ? 0 : value
}

export const TOO_MANY_DIGITS = "an integer beyond ±9007199254740991, whose last digits would be lost"

function binary(source: string): { readonly value: string } | { readonly error: string } {
  const text = source.replace(/[\r\n]/g, "")
  if (!/^(?:[A-Za-z\d+/]{4})*(?:[A-Za-z\d+/]{2}==|[A-Za-z\d+/]{3}=)?$/.test(text))
    return { error: "!!binary on what is not base64" }
  return {
    value: new TextDecoder("utf-8", { ignoreBOM: true }).decode(
      Uint8Array.from(atob(text), (c) => c.charCodeAt(0))
    )
  }
}

/** The JSON key of a YAML key, as sigs.k8s.io/yaml converts it; null for those that it refuses. */
export function keyOf(value: Resolved, source: string): string | null {
  if (typeof value === "string" || typeof value === "boolean") return String(value)
  if (value === null) return null
  const whole = integer(source.replaceAll("_", ""))
  if (whole !== null) return whole > INT64_MAX ? null : String(whole)
  const number = value === 0 && source.startsWith("-") ? -0 : Number(value)
  if (Number.isNaN(number)) return ".nan"
  return formatG32(Math.fround(number))
}

/** strconv.FormatFloat(value, 'g', -1, 32), and yaml's words for the infinities. */
function formatG32(single: number): string {
  if (!Number.isFinite(single)) return single > 0 ? ".inf" : "-.inf"
  let digits = 1
  while (digits < 9 && Math.fround(Number(single.toExponential(digits - 1))) !== single) digits++
  const [mantissa, exponent] = single.toExponential(digits - 1).split("e") as [string, string]
  const power = Number(exponent)
  if (power >= -4 && power < 6) return Object.is(single, -0) ? "-0" : String(Number(`${mantissa}e${power}`))
  return `${mantissa}e${power < 0 ? "-" : "+"}${String(Math.abs(power)).padStart(2, "0")}`
}
