/**
 * `podwire capture [WHERE] [FILTER…] -f PATH`: what passes an interface while the cluster settles and every
 * pod and node reaches for every pod (or the scenario's steps run), as tcpdump prints or writes it.
 */
import {
  CaptureFile, CaptureLines, CapturePlace, durationNs, filterOf, programOf, runTraffic, startsFilter
} from "@podwire/lab"
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Effect from "effect/Effect"
import * as Flag from "effect/cli/Flag"
import * as Option from "effect/Option"
import { closeSync, openSync, writeSync } from "node:fs"
import { clusterFlags, displayFlags, namespaceFlag, settledLab } from "./options.ts"
import { UsageError } from "./outcome.ts"

export const captureCommand = (behindDashes: ReadonlyArray<string>) =>
  Command.make("capture", {
    words: Argument.String("where").pipe(
      Argument.variadic(),
      Argument.withDescription(
        "any (the default), node1/cni0, default/web-0 (its eth0), node1; then a filter as tcpdump has it, also behind --"
      )
    ),
    write: Flag.String("write").pipe(
      Flag.withAlias("w"), Flag.optional, Flag.withMetavar("FILE"),
      Flag.withDescription(
        "A capture instead of lines; - is stdout: podwire capture -w - … | wireshark -k -i -"
      )
    ),
    count: Flag.Int("count").pipe(
      Flag.withAlias("c"), Flag.optional, Flag.withMetavar("N"),
      Flag.withDescription("No more than N frames")
    ),
    link: Flag.Boolean("link").pipe(
      Flag.withAlias("e"), Flag.withDefault(false), Flag.withDescription("The link header on each line")
    ),
    pcap: Flag.Boolean("pcap").pipe(
      Flag.withDefault(false), Flag.withDescription("With -w: the classic format, for one interface")
    ),
    for: Flag.String("for").pipe(
      Flag.optional, Flag.withMetavar("DURATION"),
      Flag.withDescription("Go on for so much virtual time behind it, such as 60s")
    ),
    namespace: namespaceFlag,
    ...clusterFlags,
    ...displayFlags
  }, Effect.fnUntraced(function*(options) {
    const { where, filter: text } = placed(options.words, behindDashes)
    const count = Option.getOrElse(options.count, () => Infinity)
    const more = Option.getOrElse(options.for, () => "0")
    const file = Option.getOrUndefined(options.write)
    if (count < 1) {
      return yield* new UsageError({ what: `-c: found ${count}, expected a whole number, one or more` })
    }
    if (durationNs(more) === null) {
      return yield* new UsageError({
        what: `--for: found ${JSON.stringify(more)}, expected a duration such as 60s or 5m`
      })
    }
    const filter = filterOf(text)
    if (typeof filter === "string") return yield* new UsageError({ what: filter })
    const place = new CapturePlace(where, options.namespace)
    if (options.pcap && (file === undefined || place.any || place.drops)) {
      return yield* new UsageError({
        what: "--pcap: the classic format holds one interface, no drops: name it, and a file with -w"
      })
    }
    const write = (chunk: string | Uint8Array) => void process.stdout.write(chunk)
    const sink = file === undefined || file === "-" ? { write, failure: () => null } : yield* fileSink(file)
    const capture = file === undefined
      ? new CaptureLines({ place, filter, count, link: options.link, write })
      : new CaptureFile({
        place, filter, count, classic: options.pcap, sink
      })
    const program = yield* programOf(options.filename)
    const lab = yield* settledLab(options, options.quiet, {
      observers: capture.observers, ...program === null ? {} : { record: true as const }
    })
    const enough = () => capture.captured >= count
    if (!enough()) {
      for (const warning of yield* runTraffic(lab, program)) {
        if (!options.quiet) process.stderr.write(`warning: ${warning}\n`)
      }
    }
    if (!enough()) yield* lab.advance(more)
    if (capture instanceof CaptureFile) capture.close()
    const failure = sink.failure()
    if (failure !== null) return yield* failure
    const missing = place.missing(lab.cluster)
    if (missing !== null) return yield* new UsageError({ what: missing })
    if (!options.quiet) {
      const { captured } = capture
      process.stderr.write(`${captured} packet${captured === 1 ? "" : "s"} captured\n`)
    }
  }, Effect.scoped)).pipe(
    Command.withDescription("Print or write what passes an interface, as tcpdump does"),
    Command.withExamples([
      {
        command: "podwire capture default/web-0 -f k8s/ icmp or arp", description: "What one pod's eth0 sees"
      },
      {
        command: "podwire capture -w - -f k8s/ | wireshark -k -i -",
        description: "Every interface, in Wireshark"
      },
      {
        command: "podwire capture node1 -f k8s/ -- 'icmp6[icmp6type] = icmp6-echo'",
        description: "A filter behind --"
      }
    ])
  )

/** Names with a slash: a filter does not begin so. */
const PATH = /^[\w.-]+(\/[\w.-]+)+$/

/** The first word is a place unless it begins a filter. */
function placed(words: ReadonlyArray<string>, behind: ReadonlyArray<string>) {
  const [first] = words
  const named = first !== undefined && (PATH.test(first) || !startsFilter(first))
  return { where: named ? first : "any", filter: [...named ? words.slice(1) : words, ...behind].join(" ") }
}

/**
 * Opened at once, so that an unusable path is told before the run. What fails later is kept for the end:
 * nothing is thrown into the data plane.
 */
const fileSink = Effect.fnUntraced(function*(file: string) {
  const unusable = (cause: unknown) => new UsageError({
    what: `-w: ${file} cannot be written: ${cause instanceof Error ? cause.message : String(cause)}`
  })
  const descriptor = yield* Effect.acquireRelease(
    Effect.try({ try: () => openSync(file, "w"), catch: unusable }),
    (open) => Effect.sync(() => closeSync(open))
  )
  let failure: UsageError | null = null
  const write = (chunk: Uint8Array) => {
    if (failure !== null) return
    try {
      for (let done = 0; done < chunk.length;) done += writeSync(descriptor, chunk, done)
    } catch (cause) {
      failure = unusable(cause)
    }
  }
  return { write, failure: () => failure }
})
