/** Commands that read and change objects: get, apply, delete, scale. A change settles, unless `--no-wait`. */
import { get, type GetOptions, InputError, type Lab, nameOf, TargetError, UNSETTLED } from "@podwire/lab"
import { readDocuments, readSources } from "@podwire/lab/input/index"
import { load } from "@podwire/lab/load"
import * as Effect from "effect/Effect"
import { UsageError } from "../outcome.ts"
import {
  type Command, EXIT_BAD_LINE, FILES, lines, NAMESPACE, NO_WAIT, type Outcome, printed, type Session
} from "./command.ts"
import { type FlagSpec, flagsText, parseFlags } from "./flags.ts"
import { kindWords, objectNames } from "./words.ts"

const GET_FLAGS: ReadonlyArray<FlagSpec> = [
  { name: "output", alias: "o", takes: "value", metavar: "FORMAT" },
  { name: "all-namespaces", alias: "A", takes: "switch" },
  { name: "selector", alias: "l", takes: "value", metavar: "LABELS" },
  { name: "field-selector", takes: "value", metavar: "FIELDS" },
  { name: "show-labels", takes: "switch" },
  { name: "label-columns", alias: "L", takes: "list", metavar: "LABEL" },
  { name: "no-headers", takes: "switch" }, { name: "sort-by", takes: "value", metavar: "PATH" }, NAMESPACE
]
const APPLY_FLAGS = [...FILES, NO_WAIT]
const DELETE_FLAGS = [...FILES, NAMESPACE, NO_WAIT]
const SCALE_FLAGS: ReadonlyArray<FlagSpec> = [
  { name: "replicas", takes: "value", metavar: "N" }, NAMESPACE, NO_WAIT
]

export const getCommand: Command = {
  name: "get",
  synopsis: `get KIND[,KIND] [NAME…] ${flagsText(GET_FLAGS)}`,
  summary: "Print objects as kubectl get does",
  flags: GET_FLAGS,
  run: Effect.fnUntraced(function*(session, argv) {
    const flags = parseFlags(argv, GET_FLAGS)
    if (flags instanceof UsageError) return yield* flags
    const sortBy = flags.value("sort-by")
    const options: GetOptions = {
      output: flags.value("output") ?? "", allNamespaces: flags.has("all-namespaces"),
      selector: flags.value("selector") ?? "",
      fieldSelector: flags.value("field-selector") ?? "", showLabels: flags.has("show-labels"),
      labelColumns: flags.list("label-columns"), noHeaders: flags.has("no-headers"),
      namespace: flags.value("namespace") ?? session.namespace, ...sortBy === undefined ? {} : { sortBy }
    }
    const found = get(session.lab.cluster, [...flags.words, ...flags.rest ?? []], options)
    return found instanceof TargetError ? yield* found : printed(found.stdout, found.stderr)
  }),
  complete: kindThenName
}

export const applyCommand: Command = {
  name: "apply",
  synopsis: `apply -f FILE… ${flagsText(APPLY_FLAGS)}`,
  summary: "Create or change what the manifests say",
  flags: APPLY_FLAGS,
  run: Effect.fnUntraced(function*(session, argv) {
    const flags = parseFlags(argv, APPLY_FLAGS)
    if (flags instanceof UsageError) return yield* flags
    const files = [...flags.list("filename"), ...flags.words, ...flags.rest ?? []]
    const sources = yield* sourcesOf(files, flags.has("recursive"))
    const said = yield* session.lab.applySources(sources)
    return yield* afterChange(session, said, flags.has("no-wait"))
  })
}

export const deleteCommand: Command = {
  name: "delete",
  synopsis: `delete KIND NAME… | KIND/NAME… ${flagsText(DELETE_FLAGS)}`,
  summary: "Delete objects; their dependents follow",
  flags: DELETE_FLAGS,
  run: Effect.fnUntraced(function*(session, argv) {
    const flags = parseFlags(argv, DELETE_FLAGS)
    if (flags instanceof UsageError) return yield* flags
    const files = flags.list("filename")
    const words = [...flags.words, ...flags.rest ?? []]
    if (files.length > 0 && words.length > 0) {
      return yield* new UsageError({ what: "delete: give either -f FILE or names, not both" })
    }
    const names = files.length > 0 ? yield* namesIn(files, flags.has("recursive")) : namesOf(words)
    if (names.length === 0) {
      return yield* new UsageError({
        what: "delete: say what: delete KIND NAME…, delete KIND/NAME or delete -f FILE"
      })
    }
    const said: Array<string> = []
    const wrong: Array<string> = []
    for (const name of names) {
      const done = yield* Effect.result(
        session.lab.delete(name, flags.value("namespace") ?? session.namespace)
      )
      if (done._tag === "Success") said.push(done.success)
      else wrong.push(done.failure.message)
    }
    const outcome = yield* afterChange(session, said, flags.has("no-wait"))
    return wrong.length === 0 ? outcome : { ...outcome, exitCode: 2, stderr: lines(wrong) + outcome.stderr }
  }),
  complete: kindThenName
}

export const scaleCommand: Command = {
  name: "scale",
  synopsis: `scale KIND/NAME… --replicas N ${flagsText(SCALE_FLAGS.slice(1))}`,
  summary: "Set the number of replicas",
  flags: SCALE_FLAGS,
  run: Effect.fnUntraced(function*(session, argv) {
    const flags = parseFlags(argv, SCALE_FLAGS)
    if (flags instanceof UsageError) return yield* flags
    const replicas = flags.value("replicas")
    if (replicas === undefined || !/^\d{1,9}$/.test(replicas)) {
      const found = replicas === undefined ? "" : `found --replicas=${replicas}, `
      return yield* new UsageError({
        what: `scale: ${found}expected --replicas=N, a whole number, zero or more`
      })
    }
    const names = namesOf([...flags.words, ...flags.rest ?? []])
    if (names.length === 0) {
      return yield* new UsageError({ what: "scale: say what: scale deploy/NAME --replicas=N" })
    }
    const said: Array<string> = []
    for (const name of names) {
      said.push(
        yield* session.lab.scale(name, Number(replicas), flags.value("namespace") ?? session.namespace)
      )
    }
    return yield* afterChange(session, said, flags.has("no-wait"))
  }),
  complete: ({ lab }, words) => (words.length > 1
    ? []
    : ["deployments", "replicasets", "statefulsets"].flatMap((kind) =>
      objectNames(lab, kind).map((name) => `${kind.slice(0, -1)}/${name}`)))
}

/** `KIND NAME…`, or every word a KIND/NAME. */
function namesOf(words: ReadonlyArray<string>): ReadonlyArray<string> {
  const [kind, ...names] = words
  return kind === undefined || kind.includes("/") ? words : names.map((name) => `${kind}/${name}`)
}

const sourcesOf = Effect.fnUntraced(function*(files: ReadonlyArray<string>, recursive: boolean) {
  if (files.includes("-")) {
    return yield* new UsageError({
      what: "-f -: standard input is where the commands come from; write the manifests to a file"
    })
  }
  if (files.length === 0) return yield* new UsageError({ what: "must specify -f FILE" })
  const read = yield* readSources(files, { recursive })
  return read.problems.length > 0 ? yield* new InputError({ problems: read.problems }) : read.files
})

/** `NAMESPACE/KIND/NAME` of every object in the files. */
const namesIn = Effect.fnUntraced(function*(files: ReadonlyArray<string>, recursive: boolean) {
  const { documents, problems } = readDocuments(yield* sourcesOf(files, recursive))
  const loaded = load(documents)
  const all = [...problems, ...loaded.problems]
  if (all.length > 0) return yield* new InputError({ problems: all })
  return loaded.objects.map(({ object }) => {
    const { namespace } = object.metadata
    return `${namespace === undefined ? "" : `${namespace}/`}${nameOf(object)}`
  })
})

/** At rest, with what is new to say about it; with --strict that fails, although the change is made. */
const afterChange = Effect.fnUntraced(function*(
  session: Session, said: ReadonlyArray<string>, noWait: boolean
) {
  const rested = noWait || (yield* session.lab.settle())
  const fresh = freshWarnings(session, noWait)
  const refused = session.strict && fresh.length > 0
  return {
    exitCode: refused ? EXIT_BAD_LINE : rested ? 0 : 1, stdout: lines(said),
    stderr: lines([...fresh, ...rested ? [] : [UNSETTLED]].map((text) => `warning: ${text}`))
  } satisfies Outcome
})

/** What the cluster has to say and has not said yet. */
export function freshWarnings(
  { lab, told }: Pick<Session, "lab" | "told">, moving = false
): ReadonlyArray<string> {
  const stuck = moving
    ? []
    : lab.stuck().map(({ file, line, message }) => `${line === null ? file : `${file}:${line}`}: ${message}`)
  const fresh = [...lab.warnings, ...stuck].filter((text) => !told.has(text))
  for (const text of fresh) told.add(text)
  return fresh
}

function kindThenName({ lab }: { readonly lab: Lab }, words: ReadonlyArray<string>): ReadonlyArray<string> {
  return words.length <= 1 ? kindWords(lab) : objectNames(lab, words[0]!)
}
