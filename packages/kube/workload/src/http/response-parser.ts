/**
 * Responses (RFC 9112, section 4). Before each one the parser is told the method that it answers (`expect`):
 * a response to HEAD has no body. 1xx are messages of their own, with HEAD and END, and the answer follows
 * them.
 */
import type { Fields } from "./fields.ts"
import { responseFraming } from "./framing.ts"
import type { Response } from "./message.ts"
import { MessageParser } from "./parser.ts"

const STATUS_LINE = /^HTTP\/([0-9])\.([0-9]) ([1-9][0-9][0-9])(?: ([\t\x20-\x7e\x80-\xff]*))?$/

export class ResponseParser extends MessageParser<Response> {
  protected override readonly cutStatus = 502
  protected override readonly skipsEmptyLine = false
  protected override readonly longStartStatus = 502
  #method = "GET"

  /** The method of the request whose response comes next. */
  expect(method: string): void {
    this.#method = method
  }

  protected override checkStart(line: string): boolean {
    const parts = STATUS_LINE.exec(line)
    if (parts !== null && parts[1] === "1") return true
    this.fail(502, parts === null ? "malformed status line" : "unsupported protocol version")
    return false
  }

  protected override parseHead(line: string, fields: Fields): Response | null {
    const [, , minorText, code, reason = ""] = STATUS_LINE.exec(line)!
    const minor = Number(minorText)
    const status = Number(code)
    const framing = responseFraming(this.#method, minor, status, fields)
    if ("status" in framing) {
      this.fail(framing.status, framing.what)
      return null
    }
    return { minor, status, reason, fields, ...framing }
  }
}
