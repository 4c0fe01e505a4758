/** Messages as RFC 9112 has them and as attackers write them: every vector's events as text. */
import { type Limits, LIMITS, RequestParser, ResponseParser } from "@podwire/workload/http/index"
import { ascii } from "@podwire/wire/bytes"
import { expect, it } from "vitest"
import { events } from "./events.ts"

/** The same for every cut, or both texts. */
function request(text: string, limits: Limits = LIMITS): string {
  const whole = events(new RequestParser(limits), ascii(text))
  for (const cut of [1, 2, 3, 7]) expect(events(new RequestParser(limits), ascii(text), [cut])).toBe(whole)
  return whole === "" ? "(more)\n" : whole
}

function response(text: string, method = "GET", ends = false): string {
  const parse = (cut: number) => {
    const parser = new ResponseParser()
    parser.expect(method)
    return events(parser, ascii(text), [cut], ends)
  }
  const whole = parse(Infinity)
  for (const cut of [1, 2, 3, 7]) expect(parse(cut)).toBe(whole)
  return whole === "" ? "(more)\n" : whole
}

it("requests of RFC 9112 and 9110", () => {
  expect([
    request("GET /hello.txt HTTP/1.1\r\nUser-Agent: curl/7.64.1\r\nHost: www.example.com\r\nAccept-Language: en, mi\r\n\r\n"),
    request("GET http://www.example.org/pub/WWW/TheProject.html HTTP/1.1\r\nHost: www.example.org\r\n\r\n"),
    request("CONNECT www.example.com:80 HTTP/1.1\r\nHost: www.example.com\r\n\r\n"),
    request("OPTIONS * HTTP/1.1\r\nHost: www.example.org:8001\r\n\r\n"),
    request("POST / HTTP/1.1\r\nhOST:[::1]:80\r\nContent-Length:\t5 \r\n\r\nhelloGET /2 HTTP/1.0\n\n"),
    request("\r\nGET / HTTP/1.1\nHost:\nX-Empty:\r\nX: a\tb  c\r\nX: \xe9\r\nConnection: Foo, CLOSE\r\n\r\n"),
    request("PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\n\r\n5\r\nhello\r\n006;a;b=c;d=\"x;\\\"\" ;e\r\n world\r\n00\r\nX-Sum: 1\r\n\r\nGET /"),
    request("GET / HTTP/1.0\r\nConnection: keep-alive\r\nContent-Length: 0, 0\r\nContent-Length: 0\r\n\r\n"),
    request("GET / HTTP/1.9\r\nHost: a\r\n\r\n")
  ].join("")).toMatchInlineSnapshot(`
    "GET /hello.txt 1.1 none
      User-Agent: curl/7.64.1
      Host: www.example.com
      Accept-Language: en, mi
      end
    GET http://www.example.org/pub/WWW/TheProject.html 1.1 none
      Host: www.example.org
      end
    CONNECT www.example.com:80 1.1 none
      Host: www.example.com
      end
    OPTIONS * 1.1 none
      Host: www.example.org:8001
      end
    POST / 1.1 length 5
      hOST: [::1]:80
      Content-Length: 5
      data "hello"
      end
    GET /2 1.0 none last
      end
    GET / 1.1 none last
      Host: 
      X-Empty: 
      X: a	b  c
      X: é
      Connection: Foo, CLOSE
      end
    PUT / 1.1 chunked
      Host: a
      Transfer-Encoding: Chunked
      data "hello world"
      trailer X-Sum: 1
      end
    GET / 1.0 length 0
      Connection: keep-alive
      Content-Length: 0, 0
      Content-Length: 0
      end
    GET / 1.9 none
      Host: a
      end
    "
  `)
})

it("responses", () => {
  expect([
    response("HTTP/1.1 200 OK\r\nDate: Mon, 27 Jul 2009 12:28:53 GMT\r\nContent-Length: 2\r\n\r\nhiHTTP/1.1 204 No Content\r\nContent-Length: 3\r\n\r\n"),
    response("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nContent-Length: 9\r\n\r\nHTTP/1.1 304 \r\nTransfer-Encoding: chunked\r\n\r\n"),
    response("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n", "HEAD"),
    response("HTTP/1.1 200 OK\r\n\r\nSSH-2.0", "CONNECT"),
    response("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\nabc"),
    response("HTTP/1.0 200\r\n\r\nuntil the end", "GET", true),
    response("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "GET", true),
    response("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nabc", "GET", true),
    response("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n", "GET", true),
    response("HTTP/1.1 200", "GET", true),
    response("\r\nHTTP/1.1 200 OK\r\n\r\n"), response("HTTP/2 200 \r\n"), response("HTTP/2.0 200 OK\r\n"),
    response("HTTP/1.1 20 OK\r\n"), response("HTTP/1.1 200  \x07\r\n"), response("http/1.1 200 OK\r\n"),
    response("hello\n"),
    response("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n"),
    response("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n")
  ].join("")).toMatchInlineSnapshot(`
    "200 OK 1.1 length 2
      Date: Mon, 27 Jul 2009 12:28:53 GMT
      Content-Length: 2
      data "hi"
      end
    204 No Content 1.1 none
      Content-Length: 3
      end
    100 Continue 1.1 none
      end
    103 Early Hints 1.1 none
      Content-Length: 9
      end
    304  1.1 none
      Transfer-Encoding: chunked
      end
    200 OK 1.1 none
      Content-Length: 9
      end
    200 OK 1.1 tunnel last
      stops, 7 octets left
    101 Switching Protocols 1.1 tunnel last
      Upgrade: x
      stops, 3 octets left
    200  1.0 close last
      data "until the end"
      end
    200 OK 1.1 length 0
      Content-Length: 0
      end
    200 OK 1.1 length 4
      Content-Length: 4
      data "abc"
    502 the stream ended inside a message
    200 OK 1.1 chunked
      Transfer-Encoding: chunked
      data "abc"
    502 the stream ended inside a message
    502 the stream ended inside a message
    502 malformed status line
    502 malformed status line
    502 unsupported protocol version
    502 malformed status line
    502 malformed status line
    502 malformed status line
    502 malformed status line
    502 chunked is not the one last transfer coding
    502 both Transfer-Encoding and Content-Length
    "
  `)
})

/** One field line, or several, in an otherwise good request. */
const withField = (lines: string, rest = "") => `${JSON.stringify(lines)} -> ${
  request(`POST / HTTP/1.1\r\nHost: a\r\n${lines}\r\n\r\n${rest}`).replace("POST / 1.1 ", "").replace("  Host: a\n", "")}`

it("what two readers could understand in two ways is refused", () => {
  expect([
    "Content-Length: 3\r\nTransfer-Encoding: chunked", "Transfer-Encoding: chunked\r\nContent-Length: 3",
    "Content-Length: 3\r\nContent-Length: 4", "Content-Length: 3, 4",
    "Content-Length: 3\r\ncontent-length: 03",
    "Content-Length: +3", "Content-Length: -3", "Content-Length: 0x3", "Content-Length: 3 3",
    "Content-Length: 3.0",
    "Content-Length: 1e1", "Content-Length:", "Content-Length: ,3", "Content-Length: 9007199254740992",
    "Content-Length: 99999999999999999999999999", "Content-Length: \xb2", "Content-Length : 3",
    "Content-Length\t: 3",
    " Content-Length: 3", "X: a\r\n\tContent-Length: 3", "Content-Length: 3\0", "Content-Length: 3\rX: 1",
    "Content-Length: \v3",
    "Transfer-Encoding: chunked, identity", "Transfer-Encoding: chunked, chunked",
    "Transfer-Encoding: gzip, chunked",
    "Transfer-Encoding: identity", "Transfer-Encoding: xchunked", "Transfer-Encoding: chunked;q=1",
    "Transfer-Encoding:",
    "Transfer-Encoding: \"chunked\"", "Transfer-Encoding: ,chunked",
    "Transfer-Encoding: chunked\r\nTransfer-Encoding: cow",
    "Transfer-Encoding: cow\r\nTransfer-Encoding: chunked", "Transfer-Encoding: \vchunked",
    "Transfer-Encoding : chunked",
    "Transfer-Encoding\0: chunked", "Transfer-Encoding: chunked\x7f", "X", ": x", "X Y: z", "X(: z",
    "\xe9: z", "X: \0", "X: \x1b[0m",
    "X: a\rb", "X: a\r\r", "Host: b", "Host : b"
  ].map((lines) => withField(lines)).join("")).toMatchInlineSnapshot(`
    ""Content-Length: 3\\r\\nTransfer-Encoding: chunked" -> 400 both Transfer-Encoding and Content-Length
    "Transfer-Encoding: chunked\\r\\nContent-Length: 3" -> 400 both Transfer-Encoding and Content-Length
    "Content-Length: 3\\r\\nContent-Length: 4" -> 400 Content-Lengths that differ
    "Content-Length: 3, 4" -> 400 Content-Lengths that differ
    "Content-Length: 3\\r\\ncontent-length: 03" -> 400 Content-Lengths that differ
    "Content-Length: +3" -> 400 bad Content-Length
    "Content-Length: -3" -> 400 bad Content-Length
    "Content-Length: 0x3" -> 400 bad Content-Length
    "Content-Length: 3 3" -> 400 bad Content-Length
    "Content-Length: 3.0" -> 400 bad Content-Length
    "Content-Length: 1e1" -> 400 bad Content-Length
    "Content-Length:" -> 400 bad Content-Length
    "Content-Length: ,3" -> 400 bad Content-Length
    "Content-Length: 9007199254740992" -> 400 bad Content-Length
    "Content-Length: 99999999999999999999999999" -> 400 bad Content-Length
    "Content-Length: ²" -> 400 bad Content-Length
    "Content-Length : 3" -> 400 malformed field line
    "Content-Length\\t: 3" -> 400 malformed field line
    " Content-Length: 3" -> 400 folded field line
    "X: a\\r\\n\\tContent-Length: 3" -> 400 folded field line
    "Content-Length: 3\\u0000" -> 400 invalid header value
    "Content-Length: 3\\rX: 1" -> 400 invalid header value
    "Content-Length: \\u000b3" -> 400 invalid header value
    "Transfer-Encoding: chunked, identity" -> 400 chunked is not the one last transfer coding
    "Transfer-Encoding: chunked, chunked" -> 400 chunked is not the one last transfer coding
    "Transfer-Encoding: gzip, chunked" -> 501 Unsupported transfer encoding
    "Transfer-Encoding: identity" -> 400 chunked is not the one last transfer coding
    "Transfer-Encoding: xchunked" -> 400 chunked is not the one last transfer coding
    "Transfer-Encoding: chunked;q=1" -> 400 chunked is not the one last transfer coding
    "Transfer-Encoding:" -> 400 chunked is not the one last transfer coding
    "Transfer-Encoding: \\"chunked\\"" -> 400 chunked is not the one last transfer coding
    "Transfer-Encoding: ,chunked" -> 400 empty transfer coding
    "Transfer-Encoding: chunked\\r\\nTransfer-Encoding: cow" -> 400 chunked is not the one last transfer coding
    "Transfer-Encoding: cow\\r\\nTransfer-Encoding: chunked" -> 501 Unsupported transfer encoding
    "Transfer-Encoding: \\u000bchunked" -> 400 invalid header value
    "Transfer-Encoding : chunked" -> 400 malformed field line
    "Transfer-Encoding\\u0000: chunked" -> 400 malformed field line
    "Transfer-Encoding: chunked" -> 400 invalid header value
    "X" -> 400 malformed field line
    ": x" -> 400 malformed field line
    "X Y: z" -> 400 malformed field line
    "X(: z" -> 400 malformed field line
    "é: z" -> 400 malformed field line
    "X: \\u0000" -> 400 invalid header value
    "X: \\u001b[0m" -> 400 invalid header value
    "X: a\\rb" -> 400 invalid header value
    "X: a\\r\\r" -> 400 invalid header value
    "Host: b" -> 400 too many Host headers
    "Host : b" -> 400 malformed field line
    "
  `)
  expect([
    "GET / HTTP/1.1\r\n\r\n", "GET / HTTP/1.1\r\nHost: a b\r\n\r\n", "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: u@a\r\n\r\n", "GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n",
    "GET  / HTTP/1.1\r\n",
    "GET / HTTP/1.1 \r\n", " GET / HTTP/1.1\r\n", "GET /\r\n", "GET /\tHTTP/1.1\r\n", "GET /a b HTTP/1.1\r\n",
    "GET / http/1.1\r\n",
    "GET / HTTP/1.11\r\n", "GET / HTTP/01.1\r\n", "GET / HTTP/2.0\r\n", "GET / HTTP/0.9\r\n",
    "PRI * HTTP/2.0\r\n", "G(T / HTTP/1.1\r\n",
    "GET /\0 HTTP/1.1\r\n", "GET /\r HTTP/1.1\r\n", "\r\n\r\nGET / HTTP/1.1\r\n", "\x16\x03\x01\0\n",
    "GET / HTTP/1.1\r\nHost: a\r\n\rX"
  ].map((text) => `${JSON.stringify(text)} -> ${request(text)}`).join("")).toMatchInlineSnapshot(`
    ""GET / HTTP/1.1\\r\\n\\r\\n" -> 400 missing required Host header
    "GET / HTTP/1.1\\r\\nHost: a b\\r\\n\\r\\n" -> 400 malformed Host header
    "GET / HTTP/1.1\\r\\nHost: a/b\\r\\n\\r\\n" -> 400 malformed Host header
    "GET / HTTP/1.1\\r\\nHost: u@a\\r\\n\\r\\n" -> 400 malformed Host header
    "GET / HTTP/1.0\\r\\nTransfer-Encoding: chunked\\r\\n\\r\\n" -> 400 Transfer-Encoding in HTTP/1.0
    "GET  / HTTP/1.1\\r\\n" -> 400 malformed request line
    "GET / HTTP/1.1 \\r\\n" -> 400 malformed request line
    " GET / HTTP/1.1\\r\\n" -> 400 malformed request line
    "GET /\\r\\n" -> 400 malformed request line
    "GET /\\tHTTP/1.1\\r\\n" -> 400 malformed request line
    "GET /a b HTTP/1.1\\r\\n" -> 400 malformed request line
    "GET / http/1.1\\r\\n" -> 400 malformed request line
    "GET / HTTP/1.11\\r\\n" -> 400 malformed request line
    "GET / HTTP/01.1\\r\\n" -> 400 malformed request line
    "GET / HTTP/2.0\\r\\n" -> 505 unsupported protocol version
    "GET / HTTP/0.9\\r\\n" -> 505 unsupported protocol version
    "PRI * HTTP/2.0\\r\\n" -> 505 unsupported protocol version
    "G(T / HTTP/1.1\\r\\n" -> 400 malformed request line
    "GET /\\u0000 HTTP/1.1\\r\\n" -> 400 malformed request line
    "GET /\\r HTTP/1.1\\r\\n" -> 400 malformed request line
    "\\r\\n\\r\\nGET / HTTP/1.1\\r\\n" -> 400 malformed request line
    "\\u0016\\u0003\\u0001\\u0000\\n" -> 400 malformed request line
    "GET / HTTP/1.1\\r\\nHost: a\\r\\n\\rX" -> (more)
    "
  `)
})

it("chunks", () => {
  const chunked = (body: string) => withField("Transfer-Encoding: chunked", body).replace(/^.*\n.*\n/, `${JSON.stringify(body)} -> `)
  expect([
    "0\r\n\r\n", "3\r\nabc\r\n0\r\n\r\n", "A\r\n0123456789\r\n0\r\n\r\n", "0;x\r\nA: b\r\n\r\n", "g\r\n",
    "\r\n", " 3\r\n", "3 \r\n",
    "+3\r\n", "-3\r\n", "0x3\r\n", "3_0\r\n", "3\nabc", "3\r\nabcd\r\n", "3\r\nabc\n", "3\r\nabc0\r\n\r\n",
    "3\r\rabc", "3;\r\n", "3;a=\r\n", "3 ;a\r\n",
    "3;a=\"\r\n", "3;a=\"b\\\"\"\r\n", "3;\0\r\n", "3;a\rb\r\n", "20000000000000\r\n", "1fffffffffffff\r\n",
    "00000000000000003\r\n", "0\r\nX : 1\r\n\r\n",
    "0\r\n X: 1\r\n\r\n", "0\r\n\n"
  ].map(chunked).join("")).toMatchInlineSnapshot(`
    ""0\\r\\n\\r\\n" ->   end
    "3\\r\\nabc\\r\\n0\\r\\n\\r\\n" ->   data "abc"
      end
    "A\\r\\n0123456789\\r\\n0\\r\\n\\r\\n" ->   data "0123456789"
      end
    "0;x\\r\\nA: b\\r\\n\\r\\n" ->   trailer A: b
      end
    "g\\r\\n" -> 400 bad chunk size
    "\\r\\n" -> 400 bad chunk size
    " 3\\r\\n" -> 400 bad chunk size
    "3 \\r\\n" -> 400 bad chunk extension
    "+3\\r\\n" -> 400 bad chunk size
    "-3\\r\\n" -> 400 bad chunk size
    "0x3\\r\\n" -> 400 bad chunk extension
    "3_0\\r\\n" -> 400 bad chunk extension
    "3\\nabc" -> 400 chunk line without CR
    "3\\r\\nabcd\\r\\n" ->   data "abc"
    400 no line end after a chunk
    "3\\r\\nabc\\n" ->   data "abc"
    400 no line end after a chunk
    "3\\r\\nabc0\\r\\n\\r\\n" ->   data "abc"
    400 no line end after a chunk
    "3\\r\\rabc" -> "3;\\r\\n" -> 400 bad chunk extension
    "3;a=\\r\\n" -> 400 bad chunk extension
    "3 ;a\\r\\n" -> "3;a=\\"\\r\\n" -> 400 bad chunk extension
    "3;a=\\"b\\\\\\"\\"\\r\\n" -> "3;\\u0000\\r\\n" -> 400 bad chunk extension
    "3;a\\rb\\r\\n" -> 400 bad chunk size
    "20000000000000\\r\\n" -> 400 bad chunk size
    "1fffffffffffff\\r\\n" -> "00000000000000003\\r\\n" -> 400 bad chunk size
    "0\\r\\nX : 1\\r\\n\\r\\n" -> 400 malformed field line
    "0\\r\\n X: 1\\r\\n\\r\\n" -> 400 folded field line
    "0\\r\\n\\n" ->   end
    "
  `)
})

it("limits: the last that passes and the first that does not", () => {
  const small: Limits = { startLine: 16, fieldLine: 10, fields: 30, fieldCount: 3 }
  const tried = (text: string) => request(text, small).split("\n")[0]
  expect([
    "GET /1 HTTP/1.1\r\nHost: a\r\n\r\n", "GET /12 HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET /123 HTTP/1.1\r\nHost: a\r\n\r\n", "G".repeat(16), "G".repeat(17),
    "GET / HTTP/1.1\nHost: 1234\r\n\r\n", "GET / HTTP/1.1\nHost: 12345\r\n\r\n",
    "GET / HTTP/1.1\nHost: a\nB:\nC:\n\n", "GET / HTTP/1.1\nHost: a\nB:\nC:\nD:\n\n",
    "GET / HTTP/1.1\nHost: 1234\nB: 3456789\nC: 45\n\n",
    "GET / HTTP/1.1\nHost: 1234\nB: 3456789\nC: 456789\n\n"
  ].map(tried)).toMatchInlineSnapshot(`
    [
      "GET /1 1.1 none",
      "GET /12 1.1 none",
      "414 start line too long",
      "(more)",
      "414 start line too long",
      "GET / 1.1 none",
      "431 field line too long",
      "GET / 1.1 none",
      "431 too many fields",
      "GET / 1.1 none",
      "431 fields too long",
    ]
  `)
  const extra = `1;${"x".repeat(4000)}\r\n.\r\n`
  expect(withField("Transfer-Encoding: chunked", extra.repeat(5)).slice(-50)).toMatchInlineSnapshot(`
    "unked
      data "...."
    400 chunk extensions too long
    "
  `)
  expect(withField("Transfer-Encoding: chunked", `1;${"x".repeat(4096)}`).slice(-50)).toMatchInlineSnapshot(`
    "ransfer-Encoding: chunked
    400 chunk line too long
    "
  `)
})
