/** iperf3's command line (src/iperf_api.c of 3.12): its limits and messages. */
import { parse as parseIp, type Ip } from "@podwire/wire/ip"
import { parseAmount } from "./units.ts"

export interface IperfOptions {
  isServer: boolean
  host: string
  port: number
  only: 4 | 6 | null
  bind: Ip | null
  seconds: number
  /** Octets or blocks to send in place of a time; 0 is none. */
  bytes: number
  blocks: number
  streams: number
  reverse: boolean
  udp: boolean
  /** Of one write or datagram; 0 until it is known. */
  blockSize: number
  /** Bits a second of one stream; 0 is as many as go. */
  rate: number
  /** Datagrams or blocks that may follow each other without regard to the rate. */
  burst: number
  /** Seconds between reports; 0 is only at the end. */
  interval: number
  format: string | null
  noDelay: boolean
  json: boolean
  oneOff: boolean
}

export const DEFAULT_PORT = 5201
export const TCP_BLOCK = 131_072
const RATE_UDP = 1024 * 1024
const STREAMS_MOST = 128
const BLOCK_MOST = 1_048_576
const UDP_BLOCK = [16, 65_507] as const
const SECONDS_MOST = 86_400

const SHORT_USAGE = `Usage: iperf3 [-s|-c host] [options]
       iperf3 [-h|--help] [-v|--version]

`
const HELP = `Usage: iperf3 [-s|-c host] [options]
       iperf3 [-h|--help] [-v|--version]

Podwire models these of iperf 3.12:
  -p, --port      #         server port to listen on/connect to
  -f, --format   [kmgtKMGT] format to report: Kbits, Mbits, Gbits, Tbits
  -i, --interval  #         seconds between periodic throughput reports
  -B, --bind <host>         bind to the interface associated with the address <host>
  -J, --json                output in JSON format
  -4, --version4            only use IPv4
  -6, --version6            only use IPv6
  -s, --server              run in server mode
  -1, --one-off             handle one client connection then exit
  -c, --client <host>       run in client mode, connecting to <host>
  -u, --udp                 use UDP rather than TCP
  -b, --bitrate #[KMG][/#]  target bitrate in bits/sec (default 1 Mbit/sec for UDP, unlimited for TCP)
  -t, --time      #         time in seconds to transmit for (default 10 secs)
  -n, --bytes     #[KMG]    number of bytes to transmit (instead of -t)
  -k, --blockcount #[KMG]   number of blocks (packets) to transmit (instead of -t or -n)
  -l, --length    #[KMG]    length of buffer to read or write
  -P, --parallel  #         number of parallel client streams to run
  -R, --reverse             run in reverse mode (server sends, client receives)
  -N, --no-delay            set TCP/SCTP no delay, disabling Nagle's Algorithm
`

/** Letter, long name, and whether a value follows. */
const KNOWN: ReadonlyArray<readonly [letter: string, name: string, takesValue: boolean]> = [
  ["p", "port", true], ["f", "format", true], ["i", "interval", true], ["B", "bind", true],
  ["J", "json", false],
  ["4", "version4", false], ["6", "version6", false], ["s", "server", false], ["1", "one-off", false],
  ["c", "client", true], ["u", "udp", false], ["b", "bitrate", true], ["b", "bandwidth", true],
  ["t", "time", true],
  ["n", "bytes", true], ["k", "blockcount", true], ["l", "length", true], ["P", "parallel", true],
  ["R", "reverse", false], ["N", "no-delay", false], ["h", "help", false], ["v", "version", false],
  ["", "forceflush", false]
]
/** What iperf3 has beside it: refused, and not taken for a mistake. */
const OTHERS: ReadonlyArray<readonly [letter: string, name: string, takesValue: boolean]> = [
  ["I", "pidfile", true], ["F", "file", true], ["A", "affinity", true], ["V", "verbose", false],
  ["d", "debug", false],
  ["D", "daemon", false], ["X", "xbind", true], ["w", "window", true], ["C", "congestion", true],
  ["M", "set-mss", true],
  ["S", "tos", true], ["L", "flowlabel", true], ["Z", "zerocopy", false], ["O", "omit", true],
  ["T", "title", true],
  ["", "bidir", false], ["", "logfile", true], ["", "timestamps", false], ["", "sctp", false],
  ["", "dscp", true],
  ["", "cport", true], ["", "connect-timeout", true], ["", "rcv-timeout", true], ["", "snd-timeout", true],
  ["", "get-server-output", false], ["", "udp-counters-64bit", false], ["", "repeating-payload", false],
  ["", "dont-fragment", false], ["", "extra-data", true], ["", "idle-timeout", true], ["", "fq-rate", true],
  ["", "pacing-timer", true], ["", "server-bitrate-limit", true], ["", "bind-dev", true],
  ["", "nstreams", true]
]

export interface Refused {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

export function parseOptions(words: ReadonlyArray<string>): IperfOptions | Refused {
  const options: IperfOptions = {
    isServer: false, host: "", port: DEFAULT_PORT, only: null, bind: null, seconds: 10, bytes: 0, blocks: 0,
    streams: 1, reverse: false, udp: false, blockSize: 0, rate: -1, burst: 0, interval: 1, format: null,
    noDelay: false,
    json: false, oneOff: false
  }
  const seen = new Set<string>()
  for (let i = 0; i < words.length; i++) {
    const word = words[i]!
    const pieces = word.startsWith("--") ? [word]
      : word.startsWith("-") && word !== "-" ? [...word.slice(1)] : []
    if (pieces.length === 0) return usage(`iperf3: unrecognized option '${word}'`)
    for (let at = 0; at < pieces.length; at++) {
      const piece = pieces[at]!
      const [name, inWord] = piece.startsWith("--") ? splitLong(piece) : [piece, word.slice(at + 2)]
      const find = (list: typeof KNOWN) =>
        list.find(([letter, long]) => piece.startsWith("--") ? long === name : letter === name)
      const found = find(KNOWN) ?? find(OTHERS)
      if (found === undefined) {
        return usage(piece.startsWith("--") ? `iperf3: unrecognized option '${piece}'`
          : `iperf3: invalid option -- '${piece}'`)
      }
      let value = ""
      if (found[2]) {
        const given = inWord !== "" ? inWord : words[++i]
        if (given === undefined) {
          return usage(piece.startsWith("--") ? `iperf3: option '${piece}' requires an argument`
            : `iperf3: option requires an argument -- '${piece}'`)
        }
        value = given
        at = pieces.length
      }
      if (!KNOWN.includes(found)) return fault(`--${found[1]} is not modelled in Podwire`)
      if (found[0] === "h") return { code: 0, stdout: HELP, stderr: "" }
      if (found[0] === "v") return { code: 0, stdout: "iperf 3.12 (Podwire)\n", stderr: "" }
      seen.add(found[0])
      const wrong = set(options, found[0], value)
      if (wrong !== null) return fault(wrong)
    }
  }
  return check(options, seen)
}

function splitLong(word: string): [name: string, value: string] {
  const at = word.indexOf("=")
  return at < 0 ? [word.slice(2), ""] : [word.slice(2, at), word.slice(at + 1)]
}

function set(options: IperfOptions, letter: string, value: string): string | null {
  switch (letter) {
    case "p":
      options.port = parseInt(value, 10)
      return options.port >= 1 && options.port <= 65_535
        ? null : "port number must be between 1 and 65535 inclusive"
    case "f":
      options.format = value[0] ?? ""
      return /[kmgtKMGT]/.test(options.format)
        ? null : "bad format specifier (valid formats are in the set [kmgtKMGT])"
    case "i":
      options.interval = Number(/^\d*\.?\d*/.exec(value)![0])
      return options.interval === 0 || (options.interval >= 0.1 && options.interval <= 60)
        ? null : "invalid report interval (min = 0.1, max = 60 seconds)"
    case "B":
      options.bind = parseIp(value)
      return options.bind === null ? `--bind ${value}: only addresses are modelled in Podwire` : null
    case "J":
      options.json = true
      return null
    case "4":
    case "6":
      options.only = letter === "4" ? 4 : 6
      return null
    case "s":
      options.isServer = true
      return options.host === "" ? null : "cannot be both server and client"
    case "1":
      options.oneOff = true
      return null
    case "c":
      options.host = value
      return options.isServer ? "cannot be both server and client" : null
    case "u":
      options.udp = true
      return null
    case "R":
      options.reverse = true
      return null
    case "N":
      options.noDelay = true
      return null
    default:
      return setAmount(options, letter, value)
  }
}

function setAmount(options: IperfOptions, letter: string, value: string): string | null {
  const octets = parseAmount(value, 1024)
  switch (letter) {
    case "b": {
      const [rate, burst] = value.split("/")
      options.rate = parseAmount(rate!, 1000) || 0
      options.burst = burst === undefined ? 0 : Number(burst)
      return options.burst >= 0 && options.burst <= 1000 ? null : "invalid burst count (maximum = 1000)"
    }
    case "t":
      options.seconds = parseInt(value, 10) || 0
      return options.seconds > SECONDS_MOST
        ? `test duration too long (maximum = ${SECONDS_MOST} seconds)` : null
    case "n":
      options.bytes = octets || 0
      return null
    case "k":
      options.blocks = octets || 0
      return null
    case "l":
      options.blockSize = octets || 0
      return null
    case "P":
      options.streams = parseInt(value, 10) || 0
      return options.streams > STREAMS_MOST
        ? `number of parallel streams too large (maximum = ${STREAMS_MOST})` : null
    default:
      return null
  }
}

function check(options: IperfOptions, seen: ReadonlySet<string>): IperfOptions | Refused {
  if (!options.isServer && options.host === "") return fault("must either be a client (-c) or server (-s)")
  const client = ["u", "b", "t", "n", "k", "l", "P", "R", "N"]
  if (options.isServer && client.some((letter) => seen.has(letter))) {
    return fault("some option you are trying to set is client only")
  }
  if (!options.isServer && seen.has("1")) return fault("some option you are trying to set is server only")
  if (options.blockSize > (options.udp ? UDP_BLOCK[1] : BLOCK_MOST) ||
    (options.udp && options.blockSize > 0 && options.blockSize < UDP_BLOCK[0])) {
    return fault(options.udp
      ? `block size invalid (minimum = ${UDP_BLOCK[0]} bytes, maximum = ${UDP_BLOCK[1]} bytes)`
      : `block size too large (maximum = ${BLOCK_MOST} bytes)`)
  }
  if (["t", "n", "k"].filter((letter) => seen.has(letter)).length > 1) {
    return fault("only one test end condition (-t, -n, -k) may be specified")
  }
  if (options.bytes > 0 || options.blocks > 0) options.seconds = 0
  if (options.rate < 0) options.rate = options.udp ? RATE_UDP : 0
  if (options.udp && options.rate === 0) return fault("UDP without a rate (-b 0) is not modelled in Podwire")
  if (!options.udp && options.blockSize === 0) options.blockSize = TCP_BLOCK
  return options
}

function usage(text: string): Refused {
  const hint = "Try `iperf3 --help' for more information.\n"
  return { code: 1, stdout: "", stderr: `${text}\n${SHORT_USAGE}${hint}` }
}

function fault(text: string): Refused {
  return { code: 1, stdout: "", stderr: `iperf3: parameter error - ${text}\n\n${HELP}` }
}
