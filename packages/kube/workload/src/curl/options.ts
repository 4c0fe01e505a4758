/**
 * curl's command line (src/tool_getparam.c of 8.14): long options without abbreviations, letters in one word,
 * a letter's value in the same word, `--no-`, `--next`. What curl does not know is answered in its words;
 * what it knows and nothing is made of here is refused as not modelled.
 */
import { SECOND } from "@podwire/engine"
import { parse as parseIp } from "@podwire/wire/ip"
import { Config, type ConnectTo, Globals, type ResolveEntry } from "./config.ts"
import { addData, ReadFault, urlencodeText } from "./data.ts"
import { isIdle, type OptionInfo, optionOf, optionOfLetter } from "./option-table.ts"
import { percentDecode } from "./url.ts"
import { warning } from "./words.ts"

const TRY = "curl: try 'curl --help' or 'curl --manual' for more information\n"
const NUMERIC = "expected a proper numerical parameter"
const POSITIVE = "expected a positive numerical parameter"
const BAD_USE = "is badly used here"
const BLANK = "blank argument where content is expected"
const NOT_MODELLED = "is not modelled in Podwire"
const EXIT_INIT = 2
const EXIT_READ = 26

export interface CommandLine {
  readonly globals: Globals
  readonly configs: ReadonlyArray<Config>
  /** Warnings of the options themselves. */
  readonly stderr: string
}

/** The program ends with this at once. */
export class Refusal {
  readonly code: number
  readonly stdout: string
  readonly stderr: string

  constructor(code: number, stdout: string, stderr: string) {
    this.code = code
    this.stdout = stdout
    this.stderr = stderr
  }
}

export function parseOptions(
  words: ReadonlyArray<string>, files: ReadonlyMap<string, string>
): CommandLine | Refusal {
  if (words.length === 0) return new Refusal(EXIT_INIT, "", TRY)
  const reader = new OptionReader(files)
  for (let i = 0; i < words.length; i++) {
    const word = words[i]!
    if (word === "--" && !reader.onlyUrls) {
      reader.onlyUrls = true
      continue
    }
    const isOption = word.startsWith("-") && !reader.onlyUrls
    const fault = isOption ? reader.option(word, words[i + 1]) : reader.value("url", word)
    if (fault instanceof Refusal) return fault
    if (fault !== null) {
      const code = reader.unreadable === null ? EXIT_INIT : EXIT_READ
      const unread = reader.unreadable === null ? "" : `curl: Failed to open ${reader.unreadable}\n`
      return new Refusal(code, "", `${reader.stderr}${unread}curl: option ${word}: ${fault}\n${TRY}`)
    }
    if (isOption && reader.tookNext) i++
  }
  return reader.finish()
}

class OptionReader {
  readonly #files: ReadonlyMap<string, string>
  readonly #globals = new Globals()
  readonly #configs = [new Config()]
  onlyUrls = false
  tookNext = false
  unreadable: string | null = null
  stderr = ""

  constructor(files: ReadonlyMap<string, string>) {
    this.#files = files
  }

  get #config(): Config {
    return this.#configs.at(-1)!
  }

  finish(): CommandLine | Refusal {
    for (const config of this.#configs) {
      if (!config.targets.some((target) => target.url !== null)) {
        return new Refusal(EXIT_INIT, "", `${this.stderr}curl: (2) no URL specified\n${TRY}`)
      }
    }
    return { globals: this.#globals, configs: this.#configs, stderr: this.#globals.silent ? "" : this.stderr }
  }

  /** One word that begins with a dash, and the one after it. */
  option(word: string, next: string | undefined): string | Refusal | null {
    this.tookNext = false
    if (word.startsWith("--")) {
      const negated = word.startsWith("--no-")
      const info = optionOf(word.slice(negated ? 5 : 2))
      if (info === null) return "is unknown"
      if (negated && info.kind !== "flag") return "the given option cannot be reversed with a --no- prefix"
      return this.#apply(info, !negated, next, true)
    }
    for (let at = 1; at < word.length; at++) {
      const info = optionOfLetter(word[at]!)
      if (info === null) return "is unknown"
      const rest = word.slice(at + 1)
      const inWord = info.kind === "value" && rest !== ""
      const fault = this.#apply(info, !info.letterNegates, inWord ? rest : next, !inWord)
      if (fault !== null || info.kind === "value") return fault
    }
    return null
  }

  #apply(info: OptionInfo, on: boolean, value: string | undefined, isNext: boolean): string | Refusal | null {
    if (info.kind !== "value") return this.#flag(info.name, on)
    if (info.name === "help") return new Refusal(0, HELP, "")
    if (value === undefined) return "requires parameter"
    this.tookNext = isNext
    return this.value(info.name, value)
  }

  #flag(name: string, on: boolean): string | Refusal | null {
    const config = this.#config
    if (name === "version") return new Refusal(0, VERSION, "")
    if (name === "head") return this.#method(on ? "HEAD" : null)
    if (name === "remote-name") {
      const target = config.targets.find((one) => one.output === null && !one.isRemoteName)
      if (target === undefined) config.targets.push({ url: null, output: null, isRemoteName: on })
      else target.isRemoteName = on
      return null
    }
    if (name === "next") {
      if (!config.targets.some((target) => target.url !== null)) {
        this.stderr += "curl: missing URL before --next\n"
        return BAD_USE
      }
      this.#configs.push(new Config())
      return null
    }
    const set = FLAG_SETTERS[name]
    if (set !== undefined) set(config, on, this.#globals)
    else if (!isIdle(name)) return NOT_MODELLED
    return null
  }

  value(name: string, value: string): string | Refusal | null {
    const config = this.#config
    if (name === "url") return this.#url(value)
    if (name === "output") {
      if (value === "") return BLANK
      const target = config.targets.find((one) => one.output === null && !one.isRemoteName)
      if (target === undefined) config.targets.push({ url: null, output: value, isRemoteName: false })
      else target.output = value
      return null
    }
    if (name === "data" || name === "json" || name.startsWith("data-")) {
      const fault = addData(config, name === "data-ascii" ? "data" : name, value, this.#files)
      if (fault instanceof ReadFault) return this.#unread(fault.file)
      return this.#method("POST")
    }
    if (name === "header" && value.startsWith("@")) {
      const text = this.#files.get(value.slice(1))
      if (text === undefined) return this.#unread(value.slice(1))
      config.headers.push(...text.split(/\r?\n/).filter((line) => line !== ""))
      return null
    }
    if (name === "write-out" && value.startsWith("@")) {
      const text = this.#files.get(value.slice(1))
      if (text === undefined) return this.#unread(value.slice(1))
      config.writeOut = text.replace(/[\r\n]/g, "")
      return null
    }
    if (name === "stderr") {
      if (value !== "-") return NOT_MODELLED
      this.#globals.stderrToStdout = true
      return null
    }
    const set = VALUE_SETTERS[name]
    if (set !== undefined) return set(config, value)
    return isIdle(name) ? null : NOT_MODELLED
  }

  #url(value: string): string | null {
    if (value === "") return BLANK
    const target = this.#config.targets.find((one) => one.url === null)
    if (target === undefined) this.#config.targets.push({ url: value, output: null, isRemoteName: false })
    else target.url = value
    return null
  }

  #method(method: "HEAD" | "POST" | null): Refusal | null {
    const config = this.#config
    if (config.method !== null && method !== null && config.method !== method) {
      const names = { HEAD: "HEAD (-I, --head)", POST: "POST (-d, --data)" }
      return new Refusal(EXIT_INIT, "", this.stderr + warning(
        "You can only select one HTTP request method! " +
          `You asked for both ${names[method]} and ${names[config.method]}.`
      ))
    }
    config.method = method
    return null
  }

  #unread(file: string): string {
    this.unreadable = file
    return "error encountered when reading a file"
  }
}

type FlagSetter = (config: Config, on: boolean, globals: Globals) => void

const FLAG_SETTERS: Readonly<Record<string, FlagSetter>> = {
  silent: (_, on, globals) => { globals.silent = on },
  "show-error": (_, on, globals) => { globals.showError = on },
  verbose: (_, on, globals) => { globals.verbose = on },
  "fail-early": (_, on, globals) => { globals.failEarly = on },
  "show-headers": (config, on) => { config.showHeaders = on },
  include: (config, on) => { config.showHeaders = on },
  fail: (config, on) => { config.failOnError = on; if (on) config.failWithBody = false },
  "fail-with-body": (config, on) => { config.failWithBody = on; if (on) config.failOnError = false },
  get: (config, on) => { config.useGet = on },
  globoff: (config, on) => { config.globs = !on },
  location: (config, on) => { config.follow = on },
  "location-trusted": (config, on) => { config.follow = on; config.trustRedirects = on },
  post301: (config, on) => { keepPost(config, 301, on) },
  post302: (config, on) => { keepPost(config, 302, on) },
  post303: (config, on) => { keepPost(config, 303, on) },
  compressed: (config, on) => { config.compressed = on },
  "http1.0": (config) => { config.http10 = true },
  "http1.1": (config) => { config.http10 = false },
  "http0.9": (config, on) => { config.http09 = on },
  ipv4: (config) => { config.only = 4 },
  ipv6: (config) => { config.only = 6 },
  "path-as-is": (config, on) => { config.pathAsIs = on },
  raw: (config, on) => { config.raw = on },
  "ignore-content-length": (config, on) => { config.ignoreLength = on },
  "tcp-nodelay": (config, on) => { config.noDelay = on },
  keepalive: (config, on) => { config.keepAlive = on },
  "retry-connrefused": (config, on) => { config.retryRefused = on },
  "retry-all-errors": (config, on) => { config.retryAll = on }
}

type ValueSetter = (config: Config, value: string) => string | null

const VALUE_SETTERS: Readonly<Record<string, ValueSetter>> = {
  header: (config, value) => done(config.headers.push(value)),
  cookie: (config, value) => value.includes("=") ? done(config.cookies.push(value)) : NOT_MODELLED,
  request: (config, value) => value === "" ? BLANK : done(config.request = value),
  "request-target": (config, value) => done(config.requestTarget = value),
  "url-query": (config, value) => done(config.query = [...config.query === null ? [] : [config.query],
    value.startsWith("+") ? value.slice(1) : encodeQuery(value)].join("&")),
  "user-agent": (config, value) => done(config.userAgent = value),
  referer: (config, value) => {
    config.autoReferer = value.endsWith(";auto")
    const text = config.autoReferer ? value.slice(0, -5) : value
    return done(config.referer = text === "" ? null : text)
  },
  user: (config, value) => done(config.user = value),
  "oauth2-bearer": (config, value) => done(config.bearer = value),
  range: (config, value) => /^[\d,\s-]+$/.test(value) ? done(config.range = value) : NOT_MODELLED,
  "dump-header": (config, value) => value === "" ? BLANK : done(config.dumpHeader = value),
  "output-dir": (config, value) => done(config.outputDir = value),
  "write-out": (config, value) => done(config.writeOut = value),
  "max-redirs": (config, value) => {
    if (!/^(-1|\d+)$/.test(value)) return NUMERIC
    return done(config.redirectsMost = Number(value) < 0 ? Infinity : Number(value))
  },
  "max-time": (config, value) => seconds(value, (ns) => done(config.maxTimeNs = ns)),
  "connect-timeout": (config, value) => seconds(value, (ns) => done(config.connectTimeoutNs = ns)),
  "expect100-timeout": (config, value) => seconds(value, (ns) => done(config.expectTimeoutNs = ns)),
  "happy-eyeballs-timeout-ms": (config, value) =>
    natural(value, (number) => done(config.eyeballsNs = number * (SECOND / 1000))),
  "speed-limit": (config, value) => natural(value, (number) => {
    if (config.speedTimeNs === 0) config.speedTimeNs = 30 * SECOND
    return done(config.speedLimit = number)
  }),
  "speed-time": (config, value) => natural(value, (number) => {
    if (config.speedLimit === 0) config.speedLimit = 1
    return done(config.speedTimeNs = number * SECOND)
  }),
  "max-filesize": (config, value) => {
    const [, number, unit = "B"] = /^(\d+)([bBkKmMgG])?$/.exec(value) ?? []
    if (number === undefined) return BAD_USE
    return done(config.sizeMost = Number(number) * UNITS[unit.toUpperCase()]!)
  },
  retry: (config, value) => natural(value, (number) => done(config.retries = number)),
  "retry-delay": (config, value) => natural(value, (number) => done(config.retryDelaySeconds = number)),
  "retry-max-time": (config, value) => natural(value, (number) => done(config.retryMostNs = number * SECOND)),
  "keepalive-time": (config, value) => natural(value, (number) => done(config.keepAliveSeconds = number)),
  "keepalive-cnt": (config, value) => natural(value, (number) => done(config.keepAliveCount = number)),
  resolve: (config, value) => done(config.resolves.push(resolveEntry(value))),
  "connect-to": (config, value) => {
    const entry = connectTo(value)
    if (entry === null) return null
    return (entry.toPort ?? 0) > 65_535 ? BAD_USE : done(config.connectTos.push(entry))
  },
  interface: (config, value) => {
    const ip = parseIp(value.replace(/^host!/, ""))
    return ip === null ? NOT_MODELLED : done(config.localIp = ip)
  },
  "local-port": (config, value) => {
    const [, first, last = first] = /^(\d+)(?:-(\d+))?$/.exec(value) ?? []
    if (first === undefined || Number(last) > 65_535 || Number(last) < Number(first)) return BAD_USE
    config.localPorts = Number(last) - Number(first) + 1
    return done(config.localPort = Number(first))
  },
  noproxy: (config, value) => done(config.noProxy = value)
}

const UNITS: Readonly<Record<string, number>> = { B: 1, K: 1024, M: 1024 ** 2, G: 1024 ** 3 }

function done(_set: unknown): null {
  return null
}

function keepPost(config: Config, status: number, on: boolean): void {
  config.keepPost = [...config.keepPost.filter((other) => other !== status), ...on ? [status] : []]
}

/** Seconds with a fraction; what follows the number is not looked at. */
function seconds(value: string, set: (ns: number) => null): string | null {
  const number = /^\d+(\.\d*)?/.exec(value)?.[0]
  return number === undefined ? NUMERIC : set(Math.floor(Number(number) * 1000) * (SECOND / 1000))
}

function natural(value: string, set: (number: number) => null): string | null {
  if (!/^-?\d+$/.test(value)) return NUMERIC
  return value.startsWith("-") ? POSITIVE : set(Number(value))
}

function encodeQuery(value: string): string {
  const at = value.indexOf("=")
  const name = value.slice(0, at < 0 ? 0 : at)
  return `${name === "" ? "" : `${name}=`}${urlencodeText(percentDecode(value.slice(at + 1)))}`
}

/** `[+]HOST:PORT:ADDRESS[,ADDRESS]…` or `-HOST:PORT`; the host may be `*`, or IPv6 in brackets. */
function resolveEntry(text: string): ResolveEntry {
  const [, sign, host, port, list] = /^([+-]?)(\[[^\]]*\]|[^:]*):(\d+)(?::(.*))?$/.exec(text) ?? []
  const bad = { text, host: "", port: 0, addresses: [], addressText: "", ages: false }
  const isMissing = sign !== "-" && (list ?? "") === ""
  if (host === undefined || Number(port) > 65_535 || isMissing) return { ...bad, fault: "" }
  const entry = { text, host: host.replace(/^\[|\]$/g, ""), port: Number(port), ages: sign === "+" }
  if (sign === "-") return { ...entry, addresses: [], addressText: "", fault: null }
  const addresses = []
  for (const word of list!.split(",")) {
    const ip = parseIp(word.replace(/^\[|\]$/g, ""))
    if (ip === null) return { ...bad, fault: `Resolve address '${word}' found illegal` }
    addresses.push(ip)
  }
  return { ...entry, addresses, addressText: list!, fault: null }
}

/** `HOST1:PORT1:HOST2:PORT2`, each may be empty; without the colons it means nothing to curl. */
function connectTo(text: string): ConnectTo | null {
  const [, host, port, toHost, toPort] =
    /^(\[[^\]]*\]|[^:]*):(\d*):(\[[^\]]*\]|[^:]*)(?::(\d*))?$/.exec(text) ?? []
  if (host === undefined) return null
  return {
    host: host.replace(/^\[|\]$/g, ""),
    port: port === "" ? null : Number(port),
    toHost: toHost!.replace(/^\[|\]$/g, ""),
    toPort: (toPort ?? "") === "" ? null : Number(toPort)
  }
}

const VERSION = `curl 8.14.1 (podwire) libcurl/8.14.1
Release-Date: 2025-06-04
Protocols: http
Features: IPv6
`

const HELP = `Usage: curl [options...] <url>
Podwire models these of curl 8.14, on plain HTTP:
 -0 --http1.0, --http1.1, -4 --ipv4, -6 --ipv6, -A --user-agent, -b --cookie (NAME=VALUE), --compressed,
 --connect-timeout, --connect-to, -d --data, --data-binary, --data-raw, --data-urlencode, -D --dump-header,
 -e --referer, --expect100-timeout, -f --fail, --fail-early, --fail-with-body, -G --get, -g --globoff,
 -H --header, --happy-eyeballs-timeout-ms, --http0.9, -I --head, -i --show-headers, --ignore-content-length,
 --interface (an address), --json, --keepalive-time, -L --location, --location-trusted, --local-port,
 -m --max-time, --max-filesize, --max-redirs, --next, --no-keepalive, --no-tcp-nodelay, -o --output,
 -O --remote-name, --oauth2-bearer, --output-dir, --path-as-is, --post301, --post302, --post303, -r --range,
 --raw, --request-target, --resolve, --retry, --retry-all-errors, --retry-connrefused, --retry-delay,
 --retry-max-time, -s --silent, -S --show-error, --stderr -, -u --user (Basic), --url, --url-query,
 -v --verbose, -w --write-out, -X --request, -Y --speed-limit, -y --speed-time
and takes those of TLS, -N and progress options without effect.
`
