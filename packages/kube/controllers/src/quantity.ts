/**
 * Quantities as integers (apimachinery/pkg/api/resource): `500m`, `1.5`, `128Mi`, `1e3`. Rounded up to the
 * unit asked for, exactly: 1.1 cores are 1100 milli, not the 1101 that binary fractions would make of it.
 */
const SUFFIXES: Readonly<Record<string, readonly [base: bigint, exponent: number]>> = {
  n: [10n, -9], u: [10n, -6], m: [10n, -3], "": [10n, 0], k: [10n, 3], M: [10n, 6], G: [10n, 9], T: [10n, 12],
  P: [10n, 15], E: [10n, 18], Ki: [2n, 10], Mi: [2n, 20], Gi: [2n, 30], Ti: [2n, 40], Pi: [2n, 50], Ei: [2n, 60]
}
const QUANTITY = /^([+-]?)(\d*)\.?(\d*)(?:[eE]([+-]?\d+)|([numkMGTPE]|[KMGTPE]i))?$/

/** In thousandths. */
export function milli(quantity: number | string): number {
  return scaledUp(quantity, 3)
}

export function whole(quantity: number | string): number {
  return scaledUp(quantity, 0)
}

/** NaN for what is no quantity; validation has refused it. */
function scaledUp(quantity: number | string, decimals: number): number {
  const [, sign, int, fraction, exponent, suffix = ""] = QUANTITY.exec(String(quantity)) ?? []
  if (int === undefined || int + fraction! === "") return NaN
  let digits = BigInt(int + fraction!)
  const [base, power] = SUFFIXES[suffix]!
  if (base === 2n) digits <<= BigInt(power)
  const tens = (base === 10n ? power : 0) + Number(exponent ?? 0) - fraction!.length + decimals
  if (tens >= 0) digits *= 10n ** BigInt(tens)
  else {
    const divisor = 10n ** BigInt(-tens)
    digits = sign === "-" ? digits / divisor : (digits + divisor - 1n) / divisor
  }
  return Number(sign === "-" ? -digits : digits)
}
