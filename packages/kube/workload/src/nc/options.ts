/**
 * nc's command line: getopt's letters, which words are a host and which are ports, and the messages of
 * netcat.c.
 */
import { SECOND } from "@podwire/engine"
import type { Host } from "../process.ts"
import { servicePort } from "./services.ts"

export interface NcOptions {
  listens: boolean
  keepsListening: boolean
  udp: boolean
  verbose: boolean
  scans: boolean
  numeric: boolean
  /** -d: the standard input is not read. */
  detached: boolean
  /** -N, or -q with zero or more: the end of the input is told to the peer. */
  shutsDown: boolean
  /** -1 is none. */
  quitSeconds: number
  /** 0 is none. */
  timeoutNs: number
  receiveMost: number
  crlf: boolean
  only: 4 | 6 | null
  source: string | null
  sourcePort: string | null
  host: string | null
  ports: ReadonlyArray<number>
}

const LETTERS = "46bCDdFhI:i:klM:m:NnO:P:p:q:rSs:T:tUuV:vW:w:X:x:Zz"
/** Socket options that change nothing that is modelled. */
const IDLE = "bDIOS"
const USAGE = `usage: nc [-46CDdFhklNnrStUuvZz] [-I length] [-i interval] [-M ttl]
\t  [-m minttl] [-O length] [-P proxy_username] [-p source_port]
\t  [-q seconds] [-s sourceaddr] [-T keyword] [-V rtable] [-W recvlimit]
\t  [-w timeout] [-X proxy_protocol] [-x proxy_address[:port]]
\t  [destination] [port]
`

/** The options, or what goes to the standard error before exit 1. */
export function parseOptions(host: Host, words: ReadonlyArray<string>): NcOptions | string {
  const options: NcOptions = {
    listens: false, keepsListening: false, udp: false, verbose: false, scans: false, numeric: false,
    detached: false, shutsDown: false, quitSeconds: -1, timeoutNs: 0, receiveMost: 0, crlf: false, only: null,
    source: null, sourcePort: null, host: null, ports: []
  }
  const rest: Array<string> = []
  for (let i = 0; i < words.length; i++) {
    const word = words[i]!
    if (word === "--") {
      rest.push(...words.slice(i + 1))
      break
    }
    if (!word.startsWith("-") || word === "-") {
      rest.push(word)
      continue
    }
    for (let at = 1; at < word.length; at++) {
      const letter = word[at]!
      const known = letter === ":" ? -1 : LETTERS.indexOf(letter)
      if (known < 0) return `nc: invalid option -- '${letter}'\n${USAGE}`
      if (LETTERS[known + 1] !== ":") {
        const fault = setFlag(options, letter)
        if (fault !== null) return fault
        continue
      }
      const value = at + 1 < word.length ? word.slice(at + 1) : words[++i]
      if (value === undefined) return `nc: option requires an argument -- '${letter}'\n${USAGE}`
      const fault = setValue(options, letter, value)
      if (fault !== null) return fault
      break
    }
  }
  return place(host, options, rest)
}

function setFlag(options: NcOptions, letter: string): string | null {
  switch (letter) {
    case "4":
    case "6":
      options.only = letter === "4" ? 4 : 6
      return null
    case "C":
      options.crlf = true
      return null
    case "d":
      options.detached = true
      return null
    case "k":
      options.keepsListening = true
      return null
    case "l":
      options.listens = true
      return null
    case "N":
      options.shutsDown = true
      return null
    case "n":
      options.numeric = true
      return null
    case "u":
      options.udp = true
      return null
    case "v":
      options.verbose = true
      return null
    case "z":
      options.scans = true
      return null
    case "h":
      return `OpenBSD netcat (Debian patchlevel 1.219-1)\n${USAGE}`
    default:
      return IDLE.includes(letter) ? null : notModelled(letter)
  }
}

function setValue(options: NcOptions, letter: string, value: string): string | null {
  const number = /^\d+$/.test(value) ? Number(value) : -1
  switch (letter) {
    case "p":
      options.sourcePort = value
      return null
    case "s":
      options.source = value
      return null
    case "q":
      if (!/^-?\d+$/.test(value)) return `nc: quit timer invalid: ${value}\n`
      options.quitSeconds = number
      if (number >= 0) options.shutsDown = true
      return null
    case "w":
      if (number < 0) return `nc: timeout invalid: ${value}\n`
      options.timeoutNs = number * SECOND
      return null
    case "W":
      if (number < 1) return `nc: receive limit invalid: ${value}\n`
      options.receiveMost = number
      return null
    default:
      return IDLE.includes(letter) ? null : notModelled(letter)
  }
}

function notModelled(letter: string): string {
  return `nc: -${letter} is not modelled in Podwire\n`
}

/** Which words are the host and the ports, and what does not go together. */
function place(host: Host, options: NcOptions, rest: ReadonlyArray<string>): NcOptions | string {
  const { listens, source, sourcePort } = options
  let ports: ReadonlyArray<string> = []
  if (rest.length === 0 && listens) {
    if (sourcePort !== null) ports = [sourcePort]
    options.host = source
  } else if (rest.length === 1 && sourcePort === null && source === null) {
    if (listens) ports = rest
  } else if (rest.length >= 2) {
    if (listens && (sourcePort !== null || source !== null || rest.length > 2)) return USAGE
    options.host = rest[0]!
    ports = rest.slice(1)
  } else return USAGE
  if (ports.length === 0) return "nc: missing port number\n"
  if (listens && options.scans) return "nc: cannot use -z and -l\n"
  if (!listens && options.keepsListening) return "nc: must use -l with -k\n"
  const numbers: Array<number> = []
  for (const text of ports) {
    const range = /^(\d+)-(\d+)$/.exec(text)
    const found = range === null ? [portOf(host, options, text)]
      : [portOf(host, options, range[1]!), portOf(host, options, range[2]!)]
    for (const port of found) if (typeof port === "string") return port
    const [low, high = low] = (found as Array<number>).sort((a, b) => a - b)
    for (let port = low!; port <= high!; port++) numbers.push(port)
  }
  options.ports = numbers
  return options
}

export function portOf(host: Host, options: NcOptions, text: string): number | string {
  const named = servicePort(host, text, options.udp ? "udp" : "tcp")
  if (named !== null) return named
  if (!/^-?\d+$/.test(text)) return `nc: port number invalid: ${text}\n`
  const port = Number(text)
  return port < 1 ? `nc: port number too small: ${text}\n`
    : port > 65_535 ? `nc: port number too large: ${text}\n` : port
}
