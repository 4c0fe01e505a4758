/** The few small programs that scripts expect anywhere: cat, echo, false, hostname, sleep, true. */
import { CallbackTimer, SECOND } from "@podwire/engine"
import { utf8Decode } from "@podwire/wire/bytes"
import { Finished, type Host, Process, type Program } from "./process.ts"

export const cat: Program = {
  name: "cat",
  synopsis: "cat [FILE|-]...",
  start(host, argv) {
    const { stdin = new Uint8Array(0) } = host
    let input = utf8Decode(stdin, 0, stdin.length)
    const files = argv.length > 1 ? argv.slice(1) : ["-"]
    const missing = files.some((file) => file !== "-" && !host.files.has(file))
    const process = new Finished(host, argv, missing ? 1 : 0, "", "")
    for (const file of files) {
      const text = file === "-" ? input : host.files.get(file)
      if (file === "-") input = ""
      if (text === undefined) process.stderr += `cat: ${file}: No such file or directory\n`
      else process.stdout += text
    }
    return process
  }
}

export const echo: Program = {
  name: "echo",
  synopsis: "echo [-n] [STRING]...",
  start(host, argv) {
    const bare = argv[1] === "-n"
    const text = argv.slice(bare ? 2 : 1).join(" ")
    return new Finished(host, argv, 0, bare ? text : `${text}\n`, "")
  }
}

export const hostname: Program = {
  name: "hostname",
  synopsis: "hostname",
  start: (host, argv) => new Finished(host, argv, 0, `${host.hostname}\n`, "")
}

export const yes: Program = {
  name: "true",
  synopsis: "true",
  start: (host, argv) => new Finished(host, argv, 0, "", "")
}

export const no: Program = {
  name: "false",
  synopsis: "false",
  start: (host, argv) => new Finished(host, argv, 1, "", "")
}

const UNIT_SECONDS: Readonly<Record<string, number>> = { "": 1, s: 1, m: 60, h: 3600, d: 86_400 }

export const sleep: Program = {
  name: "sleep",
  synopsis: "sleep NUMBER[smhd]|infinity...",
  start(host, argv) {
    let seconds = 0
    for (const word of argv.slice(1)) {
      const [, number, unit = ""] = /^(\d+(?:\.\d+)?|infinity|inf)([smhd]?)$/.exec(word) ?? []
      if (number === undefined) {
        return new Finished(host, argv, 1, "", `sleep: invalid time interval '${word}'\n`)
      }
      seconds += number.startsWith("inf") ? Infinity : Number(number) * UNIT_SECONDS[unit]!
    }
    if (argv.length < 2) return new Finished(host, argv, 1, "", "sleep: missing operand\n")
    return new Sleep(host, argv, seconds)
  }
}

/** Also what a container does that only has to be there, with `Infinity`. */
export class Sleep extends Process {
  readonly #timer: CallbackTimer

  constructor(host: Host, argv: ReadonlyArray<string>, seconds: number) {
    super(host, argv)
    this.#timer = new CallbackTimer(() => this.exit(0))
    if (seconds !== Infinity) host.engine.arm(this.#timer, Math.floor(seconds * SECOND))
  }

  protected override release(): void {
    this.host.engine.disarm(this.#timer)
  }
}
