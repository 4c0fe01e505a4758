/**
 * `curl` for http:, as version 8.14.1 behaves: its requests octet by octet, its notes (-v), errors, exit
 * codes and -w. URLs are fetched one after the other; connections are kept and used again. Where versions
 * differ it is 8.14's wording ("* Connected to …", "* using HTTP/1.x"). Texts follow a build with --manual.
 * Differences: the progress meter is not shown, as with --no-progress-meter, where the real one shows it on a
 * standard error that is no terminal; files of -o, -O and -D live in the process's memory; output is text
 * (UTF-8, and what is none is replaced); times are virtual, so most of them are 0 where the real ones are
 * some microseconds; 8.14.1's exit code 0 of --retry after an error that is not retried is taken for the
 * defect that it was (8.15 ends as before); -vv is -v.
 * Not supported, and refused: TLS, proxies, HTTP/2 and later, -F, -T, cookie files and jars, --limit-rate,
 * -Z, configuration files, other protocols and authentication schemes; contents that are compressed stay so.
 */
import { CallbackTimer, type Ns, SECOND } from "@podwire/engine"
import { Errno } from "@podwire/netdev"
import { utf8Decode } from "@podwire/wire/bytes"
import { Finished, type Host, Process, type Program } from "../process.ts"
import type { Config, Globals, Target } from "./config.ts"
import { expandGlob, fillName, type GlobMatch } from "./glob.ts"
import { type CommandLine, parseOptions, Refusal } from "./options.ts"
import { type Output, Outputs } from "./output.ts"
import { Pool } from "./pool.ts"
import { Trace } from "./trace.ts"
import { Transfer } from "./transfer.ts"
import { parseUrl, UrlFault } from "./url.ts"
import { Code, describe, warning, wrap } from "./words.ts"
import { writeOut } from "./write-out.ts"

/** RETRY_SLEEP_DEFAULT and RETRY_SLEEP_MAX. */
const RETRY_NS = SECOND
const RETRY_MOST_NS = 600 * SECOND
/** Retry-After beyond it is cut. */
const RETRY_AFTER_MOST_SECONDS = 21_600
const TRANSIENT = [408, 429, 500, 502, 503, 504]

export const curl: Program = {
  name: "curl",
  synopsis: "curl [options...] <url>",
  start(host, argv) {
    const line = parseOptions(argv.slice(1), filesOf(host))
    return line instanceof Refusal
      ? new Finished(host, argv, line.code, line.stdout, line.stderr)
      : new Curl(host, argv, line)
  }
}

/** One URL to fetch, of a glob or not, and its tries. */
interface Job {
  readonly config: Config
  readonly target: Target
  readonly match: GlobMatch
  readonly number: number
  readonly output: Output
  readonly startNs: Ns
  transfer: Transfer
  retriesLeft: number
  retries: number
  sleepNs: Ns
}

class Curl extends Process {
  readonly #globals: Globals
  readonly #configs: ReadonlyArray<Config>
  readonly #outputs: Outputs
  readonly #pool = new Pool()
  readonly #trace: Trace
  readonly #sleep: CallbackTimer
  /** What is still to be fetched of the current target. */
  #matches: Array<GlobMatch> = []
  #config = 0
  #target = -1
  #number = 0
  #ids = 0
  #job: Job | null = null
  #last: number = Code.OK
  #isAdvancing = false

  constructor(host: Host, argv: ReadonlyArray<string>, line: CommandLine) {
    super(host, argv)
    this.#globals = line.globals
    this.#configs = line.configs
    this.#error(line.stderr)
    this.#outputs = new Outputs((stream, text) => {
      if (stream === "stdout") this.stdout += text
      else this.#error(text)
    })
    this.#trace = new Trace(this.#globals.verbose ? (text) => this.#error(text) : null)
    this.#sleep = new CallbackTimer(() => this.#try(this.#job!))
    this.#advance()
  }

  /** What -o and its like have written, by name. */
  get files(): ReadonlyMap<string, string> {
    return this.#outputs.files
  }

  protected override release(): void {
    this.host.engine.disarm(this.#sleep)
    this.#job?.transfer.cancel()
    this.#pool.closeAll()
  }

  #error(text: string): void {
    if (this.#globals.stderrToStdout) this.stdout += text
    else this.stderr += text
  }

  #warn(text: string): void {
    if (!this.#globals.silent) this.#error(warning(text))
  }

  /** Starts one transfer after the other until one takes time. */
  #advance(): void {
    if (this.#isAdvancing) return
    this.#isAdvancing = true
    while (this.running && this.#job === null) this.#nextJob()
    this.#isAdvancing = false
  }

  #nextJob(): void {
    const config = this.#configs[this.#config]!
    const match = this.#matches.shift()
    if (match !== undefined) return this.#begin(config, config.targets[this.#target]!, match)
    const target = config.targets[++this.#target]
    if (target === undefined) {
      if (config.targets.some((one) => one.url === null)) this.#warn("Got more output options than URLs")
      this.#config++
      this.#target = -1
      if (this.#config === this.#configs.length) this.exit(this.#last)
      return
    }
    if (target.url === null) return
    if (!config.globs) this.#matches = [{ url: target.url, chosen: [] }]
    else {
      const matches = expandGlob(target.url)
      if (typeof matches === "string") {
        this.#tell(Code.URL_MALFORMAT, matches)
        this.exit(Code.URL_MALFORMAT)
        return
      }
      this.#matches = [...matches]
    }
  }

  #begin(config: Config, target: Target, match: GlobMatch): void {
    this.#noteMethod(config)
    const id = this.#ids++
    const output = this.#outputs.open(this.#fileOf(config, target, match))
    const job: Job = {
      config, target, match, number: this.#number++, output, startNs: this.host.engine.nowNs,
      transfer: this.#makeTransfer(config, output, id), retriesLeft: config.retries, retries: 0,
      sleepNs: config.retryDelaySeconds > 0 ? config.retryDelaySeconds * SECOND : RETRY_NS
    }
    this.#job = job
    job.transfer.start(match.url)
  }

  #makeTransfer(config: Config, output: Output, id: number): Transfer {
    return new Transfer(this.host, this.#pool, config, this.#trace, id, {
      line: (text) => {
        if (config.dumpHeader !== null) this.#outputs.open(config.dumpHeader).text(text)
        if (config.isHead || config.showHeaders) output.text(text)
      },
      body: (bytes, at, end) => {
        output.body(bytes, at, end)
        return null
      },
      ended: () => this.#ended()
    })
  }

  /** Another try of the same URL. */
  #try(job: Job): void {
    job.output.restart()
    job.transfer = this.#makeTransfer(job.config, job.output, job.transfer.stats.id)
    job.transfer.stats.retries = job.retries
    job.transfer.start(job.match.url)
    this.#advance()
  }

  #ended(): void {
    const job = this.#job!
    const { transfer, config } = job
    let code: number = transfer.code
    const text = transfer.text === "" ? describe(transfer.code) : transfer.text
    if (code !== Code.OK) this.#tell(code, text)
    else if (config.failWithBody && transfer.stats.status >= 400) {
      code = Code.HTTP_RETURNED_ERROR
      this.#tell(code, `The requested URL returned error: ${transfer.stats.status}`)
    }
    if (job.retriesLeft > 0 && this.#retries(job, code)) return
    if (config.writeOut !== null) {
      const written = writeOut(config.writeOut, {
        transfer, code, text, inputUrl: job.match.url, urlNumber: job.number, fileName: job.output.name,
        referer: config.referer
      })
      this.stdout += written.stdout
      this.#error(written.stderr)
    }
    this.#last = code
    this.#job = null
    if (code !== Code.OK && this.#globals.failEarly) this.exit(code)
    this.#advance()
  }

  #tell(code: number, text: string): void {
    if (!this.#globals.silent || this.#globals.showError) this.#error(`curl: (${code}) ${text}\n`)
  }

  /** True when the job is tried again after a while (retrycheck of src/tool_operate.c). */
  #retries(job: Job, code: number): boolean {
    const { config, transfer } = job
    const { engine } = this.host
    const elapsedNs = engine.nowNs - job.startNs
    if (config.retryMostNs > 0 && elapsedNs >= config.retryMostNs) return false
    const why = reasonToRetry(config, transfer, code)
    if (why === null) return false
    let sleepNs = job.sleepNs
    if (why === ": HTTP error") {
      const asked = Number(/^\d+/.exec(transfer.response?.field("retry-after") ?? "")?.[0] ?? 0)
      const afterNs = Math.min(asked, RETRY_AFTER_MOST_SECONDS) * SECOND
      sleepNs = Math.max(sleepNs, afterNs)
      if (config.retryMostNs > 0 && afterNs > 0 && elapsedNs + afterNs > config.retryMostNs) {
        this.#warn("The Retry-After: time would make this command line exceed the maximum allowed time " +
          "for retries.")
        return false
      }
    }
    const seconds = Math.floor(sleepNs / SECOND)
    this.#warn(`Problem ${why}. Will retry in ${seconds} second${seconds === 1 ? "" : "s"}. ` +
      `${job.retriesLeft} retr${job.retriesLeft > 1 ? "ies" : "y"} left.`)
    job.retriesLeft--
    job.retries++
    if (config.retryDelaySeconds === 0) job.sleepNs = Math.min(job.sleepNs * 2, RETRY_MOST_NS)
    engine.arm(this.#sleep, sleepNs)
    return true
  }

  /** customrequest_helper: -X that says what is meant anyway, and `-X HEAD`. */
  #noteMethod(config: Config): void {
    if (config.request === null) return
    const meant = config.isHead ? "HEAD" : config.body === null ? "GET" : "POST"
    if (config.request.toUpperCase() === meant) {
      const text = `Unnecessary use of -X or --request, ${meant} is already inferred.`
      if (this.#globals.verbose && !this.#globals.silent) this.#error(wrap("Note: ", text))
    } else if (config.request.toUpperCase() === "HEAD") {
      this.#warn("Setting custom HTTP method to HEAD with -X/--request may not work the way you want. " +
        "Consider using -I/--head instead.")
    }
  }

  #fileOf(config: Config, target: Target, match: GlobMatch): string | null {
    let name = target.output === null ? null : fillName(target.output, match.chosen)
    if (target.isRemoteName) {
      const url = parseUrl(match.url, { pathAsIs: true, isRedirect: false })
      name = url instanceof UrlFault ? "" : url.path.slice(url.path.lastIndexOf("/") + 1)
      if (name === "") {
        this.#warn("No remote file name, uses \"curl_response\"")
        name = "curl_response"
      }
    }
    return name === null || config.outputDir === null || name === "-" ? name : `${config.outputDir}/${name}`
  }
}

function reasonToRetry(config: Config, transfer: Transfer, code: number): string | null {
  if (code === Code.OPERATION_TIMEDOUT || code === Code.COULDNT_RESOLVE_HOST) return ": timeout"
  if (config.retryRefused && code === Code.COULDNT_CONNECT && transfer.errno === Errno.ECONNREFUSED) {
    return ": connection refused"
  }
  const judged = code === Code.OK || code === Code.HTTP_RETURNED_ERROR
  if (judged && TRANSIENT.includes(transfer.stats.status)) return ": HTTP error"
  return code !== Code.OK && config.retryAll ? "(retrying all errors)" : null
}

/** With the standard input under the name that options call it by. */
function filesOf(host: Host): ReadonlyMap<string, string> {
  const stdin = host.stdin === undefined ? "" : utf8Decode(host.stdin, 0, host.stdin.length)
  return new Map([...host.files, ["-", stdin]])
}
