/** What a parser says of a stream, as text, so that streams can be compared whatever their cuts. */
import { Event, type MessageParser, persists, type Request, type Response } from "@podwire/workload/http/index"
import { latin1 } from "@podwire/wire/bytes"

/** Fed in pieces of `cuts` octets,
over and over; the data between two other events joined; the end if `ends`. */
export function events(
  parser: MessageParser<Request | Response>, bytes: Uint8Array, cuts: ReadonlyArray<number> = [Infinity],
  ends = false
): string {
  let out = ""
  let body = ""
  const note = () => {
    switch (parser.event) {
      case Event.HEAD:
        out += headText(parser.head!)
        return
      case Event.DATA:
        body += latin1(bytes, parser.dataAt, parser.dataEnd)
        return
      case Event.END:
      case Event.ERROR:
        if (body !== "") out += `  data ${JSON.stringify(body)}\n`
        body = ""
        out += parser.event === Event.ERROR ? `${parser.error!.status} ${parser.error!.what}\n`
          : parser.trailers.list.map(({ name, value }) => `  trailer ${name}: ${value}\n`).join("") + "  end\n"
    }
  }
  let at = 0
  for (let piece = 0; at < bytes.length; piece++) {
    const end = Math.min(at + cuts[piece % cuts.length]!, bytes.length)
    do {
      at += parser.feed(bytes, at, end)
      note()
    } while (parser.event !== Event.MORE && parser.event !== Event.ERROR)
    if (parser.event === Event.ERROR) return out
    if (at < end) return `${out}  stops, ${bytes.length - at} octets left\n`
  }
  if (ends) {
    parser.finish()
    note()
  }
  return body === "" ? out : `${out}  data ${JSON.stringify(body)} and more\n`
}

function headText(head: Request | Response): string {
  const start = "method" in head ? `${head.method} ${head.target}` : `${head.status} ${head.reason}`
  const length = head.framing === "length" ? ` ${head.length}` : ""
  return `${start} 1.${head.minor} ${head.framing}${length}${persists(head) ? "" : " last"}\n` +
    head.fields.list.map(({ name, value }) => `  ${name}: ${value}\n`).join("")
}
