/**
 * Makes the package that is published: `node build.mjs [FOLDER]` fills FOLDER (default `dist`) with
 * JavaScript, declarations, README, LICENSE and a package.json of its own, ready for `npm publish ./dist`.
 *
 * Why a second package.json: in the workspace `exports` point at ./src/*.ts, which Node runs without a
 * build, but never under node_modules; and npm does not take other exports from publishConfig.
 */
import { spawnSync } from "node:child_process"
import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { dirname, join, resolve } from "node:path"
import { fileURLToPath } from "node:url"

const here = dirname(fileURLToPath(import.meta.url))
const root = resolve(here, "../../..")
const out = resolve(process.argv[2] ?? join(here, "dist"))

// A folder that is no build of this package is not emptied.
if (existsSync(out) && !existsSync(join(out, "pcapng.js")) && existsSync(join(out, "package.json"))) {
  console.error(`${out}: holds another package`)
  process.exit(2)
}
rmSync(out, { recursive: true, force: true })
mkdirSync(out, { recursive: true })

const tsc = join(root, "node_modules/typescript/bin/tsc")
const args = [tsc, "-p", join(here, "tsconfig.build.json"), "--outDir", out]
const { status } = spawnSync(process.execPath, args, { stdio: "inherit" })
if (status !== 0) process.exit(status ?? 1)

const { private: _, scripts: __, devDependencies: ___, ...manifest } =
  JSON.parse(readFileSync(join(here, "package.json"), "utf8"))
writeFileSync(join(out, "package.json"), JSON.stringify({
  ...manifest,
  exports: { ".": { types: "./index.d.ts", default: "./index.js" }, "./package.json": "./package.json" },
  types: "./index.d.ts",
  files: ["*.js", "*.d.ts"]
}, null, 2) + "\n")
for (const file of ["README.md", "LICENSE"]) copyFileSync(join(here, file), join(out, file))
