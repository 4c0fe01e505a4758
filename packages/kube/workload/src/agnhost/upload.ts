/**
 * netexec's /upload: the file of a form is kept nowhere, its name is told as the real server tells it
 * (uploadHandler; os.CreateTemp's number comes from the run's chance).
 */
import type { GoRequest } from "../go/http.ts"
import type { GoProcess } from "../go/process.ts"
import type { GoResponse } from "../go/response.ts"
import { json } from "../go/text.ts"

/** ParseMultipartForm's default memory; more would go to files. */
const BODY_MOST = 32 << 20

export function upload(process: GoProcess, response: GoResponse, request: GoRequest): void {
  process.log("GET /upload")
  response.hold()
  request.body(BODY_MOST, (body) => {
    const type = request.exchange.request.fields.get("Content-Type") ?? ""
    const problem = body === null ? "multipart: NextPart: EOF" : problemOf(type, body)
    if (problem !== null) {
      process.log(`Unable to upload file: ${problem}`)
      response.write(json({ error: "Unable to upload file." }))
    } else {
      const name = `/uploads/upload${process.host.engine.prng("upload").u32() >>> 0}`
      process.log(`Wrote upload to ${name}`)
      response.status(201)
      response.write(json({ output: name }))
    }
    response.finish()
  })
}

/** Null when the form has a file called "file" (RFC 7578). */
function problemOf(type: string, body: string): string | null {
  if (!/^multipart\/form-data\b/i.test(type)) return "request Content-Type isn't multipart/form-data"
  const [, quoted, bare] = /;\s*boundary=(?:"([^"]*)"|([^;\s]+))/i.exec(type) ?? []
  const boundary = quoted ?? bare
  if (boundary === undefined) return "no multipart boundary param in Content-Type"
  const parts = `\r\n${body}`.split(`\r\n--${boundary}`)
  if (parts.length < 3 || !parts.at(-1)!.startsWith("--")) return "multipart: NextPart: EOF"
  const isFile = (part: string) =>
    /^content-disposition:[^\r\n]*;\s*name="?file"?[^\r\n]*$/im.test(part.split("\r\n\r\n")[0]!) &&
    /;\s*filename=/i.test(part.split("\r\n\r\n")[0]!)
  return parts.slice(1, -1).some(isFile) ? null : "http: no such file"
}
