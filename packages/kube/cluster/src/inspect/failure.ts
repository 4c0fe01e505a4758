/** How a tool ends when it does not succeed: its own words and its own exit status. */

export class Failure extends Error {
  readonly stderr: string
  readonly exitCode: number
  /** What was printed before things went wrong. */
  readonly stdout: string

  constructor(stderr: string, exitCode: number, stdout = "") {
    super(stderr)
    this.stderr = stderr
    this.exitCode = exitCode
    this.stdout = stdout
  }
}

export function fail(message: string, exitCode: number): never {
  throw new Failure(`${message}\n`, exitCode)
}

/** Linux has it, Podwire does not (yet). */
export function notModelled(what: string): never {
  throw new Failure(`${what}: not modelled yet\n`, 2)
}
