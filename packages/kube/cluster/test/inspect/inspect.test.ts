/**
 * Whole texts, where no Linux is at hand and for states that a referee cannot be brought into on purpose.
 * `node.golden.txt` and `pod.golden.txt` are what the emulated topology prints; iproute2-referee.test.ts
 * holds the same command lines against iproute2 6.1.0 on Linux 6.18. The other texts were taken from there
 * by hand.
 */
import { Engine } from "@podwire/engine"
import { Bridge, Dummy, FramePool, Nic, Veth } from "@podwire/netdev"
import { Netns } from "@podwire/netns"
import * as cidr from "@podwire/wire/cidr"
import * as ip from "@podwire/wire/ip"
import { expect, it } from "vitest"
import { inspect } from "../../src/inspect/inspect.ts"
import { build } from "./topology.ts"

const GOLDEN = [
  "ip addr", "ip -br addr", "ip -br link", "ip -o addr", "ip -6 addr", "ip -4 addr show dev eth0",
  "ip -s -d link", "ip -j addr show dev eth0", "ip -j -p link show dev eth0", "ip route",
  "ip -4 route show table all", "ip -6 route", "ip -6 route show table local", "ip -j route",
  "ip -j -6 route", "ip rule", "ip -6 rule", "ip neigh", "ip -s neigh", "ip -j neigh",
  "ip route get 10.244.2.5", "ip route get fd00:10:244:2::9", "ip route get 127.0.0.1",
  "ip route get 10.96.0.1", "bridge -d link", "bridge -s fdb", "bridge -j fdb", "ss -tuln",
  "sysctl net.ipv4.ip_forward", "sysctl net.ipv6.conf.all.forwarding", "arp -n", "arp -an",
  "cat /proc/net/dev /proc/net/arp /proc/net/if_inet6"
]

it.each(["pod", "node"] as const)("the whole of a %s", async (place) => {
  const netns = build()[place]
  for (const { ifindex, stats } of netns.links.list()) {
    Object.assign(stats, {
      rxBytes: 12_345_678_901 * ifindex, rxPackets: 98_765 * ifindex, rxDropped: ifindex, txBytes: 1000 * ifindex,
      txPackets: 10 * ifindex, txDropped: 0
    })
  }
  const text = GOLDEN.map((line) => `$ ${line}\n${all(netns, line)}`).join("\n")
  await expect(text).toMatchFileSnapshot(`./${place}.golden.txt`)
})

function all(netns: Netns, line: string): string {
  const { stdout, stderr, exitCode } = inspect(netns, line.split(" "))
  return `${stdout}${stderr}${exitCode === 0 ? "" : `status ${exitCode}\n`}`
}

function host(): { readonly netns: Netns; readonly engine: Engine; readonly pool: FramePool } {
  const engine = new Engine(1)
  const pool = new FramePool(engine)
  const netns = new Netns(engine, pool, "host")
  netns.setUp(netns.lo)
  return { netns, engine, pool }
}

function net(text: string): cidr.Cidr {
  return cidr.parse(text)!
}

it("a fresh namespace has lo, and it is down", () => {
  const engine = new Engine(1)
  const netns = new Netns(engine, new FramePool(engine), "fresh")
  expect(all(netns, "ip addr")).toBe(
    "1: lo: <LOOPBACK> mtu 65536 qdisc noop state DOWN group default qlen 1000\n" +
    "    link/loopback 00:00:00:00:00:00 brd 00:00:00:00:00:00\n"
  )
  expect(all(netns, "ip -br addr")).toBe("lo               DOWN           \n")
  for (const line of ["ip route", "ip -6 route", "ip neigh", "arp -n"]) expect(all(netns, line)).toBe("")
  expect(all(netns, "ip -j route") + all(netns, "ip -j -p neigh")).toBe("[]\n[ ]\n")
})

it("an address on trial, a refused one and an old one", () => {
  const { netns, engine, pool } = host()
  const [a, b] = Veth.pair(engine, pool, "eth0", 0x020000000104, "peer", 0x020000000105)
  netns.attach(a)
  netns.attach(b)
  netns.setUp(b)
  netns.setUp(a)
  netns.addAddress(a, net("10.7.0.1/32"))
  netns.addAddress(a, net("10.8.0.0/31"), { scope: "link" })
  netns.addAddress(a, net("fd00::1/64"))
  netns.addAddress(a, net("fd00::2/64"))
  netns.addAddress(a, net("fd00::3/64"), { nodad: true, deprecated: true })
  netns.findAddress(ip.parse("fd00::2")!)!.dadFailed = true
  expect(all(netns, "ip addr show dev eth0")).toBe(
    "2: eth0@peer: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 qdisc noqueue state UP group default qlen 1000\n" +
    "    link/ether 02:00:00:00:01:04 brd ff:ff:ff:ff:ff:ff\n" +
    "    inet 10.8.0.0/31 scope link eth0\n" +
    "       valid_lft forever preferred_lft forever\n" +
    "    inet 10.7.0.1/32 scope global eth0\n" +
    "       valid_lft forever preferred_lft forever\n" +
    "    inet6 fd00::3/64 scope global nodad deprecated \n" +
    "       valid_lft forever preferred_lft 0sec\n" +
    "    inet6 fd00::2/64 scope global dadfailed tentative \n" +
    "       valid_lft forever preferred_lft forever\n" +
    "    inet6 fd00::1/64 scope global tentative \n" +
    "       valid_lft forever preferred_lft forever\n" +
    "    inet6 fe80::ff:fe00:104/64 scope link tentative \n" +
    "       valid_lft forever preferred_lft forever\n"
  )
  expect(all(netns, "ip -o -6 addr show tentative")).toBe(
    "2: eth0    inet6 fd00::2/64 scope global dadfailed tentative \\       valid_lft forever preferred_lft forever\n" +
    "2: eth0    inet6 fd00::1/64 scope global tentative \\       valid_lft forever preferred_lft forever\n" +
    "2: eth0    inet6 fe80::ff:fe00:104/64 scope link tentative \\       valid_lft forever preferred_lft forever\n" +

    "3: peer    inet6 fe80::ff:fe00:105/64 scope link tentative \\       valid_lft forever preferred_lft forever\n"
  )
  expect(all(netns, "cat /proc/net/if_inet6").split("\n").sort().slice(-4)).toEqual([
    "fd000000000000000000000000000002 02 40 00 c8     eth0",
    "fd000000000000000000000000000003 02 40 00 a2     eth0",
    "fe80000000000000000000fffe000104 02 40 20 c0     eth0",
    "fe80000000000000000000fffe000105 03 40 20 c0     peer"
  ])
})

it("links without a carrier: a bridge with no port, a pair with one end down", () => {
  const { netns, engine, pool } = host()
  const cni0 = new Bridge(engine, pool, "cni0", 0x020000000100)
  netns.attach(cni0)
  netns.setUp(cni0)
  netns.addAddress(cni0, net("10.244.1.1/24"))
  netns.addAddress(cni0, net("fd00::1/64"), { nodad: true })
  const [a, b] = Veth.pair(engine, pool, "v0", 0x020000000101, "v1", 0x020000000102)
  netns.attach(b)
  netns.attach(a)
  netns.setUp(a)
  expect(all(netns, "ip -br link")).toBe(
    "lo               UNKNOWN        00:00:00:00:00:00 <LOOPBACK,UP,LOWER_UP> \n" +
    "cni0             DOWN           02:00:00:00:01:00 <NO-CARRIER,BROADCAST,MULTICAST,UP> \n" +
    "v1@v0            DOWN           02:00:00:00:01:02 <BROADCAST,MULTICAST> \n" +
    "v0@v1            LOWERLAYERDOWN 02:00:00:00:01:01 <NO-CARRIER,BROADCAST,MULTICAST,UP,M-DOWN> \n"
  )
  expect(all(netns, "ip route")).toBe("10.244.1.0/24 dev cni0 proto kernel scope link src 10.244.1.1 linkdown \n")
  expect(all(netns, "ip -6 route show dev cni0 root fd00::/8"))
    .toBe("fd00::/64 proto kernel metric 256 linkdown pref medium\n")
  cni0.addPort(a)
  expect(all(netns, "bridge link")).toBe(

    "4: v0@v1: <NO-CARRIER,BROADCAST,MULTICAST,UP,M-DOWN> mtu 1500 master cni0 state disabled priority 32 cost 2 \n"
  )
})

it("a card and a dummy", () => {
  const { netns, engine, pool } = host()
  const eth0 = new Nic(engine, pool, "eth0", 0x020000000001)
  netns.attach(eth0)
  netns.setUp(eth0)
  const ipvs = new Dummy(engine, pool, "kube-ipvs0", 0x020000000002)
  netns.attach(ipvs)
  expect(all(netns, "ip link show up")).toBe(
    "1: lo: <LOOPBACK,UP,LOWER_UP> mtu 65536 qdisc noqueue state UNKNOWN mode DEFAULT group default qlen 1000\n" +
    "    link/loopback 00:00:00:00:00:00 brd 00:00:00:00:00:00\n" +
    "2: eth0: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 qdisc noqueue state UP mode DEFAULT group default qlen 1000\n" +
    "    link/ether 02:00:00:00:00:01 brd ff:ff:ff:ff:ff:ff\n"
  )
  expect(all(netns, "ip link show type dummy")).toBe(
    "3: kube-ipvs0: <BROADCAST,NOARP> mtu 1500 qdisc noop state DOWN mode DEFAULT group default qlen 1000\n" +
    "    link/ether 02:00:00:00:00:02 brd ff:ff:ff:ff:ff:ff\n"
  )
})

it("columns of counters grow with their numbers", () => {
  const { netns } = host()
  Object.assign(netns.lo.stats, { rxBytes: 123_456_789_012, rxPackets: 12_345_678, txDropped: 3 })
  expect(all(netns, "ip -s -s link show lo")).toBe(
    "1: lo: <LOOPBACK,UP,LOWER_UP> mtu 65536 qdisc noqueue state UNKNOWN mode DEFAULT group default qlen 1000\n" +
    "    link/loopback 00:00:00:00:00:00 brd 00:00:00:00:00:00\n" +
    "    RX:    bytes  packets errors dropped  missed   mcast           \n" +
    "    123456789012 12345678      0       0       0       0 \n" +
    "    RX errors:     length    crc   frame    fifo overrun\n" +
    "                        0      0       0       0       0 \n" +
    "    TX:    bytes  packets errors dropped carrier collsns           \n" +
    "               0        0      0       3       0       0 \n" +
    "    TX errors:    aborted   fifo  window heartbt transns\n" +
    "                        0      0       0       0       2 \n"
  )
  expect(all(netns, "cat /proc/net/dev").split("\n")[2]).toBe(

    "    lo: 123456789012 12345678    0    0    0     0          0         0        0       0    0    3    0     0       0          0"
  )
})

it("a host does not route for others", () => {
  const { pod } = build()
  expect(all(pod, "ip route get 8.8.8.8 from 10.244.1.9 iif eth0"))
    .toBe("RTNETLINK answers: No route to host\nstatus 2\n")
})

it("what is not modelled says so and fails", () => {
  const { netns } = host()
  for (const line of [
    "iptables-save", "ip6tables-save", "iptables -t nat -L", "conntrack -L", "nft list ruleset",
    "ipvsadm -Ln", "netstat -s", "cat /proc/net/udp", "ip maddr", "ip netns",
    "ip addr add 10.0.0.1/8 dev lo", "ip route flush cache", "ip route show cache", "ip help", "bridge vlan",
    "bridge mdb", "ss -m", "ss -tln sport", "sysctl -w a.b=1", "sysctl net.ipv4.ip_forward=1",
    "arp -d 10.0.0.1"
  ]) {
    const { stdout, stderr, exitCode } = inspect(netns, line.split(" "))
    expect([line, stdout, stderr.endsWith(": not modelled yet\n"), exitCode]).toEqual([line, "", true, 2])
  }
  expect(inspect(netns, ["traceroute", "10.0.0.1"]))
    .toEqual({ stdout: "", stderr: "traceroute: command not found\n", exitCode: 127 })
  expect(inspect(netns, []).exitCode).toBe(127)
  expect(inspect(netns, ["constructor"]).exitCode).toBe(127)
})

it("JSON is JSON, and pretty JSON the same", () => {
  const { node } = build()
  for (const line of [
    "addr", "link", "-d link", "-s -s link", "-br addr", "route", "-6 route show table all", "neigh", "rule"
  ]) {
    const compact = all(node, `ip -j ${line}`)
    expect(JSON.parse(all(node, `ip -j -p ${line}`))).toEqual(JSON.parse(compact))
    expect(compact).toBe(`${JSON.stringify(JSON.parse(compact)).replace(/"(\w+_timer)":0/g, '"$1":0.00')}\n`)
  }
})
