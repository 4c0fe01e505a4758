/** Numbers as iperf3 prints them (src/units.c): always four places, octets by 1024, bits by 1000. */

const BYTES = ["Bytes", "KBytes", "MBytes", "GBytes", "TBytes"]
const BITS = ["bits", "Kbits", "Mbits", "Gbits", "Tbits"]
const LETTERS = "BKMGT"

/** `12.2 MBytes`: of the unit that fits. */
export function byteText(bytes: number): string {
  return scaled(bytes, 1024, BYTES, null)
}

/**
 * `102 Mbits/sec`; `format` is -f's letter: small letters are bits, capital ones octets, null is what fits.
 */
export function rateText(bytesPerSecond: number, format: string | null): string {
  const octets = format !== null && format === format.toUpperCase()
  const unit = format === null ? null : LETTERS.indexOf(format.toUpperCase())
  return octets ? `${scaled(bytesPerSecond, 1024, BYTES, unit)}/sec`
    : `${scaled(bytesPerSecond * 8, 1000, BITS, unit)}/sec`
}

function scaled(number: number, base: number, units: ReadonlyArray<string>, unit: number | null): string {
  let value = number
  let at = 0
  while (unit === null ? value >= base && at < units.length - 1 : at < unit) {
    value /= base
    at++
  }
  const digits = value < 9.995 ? 2 : value < 99.95 ? 1 : 0
  return `${value.toFixed(digits).padStart(4)} ${units[at]}`
}

/**
 * `5M`, `100k`: capital and small letters alike, by 1024 for octets and by 1000 for bits a second. NaN is
 * none.
 */
export function parseAmount(text: string, base: 1000 | 1024): number {
  const [, number, unit = ""] = /^(\d+(?:\.\d*)?|\.\d+)([kmgtKMGT]?)/.exec(text) ?? []
  if (number === undefined) return NaN
  return Math.floor(Number(number) * base ** " KMGT".indexOf(unit.toUpperCase() || " "))
}

/** As C's %.2g prints a percentage. */
export function percentText(percent: number): string {
  const [, mantissa, exponent] = /^(.*)e([+-]\d+)$/.exec(percent.toExponential(1))!
  const power = Number(exponent)
  if (percent !== 0 && (power < -4 || power >= 2)) {
    return `${Number(mantissa)}e${power < 0 ? "-" : "+"}${String(Math.abs(power)).padStart(2, "0")}`
  }
  return String(Number(percent.toPrecision(2)))
}

/** ` 0.00-1.00  ` without the id. */
export function spanText(startSeconds: number, endSeconds: number): string {
  return `${startSeconds.toFixed(2).padStart(6)}-${endSeconds.toFixed(2).padEnd(6)} sec`
}
