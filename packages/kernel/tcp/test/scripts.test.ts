/**
 * What TCP does, behaviour by behaviour: each file of `scripts/` on our stack in virtual time, over IPv4 and IPv6.
 * `scripts-kernel.test.ts` plays the same files against Linux; `timeline/script.ts` says how they read.
 */
import { readdirSync, readFileSync } from "node:fs"
import { expect, it } from "vitest"
import { verdict } from "./timeline/match.ts"
import { parseScript } from "./timeline/script.ts"
import { playVirtual, VIRTUAL } from "./timeline/virtual.ts"

const folder = new URL("scripts/", import.meta.url)

for (const file of readdirSync(folder).filter((name) => name.endsWith(".tcp")).sort((a, b) => a < b ? -1 : 1)) {
  const source = readFileSync(new URL(file, folder), "utf8")
  for (const family of parseScript(source, 4).families) {
    it(`${file.replace(".tcp", "")}, IPv${family}`, () => {
      const script = parseScript(source, family)
      const { fault, text } = verdict(script, playVirtual(script, family), VIRTUAL)
      expect(fault === null ? "" : `${file}\n${text}`).toBe("")
    })
  }
}
