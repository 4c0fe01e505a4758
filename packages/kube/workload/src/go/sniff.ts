/**
 * The Content-Type that Go's server gives a body whose handler set none (net/http/sniff.go, after the
 * WHATWG's MIME sniffing): HTML, XML, PDF, text in Unicode, plain text, else octets.
 * Not supported: images, sound, archives, fonts (application/octet-stream).
 */
const HTML = [
  "<!DOCTYPE HTML", "<HTML", "<HEAD", "<SCRIPT", "<IFRAME", "<H1", "<DIV", "<FONT", "<TABLE", "<A", "<STYLE",
  "<TITLE", "<B", "<BODY", "<BR", "<P", "<!--"
]
const SNIFFED_OCTETS = 512

export function contentType(body: string): string {
  const data = body.slice(0, SNIFFED_OCTETS)
  const text = data.replace(/^[\t\n\f\r ]+/, "")
  const upper = text.replace(/[a-z]+/g, (letters) => letters.toUpperCase())
  for (const tag of HTML) {
    if (upper.startsWith(tag) && (tag === "<!--" ? true : /^[ >]/.test(upper.slice(tag.length)))) {
      return "text/html; charset=utf-8"
    }
  }
  if (text.startsWith("<?xml")) return "text/xml; charset=utf-8"
  if (data.startsWith("%PDF-")) return "application/pdf"
  if (data.startsWith("%!PS-Adobe-")) return "application/postscript"
  if (data.startsWith("\xfe\xff")) return "text/plain; charset=utf-16be"
  if (data.startsWith("\xff\xfe")) return "text/plain; charset=utf-16le"
  if (data.startsWith("\xef\xbb\xbf")) return "text/plain; charset=utf-8"
  const binary = /[\x00-\x08\x0b\x0e-\x1a\x1c-\x1f]/.test(text)
  return binary ? "application/octet-stream" : "text/plain; charset=utf-8"
}
