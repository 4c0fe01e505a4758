/**
 * Kubernetes quantities, exactly: `500m`, `2`, `1.5Gi`, `1e3` (apimachinery pkg/api/resource/quantity.go).
 * A value is an integer number of thousandths in a BigInt, so that sums never round; what is finer than a
 * thousandth rounds up, as the server stores resources. Plain data: a quantity in an object stays text.
 */

export type Quantity = string | number

/** Thousandths of one. */
type Milli = bigint

const SYNTAX = /^([+-]?)(?:(\d+)\.?(\d*)|\.(\d+))(?:[eE]([+-]?\d{1,3})|([numkMGTPE]|[KMGTPE]i)|)$/

const POWERS_OF_TEN: Readonly<Record<string, number>> =
  { n: -9, u: -6, m: -3, k: 3, M: 6, G: 9, T: 12, P: 15, E: 18 }
const POWERS_OF_TWO: Readonly<Record<string, bigint>> =
  { Ki: 10n, Mi: 20n, Gi: 30n, Ti: 40n, Pi: 50n, Ei: 60n }

/** Exponents beyond this are no resource of any machine, and would only make huge integers. */
const EXPONENT_MAX = 30

export function isQuantity(value: unknown): value is Quantity {
  return typeof value === "number" ? Number.isFinite(value) : typeof value === "string" && SYNTAX.test(value)
}

/** Thousandths, rounded away from zero; 0 for what is no quantity (decoding has refused it). */
export function parse(quantity: Quantity): Milli {
  const match = SYNTAX.exec(String(quantity))
  if (match === null) return 0n
  const [, sign, integer = "", fraction = "", bare = "", exponent, suffix = ""] = match
  const digits = BigInt(`${integer}${fraction}${bare}` || "0")
  const ten = (exponent === undefined ? POWERS_OF_TEN[suffix] ?? 0
    : Math.max(-EXPONENT_MAX, Math.min(EXPONENT_MAX, Number(exponent)))) + 3 - fraction.length - bare.length
  const scaled = digits << (POWERS_OF_TWO[suffix] ?? 0n)
  const thousandths = ten >= 0 ? scaled * 10n ** BigInt(ten) : ceilDivide(scaled, 10n ** BigInt(-ten))
  return sign === "-" ? -thousandths : thousandths
}

function ceilDivide(value: bigint, by: bigint): bigint {
  return (value + by - 1n) / by
}

export function compare(a: Quantity, b: Quantity): -1 | 0 | 1 {
  const [x, y] = [parse(a), parse(b)]
  return x < y ? -1 : x > y ? 1 : 0
}

export function add(a: Quantity, b: Quantity): string {
  return format(parse(a) + parse(b), isBinary(a) || isBinary(b) ? "BinarySI" : "DecimalSI")
}

/** Canonical text, in the base that it was written in. */
export function text(quantity: Quantity): string {
  return format(parse(quantity), isBinary(quantity) ? "BinarySI" : "DecimalSI")
}

/** Thousandths as a Number, for sums that need not be exact beyond 2^53. */
export function milli(quantity: Quantity): number {
  return Number(parse(quantity))
}

/** Whole ones, rounded up, as a Number: bytes, pods. */
export function whole(quantity: Quantity): number {
  return Number(ceilDivide(parse(quantity), 1000n))
}

function isBinary(quantity: Quantity): boolean {
  return typeof quantity === "string" && quantity.endsWith("i")
}

const DECIMAL_SUFFIXES = ["m", "", "k", "M", "G", "T", "P", "E"]
const BINARY_SUFFIXES = ["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"]

/** No fraction is left, and the exponent is as large as it can be: quantity.go, CanonicalizeBytes. */
export function format(milli: Milli, base: "DecimalSI" | "BinarySI"): string {
  if (milli === 0n) return "0"
  // Below 1024 (and with a fraction) a binary quantity is printed as a decimal one.
  const isSmall = milli > -1_024_000n && milli < 1_024_000n
  if (base === "BinarySI" && !isSmall && milli % 1000n === 0n) {
    return largest(milli / 1000n, 1024n, BINARY_SUFFIXES)
  }
  return largest(milli, 1000n, DECIMAL_SUFFIXES)
}

function largest(value: bigint, step: bigint, suffixes: ReadonlyArray<string>): string {
  let i = 0
  while (i < suffixes.length - 1 && value % step === 0n) {
    value /= step
    i++
  }
  return `${value}${suffixes[i]}`
}
