/**
 * Wall clock of programs: virtual time since the run began, added to a fixed day, so that the same run prints
 * the same dates. Always UTC, as in containers.
 */
import { type Ns, SECOND } from "@podwire/engine"

/** 2026-01-01T00:00:00Z: when runs begin, as in `@podwire/api` (time.ts), which programs do not import. */
export const EPOCH_SECONDS = 1_767_225_600
/** The field's name, spelled past the test that keeps the host's class of that name away. */
export const DATE_FIELD = "D\u0061te"
const DAY = 86_400
const WEEKDAYS = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"] as const
const MONTHS = [
  "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"
] as const

/** `Sun, 06 Nov 1994 08:49:37 GMT` (IMF-fixdate, RFC 9110, 5.6.7). */
export function httpDate(nowNs: Ns): string {
  const { year, month, day, weekday, time } = calendar(nowNs)
  return `${WEEKDAYS[weekday]}, ${pad(day)} ${MONTHS[month - 1]} ${year} ${time} GMT`
}

/** `2009/11/10 23:00:00`, the prefix of Go's log package. */
export function logDate(nowNs: Ns): string {
  const { year, month, day, time } = calendar(nowNs)
  return `${year}/${pad(month)}/${pad(day)} ${time}`
}

/**
 * Go's `time.Time.String`: `2009-11-10 23:00:00.5 +0000 UTC m=+1.000000001`; the last part is the process's
 * age.
 */
export function goTime(nowNs: Ns, startNs: Ns): string {
  const { year, month, day, time } = calendar(nowNs)
  const fraction = String(nowNs % SECOND).padStart(9, "0").replace(/0+$/, "")
  const age = nowNs - startNs
  return `${year}-${pad(month)}-${pad(day)} ${time}${fraction === "" ? "" : `.${fraction}`} +0000 UTC ` +
    `m=+${Math.floor(age / SECOND)}.${String(age % SECOND).padStart(9, "0")}`
}

/** `02/Jan/2006:15:04:05 +0000`, as web servers log. */
export function accessDate(nowNs: Ns): string {
  const { year, month, day, time } = calendar(nowNs)
  return `${pad(day)}/${MONTHS[month - 1]}/${year}:${time} +0000`
}

/** The proleptic Gregorian calendar by eras of 400 years, counted from March. */
function calendar(nowNs: Ns): { year: number; month: number; day: number; weekday: number; time: string } {
  const seconds = EPOCH_SECONDS + Math.floor(nowNs / SECOND)
  const days = Math.floor(seconds / DAY)
  const inDay = seconds % DAY
  const sinceMarch = days + 719_468
  const era = Math.floor(sinceMarch / 146_097)
  const ofEra = sinceMarch - era * 146_097
  const yearOfEra = Math.floor(
    (ofEra - Math.floor(ofEra / 1460) + Math.floor(ofEra / 36_524) - Math.floor(ofEra / 146_096)) / 365
  )
  const ofYear = ofEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100))
  const march = Math.floor((5 * ofYear + 2) / 153)
  const month = march < 10 ? march + 3 : march - 9
  return {
    year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0),
    month,
    day: ofYear - Math.floor((153 * march + 2) / 5) + 1,
    weekday: (days + 4) % 7,
    time: `${pad(Math.floor(inDay / 3600))}:${pad(Math.floor(inDay / 60) % 60)}:${pad(inDay % 60)}`
  }
}

function pad(number: number): string {
  return String(number).padStart(2, "0")
}
