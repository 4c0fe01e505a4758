/**
 * Names that Kubernetes makes up: five characters without vowels behind a prefix
 * (apiserver/pkg/storage/names/generate.go, apimachinery pkg/util/rand), and the hash of a pod template.
 * Approximated: Kubernetes hashes Go's dump of the template (FNV-32a); that dump cannot be had here, so the
 * hash is FNV-32a of our own canonical text, and shown in the same alphabet. It changes when the template
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

/** rand.SafeEncodeString: each character by its code, modulo the alphabet. */
export function safeEncode(text: string): string {
  let encoded = ""
  for (let i = 0; i < text.length; i++) encoded += ALPHABET[text.charCodeAt(i) % ALPHABET.length]
  return encoded
}

/** The label `pod-template-hash`; `collisions` is the Deployment's collisionCount. */
export function templateHash(template: unknown, collisions = 0): string {
  const text = canonical(template)
  return safeEncode(String(fnv32a(collisions === 0 ? text : `${text}#${collisions}`)))
}

/** JSON with sorted keys: the order in which fields were written is no difference. */
export function canonical(value: unknown): string {
  if (typeof value !== "object" || value === null) return JSON.stringify(value) ?? "null"
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`
  const fields = Object.entries(value).filter(([, child]) => child !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
  return `{${fields.map(([key, child]) => `${JSON.stringify(key)}:${canonical(child)}`).join(",")}}`
}

/** FNV-1a over UTF-16 code units, 32 bits. */
function fnv32a(text: string): number {
  let hash = 0x811c9dc5
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  return hash >>> 0
}
