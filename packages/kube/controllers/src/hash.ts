/**
 * The hash in the names of ReplicaSets and revisions (controller_utils.go, ComputeHash): 32 bits of FNV-1a,
 * in decimal, its digits spelt in the alphabet of generated names.
 *
 * Approximated: Kubernetes hashes Go's dump of the structure, we hash its JSON with sorted keys, so the
 * hash of a template isn't the one that a real cluster shows. Equal templates have equal hashes in both.
 */
const ALPHABET = "bcdfghjklmnpqrstvwxz2456789"

export function hashOf(value: unknown, collisionCount: number | undefined): string {
  let h = 0x811c9dc5
  const text = canonical(value)
  for (let i = 0; i < text.length; i++) h = step(step(h, text.charCodeAt(i) & 0xff), text.charCodeAt(i) >>> 8)
  if (collisionCount !== undefined) {
    for (let shift = 0; shift < 32; shift += 8) h = step(h, collisionCount >>> shift & 0xff)
  }
  return safe(String(h >>> 0))
}

function step(h: number, byte: number): number {
  return Math.imul(h ^ byte, 0x01000193)
}

/** apimachinery/pkg/util/rand, SafeEncodeString. */
function safe(text: string): string {
  let encoded = ""
  for (let i = 0; i < text.length; i++) encoded += ALPHABET[text.charCodeAt(i) % ALPHABET.length]
  return encoded
}

function canonical(value: unknown): string {
  if (typeof value !== "object" || value === null) return JSON.stringify(value) ?? "null"
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`
  const fields = value as Readonly<Record<string, unknown>>
  const keys = Object.keys(fields).filter((key) => fields[key] !== undefined).sort((a, b) => (a < b ? -1 : a > b ? 1 : 0))
  return `{${keys.map((key) => `${JSON.stringify(key)}:${canonical(fields[key])}`).join(",")}}`
}
