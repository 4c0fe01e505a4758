#!/usr/bin/env node
/**
 * Runs a script of this repository on the pinned Node, whichever Node (18 or newer) was on the PATH.
 * Plain JavaScript without dependencies, because it runs before anything is installed: it installs
 * what package-lock.json names when that is missing or older, then starts the pinned runtime.
 * A user whose platform has no pinned Node runs on his own, if it is new enough.
 */
import { spawnSync } from "node:child_process"
import { existsSync, realpathSync, statSync } from "node:fs"
import { delimiter, dirname, join, resolve } from "node:path"
import { fileURLToPath, pathToFileURL } from "node:url"

const NODE_MAJOR_MIN = 24
const here = dirname(realpathSync(fileURLToPath(import.meta.url)))
export const root = resolve(here, "../../../..")
const modules = join(root, "node_modules")
const windows = process.platform === "win32"

/** Where the package of the official build for this platform keeps its executable. */
function pinnedNode() {
  const target = `${windows ? "win" : process.platform}-${process.arch}`
  const name = (target === "darwin-arm64" ? "node-bin-" : "node-") + target
  return join(modules, name, "bin", windows ? "node.exe" : "node")
}

function die(message) {
  console.error(`podwire: ${message}`)
  process.exit(1)
}

function modified(file) {
  return existsSync(file) ? statSync(file).mtimeMs : 0
}

/** `npm ci`, unless the installed tree is at least as new as the lock file. */
function install() {
  const stamp = modified(join(modules, ".package-lock.json"))
  if (stamp !== 0 && stamp >= modified(join(root, "package-lock.json"))) return
  console.error("podwire: installing what package-lock.json names (needed once) ...")
  const args = ["ci", "--loglevel=error", "--no-audit", "--no-fund"]
  const npm = process.env.npm_execpath
  // npx exports settings of its own call (a package to run, a prefix); `npm ci` must not inherit them.
  const env = Object.fromEntries(Object.entries(process.env).filter(([key]) =>
    !/^npm_config_(package|call|prefix|local_prefix|global_prefix|workspace|workspaces|global|omit|include)$/i
      .test(key)
  ))
  const options = { cwd: root, stdio: ["ignore", 2, 2], env }
  const viaNode = npm !== undefined && /npm-cli\.[cm]?js$/.test(npm)
  const done = viaNode
    ? spawnSync(process.execPath, [npm, ...args], options)
    : spawnSync("npm", args, { ...options, shell: windows })
  if (done.error) die(`cannot run npm: ${done.error.message}`)
  if (done.status !== 0) die("npm ci failed; its message is above")
}

export async function launch(script, args) {
  install()
  const file = resolve(root, script)
  const pinned = pinnedNode()
  const hasPin = existsSync(pinned)
  const here = hasPin
    ? realpathSync(process.execPath) === realpathSync(pinned)
    : Number(process.versions.node.split(".")[0]) >= NODE_MAJOR_MIN
  if (here) {
    process.argv = [process.execPath, file, ...args]
    await import(pathToFileURL(file).href)
    return
  }
  if (!hasPin) {
    die(`needs Node ${NODE_MAJOR_MIN} or newer, this is ${process.versions.node}, and none is pinned ` +
      `for ${process.platform}-${process.arch} (or the install left out optional dependencies)`)
  }
  const run = spawnSync(pinned, [file, ...args], {
    stdio: "inherit",
    env: { ...process.env, PATH: dirname(pinned) + delimiter + process.env.PATH }
  })
  if (run.error) die(`cannot run ${pinned}: ${run.error.message}`)
  process.exit(run.status ?? (run.signal === "SIGINT" ? 130 : 1))
}

const self = realpathSync(fileURLToPath(import.meta.url))
if (process.argv[1] !== undefined && existsSync(process.argv[1]) && realpathSync(process.argv[1]) === self) {
  const [script, ...args] = process.argv.slice(2)
  if (script === undefined) die("usage: launch.mjs SCRIPT [ARGUMENT...]")
  await launch(script, args)
}
