/**
 * `iperf3` as version 3.12 behaves, also under the name `iperf`: its control protocol octet by octet, its
 * streams over TCP and UDP, its reports as text and as JSON. Times are virtual; what the processor costs is
 * not known and shown as 0.
 * Approximated: without -b a stream is given 10 Gbit/s at most, for the processor that there is none of here.
 * Differences: data are zeros where iperf3 sends random octets; a test that ends by time ends exactly then;
 * numbers in brackets, which are the real program's sockets, follow those of a usual run.
 * Not supported, and refused: -w, -V, -O, -C, -M, -S, -L, -F, -D, -T, --bidir, --get-server-output, --cport,
 * SCTP, authentication, UDP without a rate; iperf 2's options and layout.
 */
import { Finished, type Program } from "../process.ts"
import { Client } from "./client.ts"
import { parseOptions } from "./options.ts"
import { Server } from "./server.ts"

function programNamed(name: string): Program {
  return {
    name,
    synopsis: `${name} -s | -c HOST [-uRJ] [-b RATE] [-t SECONDS | -n BYTES | -k BLOCKS] [-P STREAMS]`,
    start(host, argv) {
      const options = parseOptions(argv.slice(1))
      if ("stderr" in options) return new Finished(host, argv, options.code, options.stdout, options.stderr)
      return options.isServer ? new Server(host, argv, options) : new Client(host, argv, options)
    }
  }
}

export const iperf3: Program = programNamed("iperf3")
export const iperf: Program = programNamed("iperf")
