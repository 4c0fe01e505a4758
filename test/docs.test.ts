/** What the pages say exists does: links lead somewhere, files and folders that they name are there, commands are known. */
import { existsSync, globSync, readFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { expect, it } from "vitest"

const PAGES = ["README.md", ...globSync("{packages,scenarios,captures}/**/*.md", { exclude: ["**/node_modules/**", "captures/out/**"] })].sort()

it("relative links lead to files", () => {
  const broken = PAGES.flatMap((page) =>
    [...readFileSync(page, "utf8").matchAll(/\]\(([^)#\s]+)\)/g)]
      .map(([, target]) => target!)
      .filter((target) => !/^https?:/.test(target) && !existsSync(join(dirname(page), target)))
      .map((target) => `${page}: ${target}`))
  expect(broken).toEqual([])
})

/** `input/scalar.ts`, `kube/cluster/src/node.ts`, `test/layering.test.ts`: from the root, from packages, or below the page. */
it("source files named in backticks exist", () => {
  const known = globSync("{packages,test,scenarios}/**/*.{ts,py,json,yaml,mjs}", { exclude: ["**/node_modules/**"] }).map((file) => `/${file}`)
  const broken = PAGES.flatMap((page) =>
    [...readFileSync(page, "utf8").matchAll(/`([\w./-]+\.(?:ts|py|mjs))`/g)]
      .map(([, name]) => name!)
      .filter((name) => !known.some((file) => file.endsWith(`/${name.replace(/^(\.\.?\/)+/, "")}`)))
      .map((name) => `${page}: ${name}`))
  expect(broken).toEqual([])
})

it("every package has a page, and every decision a number", () => {
  const packages = globSync("packages/{kernel,kube,edge}/*/package.json").map((file) => dirname(file))
  expect(packages.filter((folder) => !existsSync(join(folder, "README.md")))).toEqual([])
  const numbers = globSync("packages/decisions/*.md").sort().map((file) => Number(file.split("/").at(-1)!.slice(0, 4)))
  expect(numbers).toEqual(numbers.map((_, i) => i + 1))
})

it("the front page's commands are commands", () => {
  const words = new Set([...readFileSync("README.md", "utf8").matchAll(/npx podwire ([a-z]+)/g)].map(([, word]) => word!))
  const main = readFileSync("packages/edge/cli/src/main.ts", "utf8")
  expect([...words].filter((word) => !main.includes(`${word}Command`))).toEqual([])
})
