/**
 * One small topology, twice: as commands for a real Linux and as calls to the emulator. A pod behind a
 * bridge on a node, and a second node at the other end of its card; every kind of route and neighbour that
 * can be told.
 */
import { Engine } from "@podwire/engine"
import { Bridge, FramePool, Veth } from "@podwire/netdev"
import { DEFAULT4, DEFAULT6, Netns, type RouteSpec } from "@podwire/netns"
import * as cidr from "@podwire/wire/cidr"
import * as ip from "@podwire/wire/ip"
import * as mac from "@podwire/wire/mac"

export type Place = "pod" | "node" | "far"

/** Lines for sh; `$pod`, `$node` and `$far` are namespaces that exist. */
export const COMMANDS = `
for n in $pod $node $far; do
  ip netns exec $n sysctl -qw net.ipv6.conf.default.accept_dad=0 net.ipv6.conf.all.accept_dad=0
  ip -n $n link set lo up
done
ip netns exec $node sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
ip -n $node link add eth0 address 02:00:00:00:00:01 type veth peer name eth0 netns $far address 02:00:00:00:00:02
ip -n $node link set eth0 up
ip -n $far link set eth0 up
ip -n $node addr add 192.168.1.10/24 brd + dev eth0
ip -n $node addr add 192.168.1.20/24 brd + dev eth0
ip -n $node -6 addr add fd00:1::10/64 dev eth0 nodad
ip -n $node -6 addr add fd00:1::20/64 dev eth0 nodad
ip -n $node link add cni0 address 02:00:00:00:01:00 type bridge
ip -n $node link set cni0 up
ip -n $node addr add 10.244.1.1/24 brd + dev cni0
ip -n $node addr add fd00:10:244:1::1/64 dev cni0 nodad
ip -n $node link add veth1234 address 02:00:00:00:01:01 type veth peer name eth0 netns $pod address 02:00:00:00:01:02
ip -n $node link set veth1234 up
ip -n $pod link set eth0 up
ip -n $node link set veth1234 master cni0
ip -n $node link add down0 address 02:00:00:00:02:01 type veth peer name down1 address 02:00:00:00:02:02
ip -n $node link set down0 up
ip -n $node addr add 10.66.0.1/24 brd + dev down0
ip -n $node -6 addr add fd00:66::1/64 dev down0 nodad
ip -n $pod addr add 10.244.1.2/24 brd + dev eth0
ip -n $pod addr add fd00:10:244:1::2/64 dev eth0 nodad
ip -n $pod route add default via 10.244.1.1
ip -n $pod route add 10.244.0.0/16 via 10.244.1.1
ip -n $pod -6 route add default via fd00:10:244:1::1
ip -n $node route add default via 192.168.1.1
ip -n $node route add 10.244.2.0/24 via 192.168.1.11
ip -n $node route add 10.244.3.0/24 via 172.31.0.9 dev eth0 onlink proto static metric 50 mtu 1400
ip -n $node route add 10.244.3.0/24 via 192.168.1.12 dev eth0 metric 40
ip -n $node route add 10.244.3.0/26 via 192.168.1.13 src 10.244.1.1
ip -n $node route add 10.245.0.7 dev eth0
ip -n $node route add blackhole 10.244.0.0/16
ip -n $node route add unreachable 10.96.0.0/12 metric 7
ip -n $node route add prohibit 10.97.0.0/16
ip -n $node route add 10.7.0.0/16 via 192.168.1.11 table 100
ip -n $node -6 route add default via fd00:1::1 proto static
ip -n $node -6 route add fd00:10:244:2::/64 via fd00:1::11 mtu 1300
ip -n $node -6 route add fd00:10:244:3::/64 via fd00:99::9 dev eth0 onlink
ip -n $node -6 route add fd00:10:245::7 dev eth0
ip -n $node -6 route add blackhole fd00:10:244::/48
ip -n $node -6 route add unreachable fd00:10:96::/112 metric 7
ip -n $node -6 route add prohibit fd00:10:97::/112
ip -n $node neigh add 10.244.1.2 lladdr 02:00:00:00:01:02 dev cni0 nud permanent
ip -n $node neigh add 192.168.1.11 lladdr 02:00:00:00:00:02 dev eth0 nud reachable
ip -n $node neigh add 192.168.1.12 lladdr 02:00:00:00:00:03 dev eth0 nud stale
ip -n $node neigh add 192.168.1.13 dev eth0 nud incomplete
ip -n $node neigh add fd00:1::11 lladdr 02:00:00:00:00:02 dev eth0 router nud permanent
ip -n $node neigh add fd00:1::12 lladdr 02:00:00:00:00:03 dev eth0 nud stale
bridge -n $node fdb replace 02:00:00:00:01:02 dev veth1234 master dynamic
`

/** The same, emulated. */
export function build(): Readonly<Record<Place, Netns>> {
  const engine = new Engine(1)
  const pool = new FramePool(engine)
  const pod = new Netns(engine, pool, "pod")
  const node = new Netns(engine, pool, "node")
  const far = new Netns(engine, pool, "far")
  for (const netns of [pod, node, far]) {
    netns.sysctl.set("net.ipv6.conf.default.accept_dad", "0")
    netns.sysctl.set("net.ipv6.conf.all.accept_dad", "0")
    netns.setUp(netns.lo)
  }
  node.sysctl.set("net.ipv4.ip_forward", "1")
  node.sysctl.set("net.ipv6.conf.all.forwarding", "1")
  const veth = (here: Netns, name: string, address: string, there: Netns, peer: string, other: string) => {
    const [a, b] = Veth.pair(engine, pool, name, mac.parse(address)!, peer, mac.parse(other)!)
    // Linux makes the peer first.
    there.attach(b)
    here.attach(a)
    return [a, b] as const
  }
  const [eth0, farEth0] = veth(node, "eth0", "02:00:00:00:00:01", far, "eth0", "02:00:00:00:00:02")
  node.setUp(eth0)
  far.setUp(farEth0)
  node.addAddress(eth0, net("192.168.1.10/24"))
  node.addAddress(eth0, net("192.168.1.20/24"))
  node.addAddress(eth0, net("fd00:1::10/64"), { nodad: true })
  node.addAddress(eth0, net("fd00:1::20/64"), { nodad: true })
  const cni0 = new Bridge(engine, pool, "cni0", mac.parse("02:00:00:00:01:00")!)
  node.attach(cni0)
  node.setUp(cni0)
  node.addAddress(cni0, net("10.244.1.1/24"))
  node.addAddress(cni0, net("fd00:10:244:1::1/64"), { nodad: true })
  const [outside, inside] = veth(node, "veth1234", "02:00:00:00:01:01", pod, "eth0", "02:00:00:00:01:02")
  node.setUp(outside)
  pod.setUp(inside)
  cni0.addPort(outside)
  const [down0] = veth(node, "down0", "02:00:00:00:02:01", node, "down1", "02:00:00:00:02:02")
  node.setUp(down0)
  // Linux waits for the carrier with the link-local address; the emulator does not yet.
  node.delAddress(down0, { ip: ip.linkLocalFromMac(down0.mac), bits: 64 })
  node.addAddress(down0, net("10.66.0.1/24"))
  node.addAddress(down0, net("fd00:66::1/64"), { nodad: true })
  pod.addAddress(inside, net("10.244.1.2/24"))
  pod.addAddress(inside, net("fd00:10:244:1::2/64"), { nodad: true })
  pod.addRoute({ dst: DEFAULT4, via: at("10.244.1.1") })
  pod.addRoute({ dst: net("10.244.0.0/16"), via: at("10.244.1.1") })
  pod.addRoute({ dst: DEFAULT6, via: at("fd00:10:244:1::1") })
  routes(node)
  node.neigh4.add(cni0, at("10.244.1.2"), mac.parse("02:00:00:00:01:02")!, "permanent")
  node.neigh4.add(eth0, at("192.168.1.11"), mac.parse("02:00:00:00:00:02")!, "reachable")
  node.neigh4.add(eth0, at("192.168.1.12"), mac.parse("02:00:00:00:00:03")!, "stale")
  node.neigh4.obtain(eth0, at("192.168.1.13"))!.state = "INCOMPLETE"
  node.neigh6.add(eth0, at("fd00:1::11"), mac.parse("02:00:00:00:00:02")!, "permanent")
  node.neigh6.find(eth0, at("fd00:1::11"))!.isRouter = true
  node.neigh6.add(eth0, at("fd00:1::12"), mac.parse("02:00:00:00:00:03")!, "stale")
  const learnt = mac.parse("02:00:00:00:01:02")!
  cni0.fdb.learn(mac.hi(learnt), mac.lo(learnt), cni0.port(outside)!.number, engine)
  return { pod, node, far }
}

function routes(node: Netns): void {
  const eth0 = node.links.byName("eth0")!
  const specs: ReadonlyArray<RouteSpec> = [
    { dst: DEFAULT4, via: at("192.168.1.1") },
    { dst: net("10.244.2.0/24"), via: at("192.168.1.11") },
    {
      dst: net("10.244.3.0/24"), via: at("172.31.0.9"), dev: eth0, onlink: true, protocol: "static",
      metric: 50, mtu: 1400
    },
    { dst: net("10.244.3.0/24"), via: at("192.168.1.12"), dev: eth0, metric: 40 },
    { dst: net("10.244.3.0/26"), via: at("192.168.1.13"), src: at("10.244.1.1") },
    { dst: net("10.245.0.7/32"), dev: eth0 },
    { dst: net("10.244.0.0/16"), type: "blackhole" },
    { dst: net("10.96.0.0/12"), type: "unreachable", metric: 7 },
    { dst: net("10.97.0.0/16"), type: "prohibit" },
    { dst: net("10.7.0.0/16"), via: at("192.168.1.11"), table: 100 },
    { dst: DEFAULT6, via: at("fd00:1::1"), protocol: "static" },
    { dst: net("fd00:10:244:2::/64"), via: at("fd00:1::11"), mtu: 1300 },
    { dst: net("fd00:10:244:3::/64"), via: at("fd00:99::9"), dev: eth0, onlink: true },
    { dst: net("fd00:10:245::7/128"), dev: eth0 },
    { dst: net("fd00:10:244::/48"), type: "blackhole" },
    { dst: net("fd00:10:96::/112"), type: "unreachable", metric: 7 },
    { dst: net("fd00:10:97::/112"), type: "prohibit" }
  ]
  for (const spec of specs) {
    const errno = node.addRoute(spec)
    if (errno !== 0) throw new Error(`route ${cidr.format(spec.dst)}: errno ${errno}`)
  }
}

function net(text: string): cidr.Cidr {
  return cidr.parse(text)!
}

function at(text: string): ip.Ip {
  return ip.parse(text)!
}
