/**
 * `http.ServeMux` with exact paths and one handler for the rest, and `http.Redirect` (net/http/server.go).
 */
import { reasonOf } from "../http/message.ts"
import type { GoHandler, GoRequest } from "./http.ts"
import type { GoResponse } from "./response.ts"
import { cleanPath, escapePath } from "./url.ts"

const MOVED_PERMANENTLY = 301

/** `rest` is the handler of "/"; without one, what has no path of its own is not found. */
export function mux(routes: Readonly<Record<string, GoHandler>>, rest: GoHandler | null = null): GoHandler {
  const table = new Map(Object.entries(routes))
  return (response, request) => {
    const clean = cleanPath(request.path)
    if (clean !== request.path && request.method !== "CONNECT") {
      const { rawQuery } = request.target
      const url = escapePath(clean) + (rawQuery === "" ? "" : `?${rawQuery}`)
      redirect(response, request, url, MOVED_PERMANENTLY)
      return
    }
    // CONNECT's target has no path.
    const handler = request.path === "" ? null : table.get(request.path) ?? rest
    if (handler !== null) handler(response, request)
    else response.error("404 page not found", 404)
  }
}

export function redirect(response: GoResponse, request: GoRequest, url: string, code: number): void {
  let to = url
  if (!/^([A-Za-z][A-Za-z0-9+.-]*:|\/\/)/.test(to)) {
    if (!to.startsWith("/")) to = request.path.slice(0, request.path.lastIndexOf("/") + 1) + to
    const mark = to.indexOf("?")
    to = mark < 0 ? cleanPath(to) : cleanPath(to.slice(0, mark)) + to.slice(mark)
  }
  const get = request.method === "GET"
  // Go writes a newline in a value as a space.
  const location = to.replace(/[\x80-\xff]/g, (char) => `%${char.charCodeAt(0).toString(16)}`)
    .replace(/[\x00-\x1f\x7f]/g, " ").trim()
  response.header.set("Location", location)
  if (get || request.method === "HEAD") response.header.set("Content-Type", "text/html; charset=utf-8")
  if (!response.status(code)) return
  if (get) response.write(`<a href="${htmlEscape(to)}">${reasonOf(code)}</a>.\n\n`)
}

function htmlEscape(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;")
    .replaceAll("\"", "&#34;").replaceAll("'", "&#39;")
}
