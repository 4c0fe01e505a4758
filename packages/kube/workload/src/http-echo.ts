/**
 * `hashicorp/http-echo`: one text to every request, /health, a line for each request on stdout (its main.go,
 * handlers.go).
 * Approximated: X-App-Version is that of one release. Not supported: signals but the one that ends it.
 */
import { logDate } from "./clock.ts"
import { parseGoFlags } from "./go/flags.ts"
import type { GoHandler } from "./go/http.ts"
import { mux } from "./go/mux.ts"
import { GoProcess } from "./go/process.ts"
import { decode, encode } from "./go/text.ts"
import { Finished, type Host, type Program } from "./process.ts"

const VERSION = "1.0.0"
const LOG_MOST = 10 << 20
const EXIT_USAGE = 127
const FLAGS = { listen: ":5678", text: "", "status-code": 200, version: false }

export const httpEcho: Program = {
  name: "http-echo",
  synopsis: "http-echo -text=TEXT [-listen=:PORT] [-status-code=CODE]",
  start(host, argv) {
    const flags = parseGoFlags(argv.slice(1), FLAGS)
    if (typeof flags === "string") return new Finished(host, argv, 2, "", `${flags}\n`)
    const { listen, version, "status-code": code } = flags.values
    if (version) return new Finished(host, argv, 0, "", `http-echo v${VERSION}\n`)
    const text = flags.values.text || (host.env.get("ECHO_TEXT") ?? "")
    if (text === "") {
      return new Finished(host, argv, EXIT_USAGE, "", "Missing -text option OR ENV var TEXT is empty!\n")
    }
    if (flags.rest.length > 0) return new Finished(host, argv, EXIT_USAGE, "", "Too many arguments!\n")
    return new HttpEcho(host, argv, listen, encode(text), code)
  }
}

class HttpEcho extends GoProcess {
  constructor(host: Host, argv: ReadonlyArray<string>, listen: string, text: string, code: number) {
    super(host, argv)
    this.log(`[INFO] server is listening on ${listen}\n`)
    const port = /^[^:]*:(\d{1,5})$/.exec(listen)?.[1]
    const handler = mux({ "/health": this.#answer("{\"status\":\"ok\"}\n", 200, false) },
      this.#answer(`${text}\n`, code, true))
    if (port === undefined || Number(port) > 65_535) {
      this.fatal(`[ERR] server exited with: listen tcp: address ${listen}: missing port in address`)
    } else if (this.http(Number(port), handler) === null) {
      this.fatal(`[ERR] server exited with: ${this.problem}`)
    }
  }

  #answer(text: string, code: number, logs: boolean): GoHandler {
    return (response, request) => {
      response.header.set("X-App-Name", "http-echo")
      response.header.set("X-App-Version", VERSION)
      if (!response.status(code)) return
      response.write(text)
      if (!logs) return
      if (this.stdout.length > LOG_MOST) this.stdout = ""
      const { host, remoteAddr, method, path, proto } = request
      const line = `${host} ${remoteAddr} "${method} ${path} ${proto}" ` +
        `${response.code} ${text.length} "${request.userAgent}"`
      this.stdout += `${logDate(this.host.engine.nowNs)} ${decode(line)} 0s\n`
    }
  }
}
