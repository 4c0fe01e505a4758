/** What a program wrote comes back in the order of writing, each stream whole. */
import { Finished, type Piece } from "@podwire/workload"
import fc from "fast-check"
import { expect, it } from "vitest"
import { makePair } from "./pair.ts"

const host = makePair().client

const writing = fc.record({
  stream: fc.constantFrom<Piece["stream"]>("stdout", "stderr"), text: fc.string({ maxLength: 3 })
})

/** Neighbours of one stream are one piece. */
function joined(writings: ReadonlyArray<Piece>): ReadonlyArray<Piece> {
  const pieces: Array<Piece> = []
  for (const { stream, text } of writings) {
    if (text === "") continue
    const last = pieces.at(-1)
    if (last?.stream === stream) pieces[pieces.length - 1] = { stream, text: last.text + text }
    else pieces.push({ stream, text })
  }
  return pieces
}

it("pieces are what was written, in its order", () => {
  fc.assert(fc.property(fc.array(writing), (writings) => {
    const process = new Finished(host, ["p"], 0, "", "")
    for (const { stream, text } of writings) process[stream] += text
    expect(joined(process.pieces)).toEqual(joined(writings))
  }), { seed: 7 })
})

it("text that is taken back costs the order, not the text", () => {
  const process = new Finished(host, ["p"], 0, "one", "two")
  process.stdout += "three"
  process.stderr = ""
  expect(process.pieces).toEqual([{ stream: "stdout", text: "onethree" }])
  process.stderr += "four"
  process.stdout += "five"
  expect(process.pieces).toEqual([
    { stream: "stdout", text: "onethree" }, { stream: "stderr", text: "four" }, { stream: "stdout", text: "five" }
  ])
})
