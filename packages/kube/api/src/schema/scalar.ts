/**
 * The leaves that every kind is made of, as the Go structs type them. Each carries what it expects, so that
 * a refusal can say it. Quantity and IntOrString stay as written, a number or a string: `quantity.ts` reads
 * them.
 * Not supported: Go's acceptance of a time that no calendar has (30 February passes the pattern here).
 */
import * as Schema from "effect/Schema"
import { isQuantity } from "../quantity.ts"

const leaf = <T>(is: (u: unknown) => u is T, expected: string) => Schema.declare<T>(is, { expected })

const integer = (min: number, max: number, expected: string) =>
  leaf((u): u is number => Number.isInteger(u) && (u as number) >= min && (u as number) <= max, expected)

export const Int32 = integer(-(2 ** 31), 2 ** 31 - 1, "an integer")
/** 64 bits in Go; beyond 2^53 a JSON number has already lost digits here. */
export const Int64 = integer(Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER, "an integer")

export const IntOrString = leaf((u): u is number | string =>
  typeof u === "string" || (Number.isInteger(u) && (u as number) >= -(2 ** 31) && (u as number) < 2 ** 31),
"an integer or a string")

export const Quantity = leaf(isQuantity, "a quantity such as 500m, 2 or 1Gi")

const RFC3339 = /^\d{4}-\d\d-\d\d[Tt]([01]\d|2[0-3]):[0-5]\d:[0-5]\d([.,]\d+)?([Zz]|[+-]\d\d:\d\d)$/
export const Time = leaf((u): u is string => typeof u === "string" && RFC3339.test(u),
  "a time such as 2006-01-02T15:04:05Z")

const BASE64 = /^([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/
export const Base64 = leaf((u): u is string => typeof u === "string" && BASE64.test(u.replace(/[\r\n]/g, "")),
  "base64 (plain text goes under `stringData` in a Secret, under `data` in a ConfigMap)")

/** What Kubernetes itself does not look into: managedFields, parameters of plugins. */
export const Opaque = Schema.Unknown

export const mapOf = <S extends Schema.Constraint>(value: S) => Schema.Record(Schema.String, value)
export const StringMap = mapOf(Schema.String)

/** A key that may be absent, never present and undefined: null has been taken out before (`decode.ts`). */
export const optional = Schema.optionalKey
