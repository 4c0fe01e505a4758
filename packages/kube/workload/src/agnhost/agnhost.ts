/**
 * `agnhost SUBCOMMAND [FLAGS]`, the image of Kubernetes' end-to-end tests, with those of its servers that
 * make network traffic. Without a subcommand it pauses, as its image does.
 * Not supported: the other subcommands (which say so and fail), and printing usages.
 */
import { Pause } from "./pause.ts"
import { type Flags, type FlagValue, parsePflags } from "../go/flags.ts"
import { Finished, type Host, type Process, type Program } from "../process.ts"
import { Connect, CONNECT_FLAGS } from "./connect.ts"
import { Netexec, NETEXEC_FLAGS } from "./netexec.ts"
import { Porter, PORTER_FLAGS } from "./porter.ts"
import { ServeHostname, SERVE_HOSTNAME_FLAGS } from "./serve-hostname.ts"
import { TcpReset, TCP_RESET_FLAGS } from "./tcp-reset.ts"

type Command = (host: Host, argv: ReadonlyArray<string>, words: ReadonlyArray<string>) => Process

const COMMANDS: ReadonlyMap<string, Command> = new Map<string, Command>([
  ["connect",
    command(CONNECT_FLAGS, 1, (host, argv, { values, rest }) => new Connect(host, argv, values, rest[0]!))],
  ["netexec", command(NETEXEC_FLAGS, 0, (host, argv, { values }) => new Netexec(host, argv, values))],
  ["pause", command({}, 0, (host, argv) => new Pause(host, argv))],
  ["porter", command(PORTER_FLAGS, 0, (host, argv, { values }) => new Porter(host, argv, values))],
  ["serve-hostname",
    command(SERVE_HOSTNAME_FLAGS, 0, (host, argv, { values }) => new ServeHostname(host, argv, values))],
  ["tcp-reset", command(TCP_RESET_FLAGS, 0, (host, argv, { values }) => new TcpReset(host, argv, values))]
])

export const AGNHOST_COMMANDS: ReadonlyArray<string> = [...COMMANDS.keys()]

export const agnhost: Program = {
  name: "agnhost",
  synopsis: `agnhost ${AGNHOST_COMMANDS.join("|")} [--FLAG=VALUE]...`,
  start(host, argv) {
    const [name = "pause", ...words] = argv.slice(1)
    const found = COMMANDS.get(name)
    if (found !== undefined) return found(host, argv, words)
    const why = name.startsWith("-") ? `Error: unknown flag: ${name}\n`
      : `Error: unknown command "${name}" for "app", or it is not modelled\n`
    return new Finished(host, argv, 1, "", why)
  }
}

/** cobra's errors, which agnhost's main does not look at: it ends with 0. */
function command<T extends Record<string, FlagValue>>(
  defaults: T, words: number, start: (host: Host, argv: ReadonlyArray<string>, flags: Flags<T>) => Process
): Command {
  return (host, argv, given) => {
    const flags = parsePflags(given, defaults)
    const problem = typeof flags === "string" ? flags
      : words === 0 && flags.rest.length > 0 ? `unknown command "${flags.rest[0]}" for "app ${argv[1]}"`
      : words > 0 && flags.rest.length !== words
      ? `accepts ${words} arg(s), received ${flags.rest.length}` : null
    if (problem !== null || typeof flags === "string") {
      return new Finished(host, argv, 0, "", `Error: ${problem}\n`)
    }
    return start(host, argv, flags)
  }
}
