/**
 * Command line arguments → files in memory, as `kubectl -f` takes them (cli-runtime `Builder.FilenameParam`,
 * `ExpandPathsToFileVisitors`): a file of any name, a folder's *.json, *.yaml and *.yml in byte order of
 * their names (with `recursive` the folders within, each in its place), `-` for standard input once. A FIFO
 * or character device named on the command line is read (`-f <(helm template …)`). A link that is named is
 * followed; within a folder links to files are read and links to folders are not entered, as there.
 *
 * Helm charts and kustomizations are refused with the command that renders them.
 * Not supported: URLs (nothing here speaks to a network) and patterns kubectl expands itself when quoted.
 */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Path from "effect/Path"
import type { PlatformError } from "effect/PlatformError"
import * as Stdio from "effect/Stdio"
import * as Stream from "effect/Stream"
import { type Document, readDocuments, type SourceFile } from "./documents.ts"
import { type Complaint, InputError, makeProblem, type Problem } from "./problem.ts"

export interface SourceOptions {
  /** As -R: folders within folders too. */
  readonly recursive?: boolean
}

export interface Sources {
  readonly files: ReadonlyArray<SourceFile>
  readonly problems: ReadonlyArray<Problem>
}

/** kubectl has no limit; memory has one, and /dev/zero no end. */
const FILE_BYTES_MAX = 256 * 1024 * 1024
export const STDIN_NAME = "STDIN"

const EXTENSIONS = [".json", ".yaml", ".yml"]
const KUSTOMIZATIONS = new Set(["kustomization.yaml", "kustomization.yml", "Kustomization"])

type Found = { readonly file: SourceFile } | { readonly problem: Problem }

/** Everything that the arguments name, parsed; fails with all problems of all files at once. */
export const loadDocuments = Effect.fn("loadDocuments")(function* (
  paths: ReadonlyArray<string>,
  options: SourceOptions = {}
) {
  const sources = yield* readSources(paths, options)
  const { documents, problems } = readDocuments(sources.files)
  if (sources.problems.length + problems.length === 0 && documents.length === 0) {
    const name = paths.length === 1 && paths[0] === "-" ? STDIN_NAME : paths.join(", ")
    return yield* new InputError({
      problems: [
        makeProblem(name, null, [], {
          what: "no objects in the input",
          remedy: "give a file with at least one manifest"
        })
      ]
    })
  }
  if (sources.problems.length + problems.length > 0)
    return yield* new InputError({ problems: [...sources.problems, ...problems] })
  return documents as ReadonlyArray<Document>
})

/**
 * The files and what could not be read; never fails, so that problems of several arguments stand together.
 */
export const readSources = Effect.fn("readSources")(function* (
  paths: ReadonlyArray<string>,
  options: SourceOptions = {}
) {
  const files: Array<SourceFile> = []
  const problems: Array<Problem> = []
  let stdin = false
  if (paths.length === 0) {
    problems.push(
      makeProblem("-f", null, [], {
        what: "nothing to read",
        remedy: "name a file, a folder, or - for standard input"
      })
    )
  }
  for (const path of paths) {
    if (path === "-" && stdin) {
      problems.push(
        makeProblem(STDIN_NAME, null, [], {
          what: "standard input cannot be used for multiple arguments",
          remedy: "give - once"
        })
      )
      continue
    }
    if (path === "-") stdin = true
    for (const found of path === "-" ? [yield* readStdin()] : yield* readArgument(path, options)) {
      if ("file" in found) files.push(found.file)
      else problems.push(found.problem)
    }
  }
  return { files, problems } satisfies Sources
})

/** Files from memory, for tests and the browser: names to texts or bytes, in the order given. */
export function sourcesFrom(files: Readonly<Record<string, string | Uint8Array>>): ReadonlyArray<SourceFile> {
  return Object.entries(files).map(([name, content]) => ({ name, content }))
}

const readStdin = Effect.fnUntraced(function* () {
  const stdio = yield* Stdio.Stdio
  return yield* collect(STDIN_NAME, stdio.stdin)
})

const readArgument = Effect.fnUntraced(function* (path: string, options: SourceOptions) {
  if (/^[a-z][a-z\d+.-]+:\/\//i.test(path)) {
    return [
      bad(path, {
        what: "URLs are not fetched",
        remedy: `fetch it first: curl -L ${path} | podwire run -f -`
      })
    ]
  }
  if (path === "")
    return [
      bad('""', { what: "an empty file name", remedy: "name a file, a folder, or - for standard input" })
    ]
  const fs = yield* FileSystem.FileSystem
  const info = yield* Effect.result(fs.stat(path))
  if (info._tag === "Failure") return [bad(path, cannotRead(info.failure, path))]
  switch (info.success.type) {
    case "Directory": {
      const found = yield* readFolder(path, options)
      return found.length > 0
        ? found
        : [
            bad(path, {
              what: `error reading [${path}]: recognized file extensions are [${EXTENSIONS.join(" ")}]`,
              remedy:
                options.recursive === true
                  ? "name another folder"
                  : "name another folder, or add -R for the folders within"
            })
          ]
    }
    case "File":
      return [yield* readFile(path, info.success)]
    case "FIFO":
      return [yield* readFile(path, null)]
    case "CharacterDevice":
      return [yield* collect(path, fs.stream(path))]
    default:
      return [
        bad(path, { what: "", found: `a ${kindOf(info.success.type)}`, expected: "a file or a folder" })
      ]
  }
})

const readFolder: (
  path: string,
  options: SourceOptions
) => Effect.Effect<ReadonlyArray<Found>, never, FileSystem.FileSystem | Path.Path> = Effect.fnUntraced(
  function* (folder: string, options: SourceOptions) {
    const fs = yield* FileSystem.FileSystem
    const { join } = yield* Path.Path
    const listed = yield* Effect.result(fs.readDirectory(folder))
    if (listed._tag === "Failure") return [bad(folder, cannotRead(listed.failure, folder))]
    const names = [...listed.success].sort(byBytes)
    const rendered = rendererOf(folder, names)
    if (rendered !== null) return [bad(folder, rendered)]
    const found: Array<Found> = []
    for (const name of names) {
      const path = join(folder, name)
      const wanted = EXTENSIONS.some((extension) => name.endsWith(extension))
      if (!wanted && options.recursive !== true) continue
      const info = yield* Effect.result(fs.stat(path))
      const link = (yield* Effect.result(fs.readLink(path)))._tag === "Success"
      if (info._tag === "Failure") {
        if (wanted) found.push(bad(path, cannotRead(info.failure, path)))
      } else if (info.success.type === "Directory") {
        if (options.recursive === true && !link) found.push(...(yield* readFolder(path, options)))
      } else if (wanted && info.success.type === "File") found.push(yield* readFile(path, info.success))
      else if (wanted)
        found.push(
          bad(path, {
            what: "",
            found: `a ${kindOf(info.success.type)}`,
            expected: "a file",
            remedy: "move it out of the folder"
          })
        )
    }
    return found
  }
)

/** A FIFO takes no positions, which a stream of a file reads at; its writer ends it. */
const readFile = Effect.fnUntraced(function* (path: string, info: FileSystem.File.Info | null) {
  const fs = yield* FileSystem.FileSystem
  if (info !== null && Number(info.size) > FILE_BYTES_MAX) return tooLong(path)
  const read = yield* Effect.result(fs.readFile(path))
  if (read._tag === "Failure") return bad(path, cannotRead(read.failure, path))
  return { file: { name: path, content: read.success } } satisfies Found
})

/** Reads to the end, or stops at the limit: a device has no end. */
const collect = Effect.fnUntraced(function* (name: string, stream: Stream.Stream<Uint8Array, PlatformError>) {
  const chunks: Array<Uint8Array> = []
  let length = 0
  const read = yield* Effect.result(
    stream.pipe(
      Stream.takeWhile(() => length <= FILE_BYTES_MAX),
      Stream.runForEach((chunk) =>
        Effect.sync(() => {
          chunks.push(chunk)
          length += chunk.length
        })
      )
    )
  )
  if (read._tag === "Failure") return bad(name, cannotRead(read.failure, name))
  if (length > FILE_BYTES_MAX) return tooLong(name)
  const content = new Uint8Array(length)
  let at = 0
  for (const chunk of chunks) {
    content.set(chunk, at)
    at += chunk.length
  }
  return { file: { name, content } } satisfies Found
})

function rendererOf(folder: string, names: ReadonlyArray<string>): Complaint | null {
  if (names.includes("Chart.yaml")) {
    return {
      what: "a Helm chart, not manifests",
      remedy: `render it: helm template ${folder} | podwire run -f -`
    }
  }
  if (names.some((name) => KUSTOMIZATIONS.has(name))) {
    return {
      what: "a kustomization, not manifests",
      remedy: `render it: kustomize build ${folder} | podwire run -f -`
    }
  }
  return null
}

function cannotRead({ reason }: PlatformError, path: string): Complaint {
  const cause: unknown = reason.cause
  const code =
    typeof cause === "object" && cause !== null && "code" in cause ? String(cause.code) : reason._tag
  if (reason._tag === "NotFound" || code === "ENOTDIR") {
    return {
      what: "the path does not exist",
      ...(/[*?[]/.test(path) ? { remedy: "leave the pattern unquoted, the shell expands it" } : {})
    }
  }
  if (reason._tag === "PermissionDenied") return { what: "permission denied", remedy: "make it readable" }
  return { what: code === "ELOOP" ? "a link that leads to itself" : `cannot be read: ${code}` }
}

function kindOf(type: FileSystem.File.Type): string {
  return type === "BlockDevice"
    ? "block device"
    : type === "CharacterDevice"
      ? "character device"
      : type === "FIFO"
        ? "FIFO"
        : type.toLowerCase()
}

function tooLong(file: string): Found {
  return bad(file, { what: `longer than ${FILE_BYTES_MAX} bytes`, remedy: "split the file" })
}

function bad(file: string, complaint: Complaint): Found {
  return { problem: makeProblem(file, null, [], complaint) }
}

/** Go sorts file names by their UTF-8 bytes, which is the order of code points, not of UTF-16 units. */
function byBytes(a: string, b: string): number {
  const left = [...a]
  const right = [...b]
  for (let i = 0; i < left.length && i < right.length; i++) {
    const difference = left[i]!.codePointAt(0)! - right[i]!.codePointAt(0)!
    if (difference !== 0) return difference
  }
  return left.length - right.length
}
