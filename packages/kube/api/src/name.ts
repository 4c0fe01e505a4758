/**
 * Names that Kubernetes makes up, drawn from the seed: uids; five characters without vowels behind a prefix
 * (apiserver/pkg/storage/names/generate.go, apimachinery pkg/util/rand), and the hash of a pod template
 * (pkg/controller/controller_utils.go, ComputeHash).
 * Approximated: Kubernetes hashes Go's dump of the template (32 bits of FNV-1a); that dump cannot be had
 * here, so we hash our own canonical text, and show it in the same alphabet. It changes when the template
 * changes and never otherwise; the letters differ from a real cluster's.
 */
import type { Prng } from "@podwire/engine"

const ALPHABET = "bcdfghjklmnpqrstvwxz2456789"
const SUFFIX_CHARS = 5
const NAME_CHARS_MAX = 63

export function suffix(prng: Prng, chars = SUFFIX_CHARS): string {
  let text = ""
  for (let i = 0; i < chars; i++) text += ALPHABET[prng.below(ALPHABET.length)]
  return text
}

/** The prefix is cut so that the whole is a label. */
export function generateName(prefix: string, prng: Prng): string {
  return prefix.slice(0, NAME_CHARS_MAX - SUFFIX_CHARS) + suffix(prng)
}

/** A UUID of version 4 (RFC 9562, section 5.4). */
export function uuid(prng: Prng): string {
  const hex = (word: number) => word.toString(16).padStart(8, "0")
  const [a, b, c, d] = [prng.u32(), prng.u32(), prng.u32(), prng.u32()]
  const second = hex((b & 0xffff_0fff | 0x4000) >>> 0)
  const third = hex((c & 0x3fff_ffff | 0x8000_0000) >>> 0)
  return `${hex(a)}-${second.slice(0, 4)}-${second.slice(4)}-${third.slice(0, 4)}-${third.slice(4)}${hex(d)}`
}

/** rand.SafeEncodeString: each character by its code, modulo the alphabet. */
export function safeEncode(text: string): string {
  let encoded = ""
  for (let i = 0; i < text.length; i++) encoded += ALPHABET[text.charCodeAt(i) % ALPHABET.length]
  return encoded
}

/** In the names of ReplicaSets and revisions; `collisionCount` as their owner's status has it. */
export function templateHash(template: unknown, collisionCount?: number): string {
  let hash = 0x811c9dc5
  const text = canonical(template)
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    hash = fnv1a(fnv1a(hash, code & 0xff), code >>> 8)
  }
  if (collisionCount !== undefined) {
    for (let shift = 0; shift < 32; shift += 8) hash = fnv1a(hash, collisionCount >>> shift & 0xff)
  }
  return safeEncode(String(hash >>> 0))
}

/** JSON with sorted keys: the order in which fields were written is no difference. */
export function canonical(value: unknown): string {
  if (typeof value !== "object" || value === null) return JSON.stringify(value) ?? "null"
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`
  const fields = Object.entries(value).filter(([, child]) => child !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
  return `{${fields.map(([key, child]) => `${JSON.stringify(key)}:${canonical(child)}`).join(",")}}`
}

function fnv1a(hash: number, byte: number): number {
  return Math.imul(hash ^ byte, 0x01000193)
}
