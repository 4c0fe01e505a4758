/**
 * Kubernetes' times (RFC 3339, whole seconds) and ages from virtual time. A run begins at EPOCH, so that
 * the same seed prints the same times on every day.
 */
import { type Ns, SECOND } from "@podwire/engine"

/** 2026-01-01T00:00:00Z in seconds since 1970. */
export const EPOCH_SECONDS = 1_767_225_600
const DAY = 86_400

export function timeText(atNs: Ns): string {
  const seconds = EPOCH_SECONDS + Math.floor(atNs / SECOND)
  const days = Math.floor(seconds / DAY)
  const rest = seconds - days * DAY
  const [year, month, day] = civil(days)
  const two = (n: number) => String(n).padStart(2, "0")
  const [hour, minute, second] = [Math.floor(rest / 3600), Math.floor(rest / 60) % 60, rest % 60]
  return `${year}-${two(month)}-${two(day)}T${two(hour)}:${two(minute)}:${two(second)}Z`
}

/** Nanoseconds since the run began; null when the text is no such time. */
export function timeNs(text: string): Ns | null {
  const [, year, month, day, hour, minute, second] =
    /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.\d+)?Z$/.exec(text) ?? []
  if (year === undefined) return null
  const days = daysFrom(Number(year), Number(month), Number(day))
  return (days * DAY + Number(hour) * 3600 + Number(minute) * 60 + Number(second) - EPOCH_SECONDS) * SECOND
}

/** As kubectl prints an age (apimachinery/pkg/util/duration, HumanDuration). */
export function ageText(ns: Ns): string {
  const seconds = Math.floor(ns / SECOND)
  if (seconds < 0) return seconds < -1 ? "<invalid>" : "0s"
  if (seconds < 120) return `${seconds}s`
  const minutes = Math.floor(seconds / 60)
  const pair = (a: number, unitA: string, b: number, unitB: string) => b === 0 ? `${a}${unitA}`
    : `${a}${unitA}${b}${unitB}`
  if (minutes < 10) return pair(minutes, "m", seconds % 60, "s")
  if (minutes < 180) return `${minutes}m`
  const hours = Math.floor(minutes / 60)
  if (hours < 8) return pair(hours, "h", minutes % 60, "m")
  if (hours < 48) return `${hours}h`
  const days = Math.floor(hours / 24)
  if (days < 8) return pair(days, "d", hours % 24, "h")
  if (days < 365 * 2) return `${days}d`
  const years = Math.floor(days / 365)
  return years < 8 ? pair(years, "y", days % 365, "d") : `${years}y`
}

/** Days since 1970 to year, month, day, in the proleptic Gregorian calendar, counted from 1 March. */
function civil(days: number): readonly [number, number, number] {
  const shifted = days + 719_468
  const era = Math.floor(shifted / 146_097)
  const dayOfEra = shifted - era * 146_097
  const yearOfEra = Math.floor(
    (
      dayOfEra - Math.floor(dayOfEra / 1460) + Math.floor(dayOfEra / 36_524) - Math.floor(dayOfEra / 146_096)
    ) / 365
  )
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100))
  const shiftedMonth = Math.floor((5 * dayOfYear + 2) / 153)
  const day = dayOfYear - Math.floor((153 * shiftedMonth + 2) / 5) + 1
  const month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
  return [yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day]
}

function daysFrom(year: number, month: number, day: number): number {
  const y = month <= 2 ? year - 1 : year
  const era = Math.floor(y / 400)
  const yearOfEra = y - era * 400
  const dayOfYear = Math.floor((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5) + day - 1
  return era * 146_097 + yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) +
    dayOfYear - 719_468
}
