/** Names that the API takes: labels (RFC 1123), and for what may have them, names with dots. Shrinks to "a". */
import fc from "fast-check"

const EDGE = "abcdefghijklmnopqrstuvwxyz0123456789"

function text(characters: string, maxLength: number): fc.Arbitrary<string> {
  return fc.array(fc.constantFrom(...characters), { maxLength }).map((list) => list.join(""))
}

export function label(maxLength = 20): fc.Arbitrary<string> {
  return fc.tuple(fc.constantFrom(...EDGE), text(`${EDGE}-`, maxLength - 2), fc.constantFrom("", ...EDGE))
    .map(([first, middle, last]) => (last === "" ? first : first + middle + last))
    // YAML's documents hold them in quotes; kubectl's tables and ours read them as they are.
}

export const subdomain: fc.Arbitrary<string> = fc.oneof(
  { withCrossShrink: true },
  { weight: 5, arbitrary: label() },
  { weight: 1, arbitrary: fc.tuple(label(8), label(8)).map(([a, b]) => `${a}.${b}`) },
  { weight: 1, arbitrary: label(40) }
)
