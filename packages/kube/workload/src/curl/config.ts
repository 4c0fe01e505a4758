/** What one group of URLs is fetched with: the options up to `--next`, and those that hold for all groups. */
import type { Ns } from "@podwire/engine"
import type { Ip } from "@podwire/wire/ip"

/** A URL with where its body goes; one of them may still be missing while options are read. */
export interface Target {
  url: string | null
  /** Null is the standard output; `remote` names it by the URL. */
  output: string | null
  isRemoteName: boolean
}

export interface ResolveEntry {
  readonly text: string
  /** `*` is every host. */
  readonly host: string
  readonly port: number
  /** None: `-HOST:PORT` takes the entry away. */
  readonly addresses: ReadonlyArray<Ip>
  readonly addressText: string
  /** `+HOST:PORT:…`: it ages as one that was looked up. */
  readonly ages: boolean
  /** What is wrong with it, as it is said before "Couldn't parse". */
  readonly fault: string | null
}

export interface ConnectTo {
  readonly host: string
  readonly port: number | null
  readonly toHost: string
  readonly toPort: number | null
}

export class Config {
  readonly targets: Array<Target> = []
  readonly headers: Array<string> = []
  readonly cookies: Array<string> = []
  readonly resolves: Array<ResolveEntry> = []
  readonly connectTos: Array<ConnectTo> = []
  /** The body of -d and its like; null is none. */
  data: Uint8Array | null = null
  isJson = false
  /** What the options so far ask for: -I, -d. */
  method: "HEAD" | "POST" | null = null
  useGet = false
  request: string | null = null
  requestTarget: string | null = null
  query: string | null = null
  userAgent: string | null = null
  referer: string | null = null
  autoReferer = false
  user: string | null = null
  bearer: string | null = null
  range: string | null = null
  compressed = false
  showHeaders = false
  dumpHeader: string | null = null
  outputDir: string | null = null
  writeOut: string | null = null
  failOnError = false
  failWithBody = false
  follow = false
  trustRedirects = false
  redirectsMost = 50
  keepPost: ReadonlyArray<number> = []
  maxTimeNs: Ns = 0
  connectTimeoutNs: Ns = 0
  expectTimeoutNs: Ns = 1_000_000_000
  eyeballsNs: Ns = 200_000_000
  /** Octets a second, and for how long less is put up with. */
  speedLimit = 0
  speedTimeNs: Ns = 0
  sizeMost = 0
  retries = 0
  retryDelaySeconds = 0
  retryMostNs: Ns = 0
  retryRefused = false
  retryAll = false
  only: 4 | 6 | null = null
  http10 = false
  http09 = false
  globs = true
  pathAsIs = false
  raw = false
  ignoreLength = false
  noDelay = true
  keepAlive = true
  keepAliveSeconds = 60
  keepAliveCount = 9
  localIp: Ip | null = null
  localPort = 0
  localPorts = 1
  noProxy: string | null = null

  /** The body of a request that is not a GET, null where its data went into the query or there is none. */
  get body(): Uint8Array | null {
    return this.useGet ? null : this.data
  }

  get isHead(): boolean {
    return this.method === "HEAD"
  }
}

/** What holds for every group. */
export class Globals {
  silent = false
  showError = false
  verbose = false
  failEarly = false
  /** `--stderr -`: errors go where the bodies go. */
  stderrToStdout = false
}
