/** Programs as a shell would show them: what they print, how they end, when; on a real namespace with `lo`. */
import { Engine, SECOND } from "@podwire/engine"
import { FramePool } from "@podwire/netdev"
import { Netns } from "@podwire/netns"
import { chooseProgram, findProgram, type Host, PortListener, type Process } from "@podwire/workload"
import { parse as cidr } from "@podwire/wire/cidr"
import { expect, it } from "vitest"

function makeHost(): Host {
  const engine = new Engine(7)
  const netns = new Netns(engine, new FramePool(engine), "default/web-0")
  netns.setUp(netns.lo)
  netns.addAddress(netns.lo, cidr("10.0.0.1/32")!)
  const files = new Map([["/etc/hosts", "127.0.0.1\tlocalhost\n::1\tlocalhost\n"], ["/etc/hostname", "web-0\n"]])
  return { engine, netns, hostname: "web-0", files, env: new Map() }
}

/** The command, its output, its errors after "!", and how and when it ended. */
function shell(host: Host, ...argv: ReadonlyArray<string>): string {
  const beganNs = host.engine.nowNs
  const process = findProgram(argv[0]!)!.start(host, argv)
  for (let i = 0; process.exitCode === null && i < 1000; i++) host.engine.advance(host.engine.nextNs, 1000)
  const after = (host.engine.nowNs - beganNs) / SECOND
  const errors = process.stderr === "" ? "" : `! ${process.stderr}`
  return `$ ${argv.join(" ")}\n${process.stdout}${errors}exit ${process.exitCode} after ${after} s\n`
}

it("ping reports as iputils does", () => {
  const host = makeHost()
  const text = [
    ["ping", "-c", "2", "127.0.0.1"], ["ping", "-c", "1", "-q", "-s", "8", "::1"], ["ping", "-c1", "localhost"],
    ["ping", "-c", "1", "192.0.2.1"], ["ping", "-c", "1", "nobody"], ["ping"], ["ping", "-c", "0", "::1"],
    ["ping", "-p", "ff", "::1"], ["ping", "-M", "maybe", "::1"], ["ping", "-c"]
  ].map((argv) => shell(host, ...argv)).join("")
  expect(text).toMatchInlineSnapshot(`
    "$ ping -c 2 127.0.0.1
    PING 127.0.0.1 (127.0.0.1) 56(84) bytes of data.
    64 bytes from 127.0.0.1: icmp_seq=1 ttl=64 time=0.000 ms
    64 bytes from 127.0.0.1: icmp_seq=2 ttl=64 time=0.000 ms

    --- 127.0.0.1 ping statistics ---
    2 packets transmitted, 2 received, 0% packet loss, time 1000ms
    rtt min/avg/max/mdev = 0.000/0.000/0.000/0.000 ms
    exit 0 after 1 s
    $ ping -c 1 -q -s 8 ::1
    PING ::1 (::1) 8 data bytes

    --- ::1 ping statistics ---
    1 packets transmitted, 1 received, 0% packet loss, time 0ms

    exit 0 after 0 s
    $ ping -c1 localhost
    PING localhost (127.0.0.1) 56(84) bytes of data.
    64 bytes from 127.0.0.1: icmp_seq=1 ttl=64 time=0.000 ms

    --- localhost ping statistics ---
    1 packets transmitted, 1 received, 0% packet loss, time 0ms
    rtt min/avg/max/mdev = 0.000/0.000/0.000/0.000 ms
    exit 0 after 0 s
    $ ping -c 1 192.0.2.1
    ! ping: connect: Network is unreachable
    exit 2 after 0 s
    $ ping -c 1 nobody
    ! ping: nobody: Name or service not known
    exit 2 after 0 s
    $ ping
    ! ping: usage error: Destination address required
    exit 2 after 0 s
    $ ping -c 0 ::1
    ! ping: invalid argument: '0': out of range: 1 <= value <= 1000000
    exit 2 after 0 s
    $ ping -p ff ::1
    ! ping: invalid option -- 'p'
    ping: usage: ping [-46nq] [-c count] [-i interval] [-s size] [-t ttl] [-W timeout] [-w deadline] [-M do|dont|want] destination
    exit 2 after 0 s
    $ ping -M maybe ::1
    ! ping: invalid -M argument: maybe
    exit 2 after 0 s
    $ ping -c
    ! ping: option requires an argument -- 'c'
    ping: usage: ping [-46nq] [-c count] [-i interval] [-s size] [-t ttl] [-W timeout] [-w deadline] [-M do|dont|want] destination
    exit 2 after 0 s
    "
  `)
})

it("ping knows its answers when sequence numbers come round", () => {
  const host = makeHost()
  const process = findProgram("ping")!.start(host, ["ping", "-q", "-i", "0.01", "-c", "65600", "127.0.0.1"])
  while (process.exitCode === null) host.engine.advance(host.engine.nextNs, 1000)
  expect(process.stdout).toContain("65600 packets transmitted, 65600 received, 0% packet loss")
  expect(process.stdout).not.toContain("duplicates")
})

it("udp-echo: a server, a client, an answer that does not come", () => {
  const host = makeHost()
  const serve = (...argv: ReadonlyArray<string>) => findProgram("udp-echo")!.start(host, ["udp-echo", ...argv])
  const server = serve("-l", "7")
  const second = serve("-l", "7")
  expect(`${second.exitCode} ${second.stderr}`).toMatchInlineSnapshot(`
    "1 udp-echo: bind: port 7/UDP: Address already in use
    "
  `)
  expect([
    ["udp-echo", "127.0.0.1", "7"], ["udp-echo", "-c", "2", "::1", "7", "hi"], ["udp-echo", "127.0.0.1", "8"],
    ["udp-echo", "::1", "8"], ["udp-echo", "192.0.2.1", "7"], ["udp-echo", "nobody", "7"], ["udp-echo", "::1", "0"]
  ].map((argv) => shell(host, ...argv)).join("")).toMatchInlineSnapshot(`
    "$ udp-echo 127.0.0.1 7
    5 bytes from 127.0.0.1 port 7: hello
    exit 0 after 0 s
    $ udp-echo -c 2 ::1 7 hi
    2 bytes from ::1 port 7: hi
    2 bytes from ::1 port 7: hi
    exit 0 after 0 s
    $ udp-echo 127.0.0.1 8
    ! udp-echo: recv: Connection refused
    exit 1 after 0 s
    $ udp-echo ::1 8
    ! udp-echo: recv: Connection refused
    exit 1 after 0 s
    $ udp-echo 192.0.2.1 7
    ! udp-echo: connect: Network is unreachable
    exit 1 after 0 s
    $ udp-echo nobody 7
    ! udp-echo: nobody: Name or service not known
    exit 1 after 0 s
    $ udp-echo ::1 0
    ! usage: udp-echo -l PORT | udp-echo [-c COUNT] [-W SECONDS] ADDRESS PORT [TEXT]
    exit 2 after 0 s
    "
  `)
  server.kill()
  expect(server.exitCode).toBe(137)
  expect(serve("-l", "7").exitCode).toBe(null)
})

it("a server that says nothing is waited for as long as -W says", () => {
  const host = makeHost()
  const deaf = host.netns.udp(6)
  deaf.bind(null, 7)
  deaf.onReceive = () => {}
  expect(shell(host, "udp-echo", "-W", "0.5", "::1", "7")).toMatchInlineSnapshot(`
    "$ udp-echo -W 0.5 ::1 7
    ! udp-echo: recv: no answer
    exit 1 after 0.5 s
    "
  `)
})

it("cat copies its standard input, once", () => {
  const host = { ...makeHost(), stdin: new Uint8Array([104, 105, 10]) }
  expect(shell(host, "cat") + shell(host, "cat", "-", "/etc/hostname", "-") + shell(makeHost(), "cat"))
    .toMatchInlineSnapshot(`
      "$ cat
      hi
      exit 0 after 0 s
      $ cat - /etc/hostname -
      hi
      web-0
      exit 0 after 0 s
      $ cat
      exit 0 after 0 s
      "
    `)
})

it("coreutils", () => {
  const host = makeHost()
  expect([
    ["cat", "/etc/hostname", "/nowhere"], ["echo", "a", "b"], ["echo", "-n"], ["hostname"], ["true"], ["false"],
    ["sleep", "1.5"], ["sleep", "1m", "1"], ["sleep"], ["sleep", "soon"]
  ].map((argv) => shell(host, ...argv)).join("")).toMatchInlineSnapshot(`
    "$ cat /etc/hostname /nowhere
    web-0
    ! cat: /nowhere: No such file or directory
    exit 1 after 0 s
    $ echo a b
    a b
    exit 0 after 0 s
    $ echo -n
    exit 0 after 0 s
    $ hostname
    web-0
    exit 0 after 0 s
    $ true
    exit 0 after 0 s
    $ false
    exit 1 after 0 s
    $ sleep 1.5
    exit 0 after 1.5 s
    $ sleep 1m 1
    exit 0 after 61 s
    $ sleep
    ! sleep: missing operand
    exit 1 after 0 s
    $ sleep soon
    ! sleep: invalid time interval 'soon'
    exit 1 after 0 s
    "
  `)
  const long = findProgram("sleep")!.start(host, ["sleep", "infinity"])
  expect([long.exitCode, host.engine.nextNs]).toEqual([null, Infinity])
})

it("the default listener says who answers, and frees its ports when it ends", () => {
  const host = makeHost()
  const listen = (...ports: ReadonlyArray<[number, "TCP" | "UDP" | "SCTP"]>) =>
    new PortListener(host, ["app"], ports.map(([port, protocol]) => ({ port, protocol })), "web-0 default")
  const first = listen([53, "UDP"], [53, "TCP"], [53, "SCTP"])
  expect(shell(host, "udp-echo", "10.0.0.1", "53").replace(/:\d+\n/, ":PORT\n")).toMatchInlineSnapshot(`
    "$ udp-echo 10.0.0.1 53
    38 bytes from 10.0.0.1 port 53: web-0 default 10.0.0.1 10.0.0.1:PORT
    exit 0 after 0 s
    "
  `)
  const ends = (process: Process) => `${process.exitCode} ${process.stderr}`
  expect([ends(listen([54, "UDP"], [53, "UDP"])), ends(listen([53, "TCP"]))]).toMatchInlineSnapshot(`
    [
      "1 listen udp :53: bind: Address already in use
    ",
      "1 listen tcp :53: bind: Address already in use
    ",
    ]
  `)
  // The one that failed at its second port holds its first no longer.
  expect(listen([54, "UDP"]).exitCode).toBe(null)
  first.kill()
  expect(listen([53, "UDP"], [53, "TCP"]).exitCode).toBe(null)
})

it("which program stands in for a container", () => {
  const why = (container: object, override: ReadonlyArray<string> | null = null, oneShot = false) =>
    chooseProgram({ name: "c", ...container }, override, oneShot).why
  expect([
    why({ image: "busybox:1.36" }), why({ image: "busybox", command: ["sleep"], args: ["1h"] }),
    why({ image: "x/alpine@sha256:0" }), why({ image: "alpines:1" }), why({}),
    why({ image: "nginx", ports: [{ containerPort: 80 }, { containerPort: 53, protocol: "UDP" }] }),
    why({ image: "nginx", command: ["/usr/sbin/nginx"], ports: [{ containerPort: 80 }] }),
    why({ image: "x", command: ["/bin/ping6", "::1"] }), why({ image: "x" }, ["udp-echo", "-l", "7"]),
    why({ image: "migrate:1" }, null, true)
  ]).toMatchInlineSnapshot(`
    [
      "image busybox:1.36 without a known command: idles",
      "runs sleep 1h",
      "image x/alpine@sha256:0 without a known command: idles",
      "no program is known for image alpines:1 and it declares no port: idles",
      "no program is known for image (none) and it declares no port: idles",
      "runs nginx, as image nginx does",
      "runs /usr/sbin/nginx",
      "runs /bin/ping6 ::1",
      "runs udp-echo -l 7, says the scenario",
      "no program is known for image migrate:1 and it declares no port: ends at once",
    ]
  `)
})
