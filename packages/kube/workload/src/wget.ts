/**
 * `wget` of BusyBox (1.35's texts), as images without curl have it: one connection a request, redirects, -O,
 * -S, -q, --spider, --header, --post-data, -T. Like the real one it tries the first address of a name only.
 * Differences: files live in the process's memory and end with it; the progress meter is shown once, at the
 * end.
 * Not supported, and refused: https and ftp, -c on a file that is there, -o, proxies (but -Y off).
 */
import { CallbackTimer, SECOND } from "@podwire/engine"
import { Errno, strerror } from "@podwire/netdev"
import type { TcpSocket } from "@podwire/tcp"
import { latin1, utf8Encode } from "@podwire/wire/bytes"
import { family, format, type Ip, parse as parseIp } from "@podwire/wire/ip"
import { connect, open } from "./connection.ts"
import { base64 } from "./curl/request.ts"
import { Finished, type Host, Process, type Program } from "./process.ts"
import { lookup } from "./resolve.ts"
import { TextStream } from "./text-stream.ts"

interface Options {
  readonly urls: Array<string>
  readonly headers: Array<string>
  quiet: boolean
  showResponse: boolean
  spider: boolean
  output: string | null
  directory: string | null
  userAgent: string
  post: string | null
  timeoutNs: number
}

/** The parts of a URL as BusyBox cuts it: at the first of `/?#`, whatever it is. */
interface Target {
  readonly host: string
  /** As it was written: brackets and port too. */
  readonly authority: string
  readonly port: number
  readonly path: string
  readonly login: string | null
}

const TIMEOUT_NS = 900 * SECOND
const REQUESTS_MOST = 16
const LINE_MOST = 65_536
const USAGE = `BusyBox v1.35.0 (Podwire) multi-call binary.

Usage: wget [-cqS] [--spider] [-O FILE] [--header STR] [--post-data STR] [-Y off]
\t[--no-check-certificate] [-P DIR] [-U AGENT] [-T SEC] URL...

Retrieve files via HTTP

\t--spider\tOnly check URL existence: $? is 0 if exists
\t--header STR\tAdd STR (of form 'header: value') to headers
\t--post-data STR\tSend STR using POST method
\t-q\t\tQuiet
\t-P DIR\t\tSave to DIR (default .)
\t-S    \t\tShow server response
\t-T SEC\t\tNetwork read timeout is SEC seconds
\t-O FILE\t\tSave to FILE ('-' for stdout)
\t-U STR\t\tUse STR for User-Agent header
`

export const wget: Program = {
  name: "wget",
  synopsis: "wget [-qS] [--spider] [-O FILE] [--header STR] [--post-data STR] [-P DIR] [-U AGENT] " +
    "[-T SEC] URL...",
  start(host, argv) {
    const options = parseOptions(argv.slice(1), host)
    return typeof options === "string"
      ? new Finished(host, argv, 1, "", options) : new Wget(host, argv, options)
  }
}

type Phase = "status" | "fields" | "counted" | "size" | "chunk" | "chunk-end" | "close"

const SCRATCH = new Uint8Array(65_536)

class Wget extends Process {
  readonly #options: Options
  readonly #timer: CallbackTimer
  readonly files = new Map<string, string>()
  #next = 0
  #target: Target = { host: "", authority: "", port: 80, path: "", login: null }
  #requests = 0
  #socket: TcpSocket | null = null
  #unsent: Uint8Array = new Uint8Array(0)
  #phase: Phase = "status"
  #line = ""
  #left = -1
  #chunked = false
  #bytes = 0
  #name = ""
  #text = new TextStream()
  #file = "-"
  #redirects = false
  #isContinue = false

  constructor(host: Host, argv: ReadonlyArray<string>, options: Options) {
    super(host, argv)
    this.#options = options
    this.#timer = new CallbackTimer(() => this.#die("download timed out"))
    this.#nextUrl()
  }

  protected override release(): void {
    this.host.engine.disarm(this.#timer)
    this.#hangUp()
  }

  #hangUp(): void {
    if (this.#socket === null) return
    this.#socket.wake = null
    this.#socket.close()
    this.#socket = null
  }

  #die(text: string): void {
    this.stderr += `wget: ${text}\n`
    this.exit(1)
  }

  #say(text: string): void {
    if (!this.#options.quiet) this.stderr += `${text}\n`
  }

  #nextUrl(): void {
    const url = this.#options.urls[this.#next++]
    if (url === undefined) return this.exit(0)
    this.#requests = 0
    const target = this.#parse(url)
    if (target === null) return
    this.#name = target.path.replace(/[?#].*$/s, "").replace(/^.*\//s, "") || "index.html"
    this.#begin(target)
  }

  #parse(url: string): Target | null {
    const scheme = /^([^/:]*):\/\//.exec(url)?.[1]
    if (scheme === "https" || scheme === "ftp") {
      this.#die(`${scheme} is not modelled in Podwire: ${url}`)
      return null
    }
    if (scheme !== undefined && scheme !== "http") {
      this.#die(`not an http or ftp url: ${url}`)
      return null
    }
    const rest = scheme === undefined ? url : url.slice(7)
    const cut = rest.search(/[/?#]/)
    const place = cut < 0 ? rest : rest.slice(0, cut)
    const at = place.lastIndexOf("@")
    const authority = place.slice(at + 1)
    const [, bracketed, plain, port] = /^(?:\[([^\]]*)\]|([^:]*))(?::(\d+))?$/.exec(authority) ?? []
    if (port !== undefined && Number(port) > 65_535) {
      this.#die(`bad port spec '${authority}'`)
      return null
    }
    return {
      host: bracketed ?? plain ?? authority, authority, port: port === undefined ? 80 : Number(port),
      path: cut < 0 ? "" : rest.slice(cut + 1), login: at < 0 ? null : place.slice(0, at)
    }
  }

  #begin(target: Target): void {
    if (++this.#requests > REQUESTS_MOST) return this.#die("too many redirections")
    const isSame = this.#requests > 1 && target.authority === this.#target.authority
    this.#target = target
    const literal = parseIp(target.host)
    if (literal !== null) return this.#connect(literal, isSame)
    lookup(this.host, target.host, null, (addresses) => {
      if (!this.running) return
      const [ip] = addresses
      if (ip === undefined) this.#die(`bad address '${target.host}'`)
      else this.#connect(ip, isSame)
    })
  }

  #connect(ip: Ip, isSame: boolean): void {
    const { authority, port } = this.#target
    const shown = family(ip) === 6 ? `[${format(ip)}]` : format(ip)
    if (!isSame) this.#say(`Connecting to ${authority} (${shown}:${port})`)
    const socket = open(this.host, ip)
    this.#socket = socket
    const settled = (errno: Errno) => {
      if (errno === Errno.OK) return this.#ask()
      const where = family(ip) === 4 ? ` (${format(ip)})` : ""
      this.#die(`can't connect to remote host${where}: ${strerror(errno)}`)
    }
    const errno = connect(socket, ip, port, settled)
    if (errno !== Errno.OK) return settled(errno)
    this.#wait()
  }

  #wait(): void {
    if (this.#options.timeoutNs > 0) this.host.engine.arm(this.#timer, this.#options.timeoutNs)
  }

  #ask(): void {
    const { headers, post, userAgent } = this.#options
    const { authority, login, path } = this.#target
    const own = (name: string) =>
      headers.some((line) => line.toLowerCase().startsWith(`${name.toLowerCase()}:`))
    const lines = [`${post === null ? "GET" : "POST"} /${path} HTTP/1.1`]
    if (!own("Host")) lines.push(`Host: ${authority}`)
    if (!own("User-Agent")) lines.push(`User-Agent: ${userAgent}`)
    lines.push("Connection: close")
    if (login !== null && !own("Authorization")) {
      lines.push(`Authorization: Basic ${base64(utf8Encode(login))}`)
    }
    lines.push(...headers)
    if (post !== null) {
      if (!own("Content-Type")) lines.push("Content-Type: application/x-www-form-urlencoded")
      lines.push(`Content-Length: ${utf8Encode(post).length}`)
    }
    this.#unsent = utf8Encode(`${lines.join("\r\n")}\r\n\r\n${post ?? ""}`)
    this.#phase = "status"
    this.#left = -1
    this.#chunked = false
    this.#bytes = 0
    this.#text = new TextStream()
    this.#socket!.wake = () => this.#pump()
    this.#pump()
  }

  #pump(): void {
    const socket = this.#socket!
    while (this.#unsent.length > 0) {
      const taken = socket.send(this.#unsent)
      if (taken < 0) break
      this.#unsent = this.#unsent.subarray(taken)
    }
    while (this.#socket === socket) {
      const count = socket.recv(SCRATCH)
      if (count === -Errno.EAGAIN) return this.#wait()
      if (count <= 0) return this.#onEnd(-count)
      let at = 0
      while (at < count && this.#socket === socket) at = this.#take(at, count)
    }
  }

  /** Some octets more of the response. */
  #take(at: number, end: number): number {
    if (this.#phase === "counted" || this.#phase === "chunk" || this.#phase === "close") {
      const to = this.#left < 0 ? end : Math.min(end, at + this.#left)
      this.#bytes += to - at
      this.#write(this.#text.append(SCRATCH, at, to))
      if (this.#left >= 0) this.#left -= to - at
      if (this.#left === 0 && this.#phase === "counted") this.#done()
      else if (this.#left === 0) this.#phase = "chunk-end"
      return to
    }
    const newline = SCRATCH.subarray(at, end).indexOf(0x0a)
    const stop = newline < 0 ? end : at + newline + 1
    this.#line += latin1(SCRATCH, at, stop)
    if (newline >= 0 || this.#line.length > LINE_MOST) {
      const line = this.#line.replace(/\r?\n$/, "")
      this.#line = ""
      this.#onLine(line)
    }
    return stop
  }

  #onLine(line: string): void {
    if (this.#phase === "chunk-end") {
      this.#phase = "size"
      return
    }
    if (this.#phase === "size") {
      this.#left = parseInt(/^[0-9a-f]+/i.exec(line)?.[0] ?? "0", 16)
      if (this.#left === 0) this.#done()
      else this.#phase = "chunk"
      return
    }
    if (this.#options.showResponse) this.stderr += `  ${line}\n`
    if (this.#phase === "fields") return this.#onField(line)
    const status = Number(/^\S+\s+(\d+)/.exec(line)?.[1] ?? -1)
    if (status < 0) return this.#die("error getting response")
    if ((status >= 200 && status < 300) || status === 100 || status === 0 || REDIRECTS.includes(status)) {
      this.#phase = "fields"
      this.#redirects = REDIRECTS.includes(status)
      this.#isContinue = status === 100 || status === 0
      return
    }
    this.#die(`server returned error: ${line}`)
  }

  #onField(line: string): void {
    if (line === "") {
      if (this.#isContinue) this.#phase = "status"
      else this.#onHead()
      return
    }
    const [, name, value] = /^([^:]*):\s*(.*)$/.exec(line) ?? []
    switch (name?.toLowerCase()) {
      case "content-length":
        this.#left = parseInt(value!, 10)
        if (!(this.#left >= 0)) this.#die(`content-length ${value} is garbage`)
        return
      case "transfer-encoding":
        this.#chunked = value!.toLowerCase() === "chunked"
        if (!this.#chunked) this.#die(`transfer encoding '${value}' is not supported`)
        return
      case "location":
        if (this.#redirects) this.#redirect(value!)
    }
  }

  #redirect(location: string): void {
    this.#hangUp()
    const target = location.startsWith("/")
      ? { ...this.#target, path: location.slice(1) } : this.#parse(location)
    if (target !== null) this.#begin(target)
  }

  #onHead(): void {
    if (this.#options.spider) {
      this.#say("remote file exists")
      this.#hangUp()
      return this.#nextUrl()
    }
    const { output, directory } = this.#options
    this.#file = output ?? (directory === null ? this.#name : `${directory}/${this.#name}`)
    this.#say(this.#file === "-" ? "writing to stdout" : `saving to '${this.#file}'`)
    if (this.#file !== "-" && (output === null || this.#next === 1)) this.files.set(this.#file, "")
    if (this.#chunked) {
      this.#phase = "size"
      this.#left = 0
    } else if (this.#left === 0) this.#done()
    else this.#phase = this.#left < 0 ? "close" : "counted"
  }

  #write(text: string): void {
    if (this.#file === "-") this.stdout += text
    else if (this.#file !== "/dev/null") this.files.set(this.#file, (this.files.get(this.#file) ?? "") + text)
  }

  #onEnd(errno: Errno): void {
    const why = errno === Errno.OK ? "" : `: ${strerror(errno)}`
    if (this.#phase === "close" && errno === Errno.OK) return this.#done()
    const isBody = this.#phase === "counted" || this.#phase === "chunk" || this.#phase === "close"
    this.#die(!isBody ? `error getting response${why}`
      : errno === Errno.OK ? "connection closed prematurely" : `read error${why}`)
  }

  #done(): void {
    this.#write(this.#text.finish())
    this.#hangUp()
    this.host.engine.disarm(this.#timer)
    const name = this.#file.replace(/^.*\//s, "").slice(0, 20).padEnd(20)
    this.#say(`${name} 100% |********************************| ${sizeText(this.#bytes)}  0:00:00 ETA`)
    this.#say(this.#file === "-" ? "written to stdout" : `'${this.#file}' saved`)
    this.#nextUrl()
  }
}

const REDIRECTS = [300, 301, 302, 303, 307, 308]

/** Five columns: octets, and from 100,000 on in k, M, G (smart_ulltoa5). */
function sizeText(bytes: number): string {
  let value = bytes
  let unit = ""
  for (const next of ["k", "M", "G", "T"]) {
    if (value < 99_999) break
    value /= 1024
    unit = next
  }
  return (unit === "" ? String(value) : `${(Math.floor(value * 10) / 10).toFixed(1)}${unit}`).padStart(5)
}

/** Long names and the letter that each is. */
const LONG: Readonly<Record<string, string>> = {
  continue: "c", quiet: "q", "server-response": "S", "output-document": "O", "output-file": "o",
  "directory-prefix": "P", "user-agent": "U", timeout: "T", tries: "t", proxy: "Y", spider: "spider",
  "no-check-certificate": "no-check-certificate", header: "header", "post-data": "post-data",
  "post-file": "post-file"
}
const WITH_VALUE = ["O", "o", "P", "U", "T", "t", "Y", "header", "post-data", "post-file"]

function parseOptions(words: ReadonlyArray<string>, host: Host): Options | string {
  const options: Options = {
    urls: [], headers: [], quiet: false, showResponse: false, spider: false, output: null, directory: null,
    userAgent: "Wget", post: null, timeoutNs: TIMEOUT_NS
  }
  for (let i = 0; i < words.length; i++) {
    const word = words[i]!
    if (!word.startsWith("-") || word === "-") {
      options.urls.push(word)
      continue
    }
    const isLong = word.startsWith("--")
    const [long, inLong] = isLong ? word.slice(2).split(/=(.*)/s) : []
    for (let at = 1; at < (isLong ? 2 : word.length); at++) {
      const letter = isLong ? LONG[long!] : "cqSOoPUTtY".includes(word[at]!) ? word[at]! : undefined
      if (letter === undefined) {
        const what = isLong ? `unrecognized option '${word}'` : `invalid option -- '${word[at]}'`
        return `wget: ${what}\n${USAGE}`
      }
      let value = ""
      if (WITH_VALUE.includes(letter)) {
        const given = isLong ? inLong ?? words[++i] : at + 1 < word.length ? word.slice(at + 1) : words[++i]
        if (given === undefined) return `wget: option requires an argument -- '${letter}'\n${USAGE}`
        value = given
        at = word.length
      }
      const fault = setOption(options, letter, value, host)
      if (fault !== null) return fault
    }
  }
  return options.urls.length === 0 ? USAGE : options
}

function setOption(options: Options, letter: string, value: string, host: Host): string | null {
  switch (letter) {
    case "q":
      options.quiet = true
      return null
    case "S":
      options.showResponse = true
      return null
    case "spider":
      options.spider = true
      return null
    case "O":
      options.output = value
      return null
    case "P":
      options.directory = value
      return null
    case "U":
      options.userAgent = value
      return null
    case "T":
      if (!/^\d+$/.test(value)) return `wget: invalid number '${value}'\n`
      options.timeoutNs = Number(value) * SECOND
      return null
    case "header":
      options.headers.push(value)
      return null
    case "post-data":
      options.post = value
      return null
    case "post-file": {
      const text = host.files.get(value)
      if (text === undefined) return `wget: can't open '${value}': No such file or directory\n`
      options.post = text
      return null
    }
    case "o":
      return "wget: -o is not modelled in Podwire\n"
    default:
      return null
  }
}
