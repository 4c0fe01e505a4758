/**
 * `3` or `25%` of a total (apimachinery/pkg/util/intstr, GetScaledValueFromIntOrPercent). Validation has
 * refused the rest.
 */
export function scaled(value: number | string, total: number, roundUp: boolean): number {
  if (typeof value === "number") return value
  const percent = Number(value.slice(0, -1))
  return roundUp ? Math.ceil(percent * total / 100) : Math.floor(percent * total / 100)
}
