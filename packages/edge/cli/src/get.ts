/** `podwire get KIND[,KIND] [NAME…]`: objects of the settled cluster, as kubectl prints them. */
import { get, type GetOptions, TargetError } from "@podwire/lab"
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Effect from "effect/Effect"
import * as Flag from "effect/cli/Flag"
import * as Option from "effect/Option"
import { clusterFlags, displayFlags, namespaceFlag, settledLab } from "./options.ts"

export const getCommand = Command.make("get", {
  words: Argument.String("what").pipe(
    Argument.variadic(), Argument.withDescription("KIND[,KIND] [NAME…], KIND/NAME … or all")
  ),
  output: Flag.String("output").pipe(
    Flag.withAlias("o"), Flag.withDefault(""),
    Flag.withDescription("wide, json, yaml, name, jsonpath=…, custom-columns=…")
  ),
  allNamespaces: Flag.Boolean("all-namespaces")
    .pipe(Flag.withAlias("A"), Flag.withDefault(false), Flag.withDescription("Of every namespace")),
  selector: Flag.String("selector").pipe(
    Flag.withAlias("l"), Flag.withDefault(""), Flag.withDescription("Labels: app=web,tier in (a,b)")
  ),
  fieldSelector: Flag.String("field-selector")
    .pipe(Flag.withDefault(""), Flag.withDescription("Fields: status.phase=Running")),
  showLabels: Flag.Boolean("show-labels")
    .pipe(Flag.withDefault(false), Flag.withDescription("All labels as the last column")),
  labelColumns: Flag.String("label-columns")
    .pipe(Flag.withAlias("L"), Flag.atLeast(0), Flag.withDescription("A label as a column; repeatable")),
  noHeaders: Flag.Boolean("no-headers").pipe(Flag.withDefault(false), Flag.withDescription("Rows only")),
  sortBy: Flag.String("sort-by").pipe(Flag.optional, Flag.withDescription("A path: .metadata.name")),
  namespace: namespaceFlag,
  ...clusterFlags,
  ...displayFlags
}, Effect.fnUntraced(function*(options) {
  const lab = yield* settledLab(options, options.quiet)
  const { sortBy, ...rest } = options
  const printed = get(
    lab.cluster, options.words,
    { ...rest, ...Option.isSome(sortBy) ? { sortBy: sortBy.value } : {} } satisfies GetOptions
  )
  if (printed instanceof TargetError) return yield* printed
  process.stdout.write(printed.stdout)
  process.stderr.write(printed.stderr)
}, Effect.scoped)).pipe(
  Command.withDescription("Print objects of the settled cluster as kubectl get does"),
  Command.withExamples([
    { command: "podwire get pods -o wide -f k8s/", description: "Pods with their addresses and nodes" }
  ])
)
