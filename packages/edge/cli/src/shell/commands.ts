/** The one table of what the shell can do: dispatch, help and completion read it. */
import { PLANNED } from "../planned.ts"
import * as Effect from "effect/Effect"
import { UsageError } from "../outcome.ts"
import { type Command, printed } from "./command.ts"
import { applyCommand, deleteCommand, getCommand, scaleCommand } from "./objects.ts"
import { execCommand, inspectCommand } from "./programs.ts"
import { TOOLS } from "./words.ts"
import { advanceCommand, faultCommand, nowCommand, reachCommand, settleCommand } from "./time.ts"

/** They make clusters of their own, or none. */
const OUTSIDE: ReadonlyArray<string> = ["bench", "capture", "cni", "run", "shell"]

const helpCommand: Command = {
  name: "help",
  synopsis: "help [COMMAND]",
  summary: "This list, or how a command is called",
  run: (_, [name]) => Effect.suspend(() => {
    if (name === undefined) return Effect.succeed(printed(overview()))
    const command = findCommand(name)
    if (command === null) {
      return Effect.fail(
        new UsageError({
          what: unknownCommand(name) ?? `help: there is no command ${JSON.stringify(name)}; "help" lists them`
        })
      )
    }
    return Effect.succeed(printed(helpOf(command)))
  }),
  complete: (_, words) => (words.length <= 1 ? COMMANDS.map(({ name }) => name) : [])
}

const exitCommand: Command = {
  name: "exit",
  synopsis: "exit [CODE]",
  summary: "Leave; without a code with that of the last command",
  run: ({ lastCode }, argv) => Effect.suspend(() => {
    const [code, ...more] = argv
    if (more.length > 0 || code !== undefined && !(/^\d{1,3}$/.test(code) && Number(code) <= 255)) {
      return Effect.fail(
        new UsageError({
          what: `exit: found ${JSON.stringify(argv.join(" "))}, expected a code from 0 to 255`
        })
      )
    }
    return Effect.succeed({
      exitCode: code === undefined ? lastCode : Number(code), stdout: "", stderr: "", leaves: true as const
    })
  })
}

export const COMMANDS: ReadonlyArray<Command> = [
  advanceCommand, applyCommand, deleteCommand, execCommand, exitCommand, faultCommand, getCommand,
  helpCommand, inspectCommand,
  nowCommand, { ...exitCommand, name: "quit", synopsis: "quit [CODE]", summary: "The same as exit" },
  reachCommand, scaleCommand, settleCommand
]

export function findCommand(name: string): Command | null {
  return COMMANDS.find((command) => command.name === name) ?? null
}

export function helpOf({ synopsis, summary }: Command): string {
  return `${synopsis}\n${summary}\n`
}

/** Why a word of the command line is no command here; null when it is no word of it at all. */
export function unknownCommand(name: string): string | null {
  if (PLANNED.includes(name)) return `${name}: not built yet; "help" lists what is`
  return OUTSIDE.includes(name) ? `${name}: not in the shell; leave it and call podwire ${name}` : null
}

function overview(): string {
  const width = Math.max(...COMMANDS.map(({ name }) => name.length))
  const rows = COMMANDS.map(({ name, summary }) => `  ${name.padEnd(width)}   ${summary}`)
  return "POD ARGV…, NS/POD ARGV…, deploy/NAME ARGV…, NODE ARGV…, HOST ARGV…: run a program there,\n" +
    `or look with ${TOOLS.join(", ")}\n${rows.join("\n")}\n`
}
