/** Containers of well-known images,
as their peers see them; their environment; the sentence that says why. */
import { chooseProgram, type ContainerLike, type Host } from "@podwire/workload"
import { environment, expand } from "@podwire/workload/environment"
import { parseImage } from "@podwire/workload/images"
import { expect, it } from "vitest"
import { makePair, type Pair, talk } from "./pair.ts"

const AGNHOST = "registry.k8s.io/e2e-test-images/agnhost:2.53"

function begin(host: Host, container: Omit<ContainerLike, "name">) {
  const choice = chooseProgram({ name: "c", ...container })
  return { why: choice.why, process: choice.start(host, "web-0 default") }
}

/** Why, and the answer to a GET without its date. */
function look(container: Omit<ContainerLike, "name">, port: number, target = "/", pair: Pair = makePair()): string {
  const { why, process } = begin(pair.server, container)
  const words = `GET ${target} HTTP/1.1\r\nHost: web:${port}\r\nUser-Agent: t\r\n\r\n`
  const heard = talk(pair, "fd00::1", port, words).replace(/Date: [^\r]*\r\n/, "").replace(/(fd00::2\]):\d+/g, "$1:PORT")
  process.kill()
  return `${why}\n${heard.replaceAll("\r", "")}\n`
}

it("images run their servers", () => {
  expect([
    look({ image: AGNHOST, args: ["netexec", "--http-port=80"] }, 80, "/hostname"),
    look({ image: AGNHOST, command: ["/agnhost", "serve-hostname"] }, 9376),
    look({ image: "hashicorp/http-echo", args: ["-text=hi <b>", "-listen=:80", "-status-code", "404"] }, 80),
    look({ image: "docker.io/hashicorp/http-echo:1.0", env: [{ name: "ECHO_TEXT", value: "from env" }] }, 5678, "/health"),
    look({ image: "traefik/whoami:v1.10", args: ["--name=me"] }, 80, "/x?env=true"),
    look({ image: "traefik/whoami", env: [{ name: "WHOAMI_PORT_NUMBER", value: "81" }] }, 81, "/api?env=1"),
    look({ image: "nginx:1.27.3-alpine" }, 80), look({ image: "registry.k8s.io/nginx-slim:0.27" }, 80, "/x"),
    look({ image: "nginx", command: ["nginx", "-g", "daemon off;"] }, 80, "/y"),
    look({ image: "httpd:2.4" }, 80, "/x"),
    look({ image: AGNHOST, args: ["guestbook"], ports: [{ containerPort: 3000 }] }, 3000),
    look({ image: "nginx", volumeMounts: [{ mountPath: "/etc/nginx/conf.d" }], ports: [{ containerPort: 8080 }] }, 8080),
    look({ image: "bitnami/nginx", ports: [{ containerPort: 8080 }] }, 8080)
  ].join("\n")).toMatchInlineSnapshot(`
    "runs agnhost netexec --http-port=80, as image registry.k8s.io/e2e-test-images/agnhost:2.53 does
    HTTP/1.1 200 OK
    Content-Length: 5
    Content-Type: text/plain; charset=utf-8

    web-0<OPEN>

    runs /agnhost serve-hostname
    HTTP/1.1 200 OK
    Content-Length: 5
    Content-Type: text/plain; charset=utf-8

    web-0<OPEN>

    runs http-echo -text=hi <b> -listen=:80 -status-code 404, as image hashicorp/http-echo does
    HTTP/1.1 404 Not Found
    X-App-Name: http-echo
    X-App-Version: 1.0.0
    Content-Length: 7
    Content-Type: text/plain; charset=utf-8

    hi <b>
    <OPEN>

    runs http-echo, as image docker.io/hashicorp/http-echo:1.0 does
    HTTP/1.1 200 OK
    X-App-Name: http-echo
    X-App-Version: 1.0.0
    Content-Length: 16
    Content-Type: text/plain; charset=utf-8

    {"status":"ok"}
    <OPEN>

    runs whoami --name=me, as image traefik/whoami:v1.10 does
    HTTP/1.1 200 OK
    Content-Length: 177
    Content-Type: text/plain; charset=utf-8

    Name: me
    Hostname: web-0
    IP: 127.0.0.1
    IP: ::1
    IP: 10.0.0.1
    IP: fd00::1
    IP: fe80::ff:fe00:a
    RemoteAddr: [fd00::2]:PORT
    GET /x?env=true HTTP/1.1
    Host: web:80
    User-Agent: t

    <OPEN>

    runs whoami, as image traefik/whoami does
    HTTP/1.1 200 OK
    Access-Control-Allow-Methods: *
    Access-Control-Allow-Origin: *
    Content-Type: application/json
    Content-Length: 235

    {"hostname":"web-0","ip":["127.0.0.1","::1","10.0.0.1","fd00::1","fe80::ff:fe00:a"],"headers":{"User-Agent":["t"]},"url":"/api?env=1","host":"web:81","method":"GET","remoteAddr":"[fd00::2]:PORT","environ":{"WHOAMI_PORT_NUMBER":"81"}}
    <OPEN>

    runs nginx, as image nginx:1.27.3-alpine does
    HTTP/1.1 200 OK
    Server: nginx/1.27.3
    Content-Type: text/html
    Content-Length: 159
    Last-Modified: Thu, 01 Jan 2026 00:00:00 GMT
    Connection: keep-alive
    ETag: "6955b900-9f"
    Accept-Ranges: bytes

    <!DOCTYPE html>
    <html>
    <head>
    <title>Welcome to nginx!</title>
    </head>
    <body>
    <h1>Welcome to nginx!</h1>
    <p>A stand-in for nginx answered.</p>
    </body>
    </html>
    <OPEN>

    runs nginx, as image registry.k8s.io/nginx-slim:0.27 does
    HTTP/1.1 404 Not Found
    Server: nginx/1.29.0
    Content-Type: text/html
    Content-Length: 153
    Connection: keep-alive

    <html>
    <head><title>404 Not Found</title></head>
    <body>
    <center><h1>404 Not Found</h1></center>
    <hr><center>nginx/1.29.0</center>
    </body>
    </html>
    <OPEN>

    runs nginx -g daemon off;
    HTTP/1.1 404 Not Found
    Server: nginx/1.29.0
    Content-Type: text/html
    Content-Length: 153
    Connection: keep-alive

    <html>
    <head><title>404 Not Found</title></head>
    <body>
    <center><h1>404 Not Found</h1></center>
    <hr><center>nginx/1.29.0</center>
    </body>
    </html>
    <OPEN>

    runs httpd, as image httpd:2.4 does
    HTTP/1.1 404 Not Found
    Server: Apache/2.4.65 (Unix)
    Content-Length: 141
    Content-Type: text/html; charset=iso-8859-1

    <!DOCTYPE HTML PUBLIC "-//IETF//DTD HTML 2.0//EN">
    <html><head>
    <title>404 Not Found</title>
    </head><body>
    <h1>Not Found</h1>
    </body></html>
    <EOF>

    agnhost guestbook is not a program that is modelled: listens on 3000/TCP
    HTTP/1.1 200 OK
    Content-Type: text/plain; charset=utf-8
    Content-Length: 38

    web-0 default fd00::1 [fd00::2]:PORT
    <OPEN>

    nginx with a configuration of its own is not modelled: listens on 8080/TCP
    HTTP/1.1 200 OK
    Content-Type: text/plain; charset=utf-8
    Content-Length: 38

    web-0 default fd00::1 [fd00::2]:PORT
    <OPEN>

    no program is known for image bitnami/nginx: listens on 8080/TCP
    HTTP/1.1 200 OK
    Content-Type: text/plain; charset=utf-8
    Content-Length: 38

    web-0 default fd00::1 [fd00::2]:PORT
    <OPEN>
    "
  `)
})

it("what they say to bad words, and on which port they fail", () => {
  const pair = makePair()
  const outcome = (container: Omit<ContainerLike, "name">) => {
    const { process } = begin(pair.server, container)
    const { refused } = process
    return `${process.exitCode} ${process.stderr.trimEnd()}${refused === null ? "" : ` [${refused.port}/${refused.protocol}]`}`
  }
  expect([
    outcome({ image: "hashicorp/http-echo" }), outcome({ image: "hashicorp/http-echo", args: ["-text"] }),
    outcome({ image: "hashicorp/http-echo", args: ["-nope"] }),
    outcome({ image: "hashicorp/http-echo", args: ["-text=x", "y"] }),
    outcome({ image: "hashicorp/http-echo", args: ["-text=x", "-status-code=x"] }),
    outcome({ image: "hashicorp/http-echo", args: ["-version"] }),
    outcome({ image: "hashicorp/http-echo", args: ["-text=x", "-listen=80"] }),
    outcome({ image: "traefik/whoami" }),
    outcome({ image: "nginx" }), outcome({ image: "httpd" }), outcome({ image: "traefik/whoami" }),
    outcome({ image: "hashicorp/http-echo", args: ["-text=x", "-listen=:80"] }),
    outcome({ image: AGNHOST, args: ["netexec", "--http-port=80"] }),
    outcome({ image: "x", ports: [{ containerPort: 80 }] })
  ]).toMatchInlineSnapshot(`
    [
      "127 Missing -text option OR ENV var TEXT is empty!",
      "2 flag needs an argument: -text",
      "2 flag provided but not defined: -nope",
      "127 Too many arguments!",
      "2 invalid value "x" for flag -status-code: parse error",
      "0 http-echo v1.0.0",
      "1 2026/01/01 00:00:02 [INFO] server is listening on 80
    2026/01/01 00:00:02 [ERR] server exited with: listen tcp: address 80: missing port in address",
      "null 2026/01/01 00:00:02 Starting up on port 80",
      "1 nginx: bind() to 0.0.0.0:80 failed (98: Address already in use) [80/TCP]",
      "1 httpd: bind() to 0.0.0.0:80 failed (98: Address already in use) [80/TCP]",
      "1 2026/01/01 00:00:02 Starting up on port 80
    2026/01/01 00:00:02 listen tcp :80: bind: address already in use [80/TCP]",
      "1 2026/01/01 00:00:02 [INFO] server is listening on :80
    2026/01/01 00:00:02 [ERR] server exited with: listen tcp :80: bind: address already in use [80/TCP]",
      "1 2026/01/01 00:00:02 Started UDP server on port  8081
    2026/01/01 00:00:02 Started HTTP server on port 80
    2026/01/01 00:00:02 listen tcp :80: bind: address already in use [80/TCP]",
      "1 listen tcp :80: bind: Address already in use [80/TCP]",
    ]
  `)
})

it("whoami's health, waits and bodies", () => {
  const pair = makePair()
  const { process } = begin(pair.server, { image: "traefik/whoami", args: ["-verbose"] })
  const ask = (text: string) => talk(pair, "10.0.0.1", 80, text).split("\r\n\r\n").slice(1).join("\n").replace(/2:\d+/, "2:PORT")
  const to = (method: string, target: string, body = "") =>
    `${method} ${target} HTTP/1.1\r\nHost: a\r\nContent-Length: ${body.length}\r\n\r\n${body}`
  expect([
    ask(to("POST", "/health", "503")), talk(pair, "10.0.0.1", 80, to("GET", "/health")).slice(0, 12),
    ask(to("POST", "/health", "x")),
    ask(to("POST", "/b", "body")), ask(to("GET", "/bench")), ask(to("GET", "/data")),
    ask(to("GET", "/?wait=6s")), ask(to("GET", "/?wait=1s")).slice(0, 9)
  ]).toMatchInlineSnapshot(`
    [
      "<OPEN>",
      "HTTP/1.1 503",
      "invalid character in literal
    <OPEN>",
      "Hostname: web-0
    IP: 127.0.0.1
    IP: ::1
    IP: 10.0.0.1
    IP: fd00::1
    IP: fe80::ff:fe00:a
    RemoteAddr: 10.0.0.2:PORT
    POST /b HTTP/1.1
    Host: a
    User-Agent: Go-http-client/1.1
    Content-Length: 4
    body<OPEN>",
      "1<OPEN>",
      "not modelled
    <OPEN>",
      "",
      "Hostname:",
    ]
  `)
  expect(process.stderr.replace(/2:\d+/g, "2:PORT").split("\n").slice(0, 3)).toMatchInlineSnapshot(`
    [
      "2026/01/01 00:00:02 Starting up on port 80",
      "2026/01/01 00:00:02 10.0.0.2:PORT - - [01/Jan/2026:00:00:02 +0000] "POST /health HTTP/1.1" - -",
      "2026/01/01 00:00:07 10.0.0.2:PORT - - [01/Jan/2026:00:00:07 +0000] "GET /health HTTP/1.1" - -",
    ]
  `)
})

it("names of images", () => {
  expect([
    "nginx", "nginx:1.27", "docker.io/library/nginx:1", "localhost/x", "localhost:5000/a/b:c",
    "a.b/c/d@sha256:0", "a/b:c@sha256:0",
    "library/busybox", ""
  ].map((text) => {
    const { repository, tag } = parseImage(text)
    return `${text} = ${repository} ${tag}`
  })).toMatchInlineSnapshot(`
    [
      "nginx = nginx ",
      "nginx:1.27 = nginx 1.27",
      "docker.io/library/nginx:1 = nginx 1",
      "localhost/x = x ",
      "localhost:5000/a/b:c = a/b c",
      "a.b/c/d@sha256:0 = c/d ",
      "a/b:c@sha256:0 = a/b c",
      "library/busybox = busybox ",
      " =  ",
    ]
  `)
})

it("variables use earlier ones and expand in words", () => {
  const env = environment(new Map([["HOSTNAME", "h"]]), [
    { name: "A", value: "1" }, { name: "B", value: "$(A)-$(HOSTNAME)-$(C)-$$(A)" }, { name: "C", value: "3" },
    { name: "F", valueFrom: {} }, { name: "E" }
  ])
  expect([...env].map(([name, value]) => `${name}=${value}`)).toEqual(["HOSTNAME=h", "A=1", "B=1-h-$(C)-$(A)", "C=3", "E="])
  expect(["$(A)$(A)", "$A $ $", "$$$(A)", "$(", "$()"].map((text) => expand(text, env))).toEqual(["11", "$A $ $", "$1", "$(", "$()"])
  const pair = makePair()
  const container = { image: AGNHOST, args: ["netexec", "--http-port=$(PORT)"], env: [{ name: "PORT", value: "85" }] }
  const shown = look(container, 85, "/hostname", pair)
  expect(shown).toContain("\nweb-0<OPEN>")
  expect(shown).toMatch(/^runs agnhost netexec --http-port=85, /)
})

it("whoami takes header fields of any name", () => {
  const pair = makePair()
  begin(pair.server, { image: "traefik/whoami" })
  expect(talk(pair, "10.0.0.1", 80, "GET /api HTTP/1.1\r\nHost: a\r\n__proto__: x\r\nconstructor: y\r\n\r\n"))
    .toContain('"headers":{"Constructor":["y"],"__proto__":["x"]}')
})
