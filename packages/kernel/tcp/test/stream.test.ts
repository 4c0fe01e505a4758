/**
 * Over any link the receiver gets exactly the octets that were sent, in order, and then the end; or both ends
 * learn that it failed. Nothing hangs, nothing is left, and on the wire the laws hold (`wire-laws.ts`).
 */
import { SECOND } from "@podwire/engine"
import fc from "fast-check"
import { expect, it } from "vitest"
import { talk } from "./arbitrary.ts"
import { property } from "./property.ts"
import { type Heard, play, type Story, type Talk } from "./talk.ts"

const FAILURES = ["ETIMEDOUT", "ECONNRESET", "EPIPE"]

/** What each side heard is the beginning of what the other said; whoever heard the end heard all. */
function complaints({ a, b }: Talk, story: Story): ReadonlyArray<string> {
  const wrong = [...story.complaints]
  const sides: ReadonlyArray<readonly [string, Heard, number]> = [
    ["a", story.a, b.octets], ["b", story.b, a.octets]
  ]
  for (const [name, heard, said] of sides) {
    if (heard.wrong > 0) wrong.push(`${name} heard ${heard.wrong} other octets`)
    if (heard.octets > said) wrong.push(`${name} heard ${heard.octets} of ${said}`)
    if (heard.outcome === "end" && heard.octets !== said) {
      wrong.push(`${name}'s end came after ${heard.octets} of ${said}`)
    }
    if (!["end", "gone", "", ...FAILURES].includes(heard.outcome)) wrong.push(`${name}: ${heard.outcome}`)
  }
  if (story.accepted > 1) wrong.push(`${story.accepted} connections`)
  return wrong
}

function failed({ a, b }: Story): boolean {
  return [a, b].some(({ outcome }) => outcome !== "end" && outcome !== "gone")
}

it("all arrives over links that lose a tenth, duplicate, reorder and corrupt", () => {
  property(talk(100_000, 40_000), 30, (given) => {
    const story = play(given)
    expect({ wrong: complaints(given, story), failed: failed(story) }).toEqual({ wrong: [], failed: false })
  })
})

it("all arrives or both learn of it over links that lose a third", () => {
  let failures = 0
  property(talk(300_000, 15_000), 40, (given) => {
    const story = play(given)
    expect(complaints(given, story)).toEqual([])
    if (failed(story)) failures++
  })
  expect(failures).toBeLessThan(20)
})

it("a wire that is cut for ever ends every connection at both ends", () => {
  const cut = fc.record({ talk: talk(50_000, 60_000), cutNs: fc.nat(5 * SECOND) })
  property(cut, 20, ({ talk: whole, cutNs }) => {
    const given = { ...whole, cutNs }
    expect(complaints(given, play(given))).toEqual([])
  })
})
