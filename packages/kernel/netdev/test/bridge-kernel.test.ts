/**
 * The bridge against the one in Linux: the same frames into the same three ports, and what every device saw, in
 * order, must be the same. Needs root, `ip` and python3 (for raw sockets), in a namespace of its own; where one is
 * missing it says so and skips.
 */
import { spawnSync } from "node:child_process"
import { Engine } from "@podwire/engine"
import { addTap, Bridge, type BridgePort, FramePool, type NetDevice, Veth } from "@podwire/netdev"
import { set16, set32 } from "@podwire/wire/bytes"
import { hi, lo, parse } from "@podwire/wire/mac"
import { expect, it } from "vitest"

const pod = (i: number) => `02:00:00:00:00:a${i}`
const port = (i: number) => `02:00:00:00:00:0${i}`
const BROADCAST = "ff:ff:ff:ff:ff:ff"

/** A change (the words of `ip link set`), or a frame: device, source, destination, length. */
type Step = { readonly set: string } | { readonly send: readonly [string, string, string, number] }
const set = (words: string): Step => ({ set: words })
const send = (dev: string, src: string, dst: string, length = 60): Step => ({ send: [dev, src, dst, length] })

const STEPS: ReadonlyArray<Step> = [
  send("pod1", pod(1), BROADCAST), send("pod2", pod(2), pod(1)), send("pod2", pod(2), pod(9)),
  send("pod1", pod(1), "33:33:00:00:00:01"), send("pod1", pod(1), pod(1)), send("br0", port(1), pod(1)),
  send("br0", port(1), BROADCAST), send("br0", port(1), pod(9)), send("br0", port(1), port(2)),
  ...["00", "01", "02", "0e", "0f", "10"].map((last) => send("pod3", pod(3), `01:80:c2:00:00:${last}`)),
  send("pod1", "03:00:00:00:00:a1", BROADCAST), send("pod1", "00:00:00:00:00:00", BROADCAST),
  send("pod2", port(1), BROADCAST), ...[1, 2, 3].map((i) => send("pod1", pod(1), port(i))),
  send("pod3", pod(1), BROADCAST), send("pod2", pod(2), pod(1)),
  set("port1 type bridge_slave hairpin on"),
  send("pod1", pod(7), BROADCAST), send("pod1", pod(7), pod(7)), send("pod1", pod(7), pod(9)), send("pod2", pod(2), pod(7)),
  set("port1 type bridge_slave hairpin off"), set("port1 type bridge_slave learning off"),
  send("pod1", pod(6), BROADCAST), send("pod2", pod(2), pod(6)), set("port1 type bridge_slave learning on"),
  set("port1 type bridge_slave flood off"), send("pod2", pod(2), pod(9)), send("pod2", pod(2), BROADCAST),
  send("br0", port(1), pod(9)), set("port1 type bridge_slave bcast_flood off"),
  send("pod2", pod(2), BROADCAST), send("br0", port(1), BROADCAST), set("port1 type bridge_slave mcast_flood off"),
  send("pod2", pod(2), "33:33:00:00:00:01"), send("br0", port(1), "33:33:00:00:00:01"),
  set("port1 type bridge_slave flood on"), set("port1 type bridge_slave bcast_flood on"),
  set("port1 type bridge_slave isolated on"), set("port2 type bridge_slave isolated on"),
  send("pod1", pod(1), BROADCAST), send("pod2", pod(2), pod(1)), send("pod3", pod(3), pod(1)),
  set("port1 type bridge_slave isolated off"), set("port2 mtu 1396"),
  ...[1410, 1414, 1415, 1500].map((length) => send("pod1", pod(1), BROADCAST, length)),
  set("pod3 mtu 1000"), ...[1018, 1019].map((length) => send("pod1", pod(1), BROADCAST, length)),
  set("br0 type bridge group_fwd_mask 16384"), send("pod1", pod(1), "01:80:c2:00:00:0e"),
  send("pod1", pod(1), "01:80:c2:00:00:0d"), set("port1 down"), send("pod2", pod(2), pod(1)),
  send("pod2", pod(2), BROADCAST), set("port1 up"), send("pod2", pod(2), pod(1)),
  set("br0 down"), send("pod2", pod(2), BROADCAST)
]

/** `device>` for what left by it and `device<` for what arrived on it, one list a frame. */
function emulated(): ReadonlyArray<string> {
  const engine = new Engine(7)
  const pool = new FramePool(engine)
  const bridge = new Bridge(engine, pool, "br0")
  const devices = new Map<string, NetDevice>([["br0", bridge]])
  for (const i of [1, 2, 3]) {
    const [end, inside] = Veth.pair(engine, pool, `pod${i}`, parse(pod(i))!, `port${i}`, parse(port(i))!)
    devices.set(end.name, end).set(inside.name, inside)
    bridge.addPort(inside)
  }
  let seen: Array<string> = []
  for (const dev of devices.values()) {
    dev.up = true
    if (!(dev instanceof Veth) || dev.master === null) {
      dev.handler = { receive: (_dev, frame) => pool.free(frame) }
    }
    addTap(dev, { see: ({ name }, direction) => void seen.push(name + (direction === 1 ? "<" : ">")) })
  }
  return STEPS.flatMap((step) => {
    if ("set" in step) {
      change(bridge, devices, step.set.split(" "))
      return []
    }
    const [name, src, dst, length] = step.send
    seen = []
    const frame = pool.alloc(length)!
    const { bytes, head } = frame
    set16(bytes, head, hi(parse(dst)!))
    set32(bytes, head + 2, lo(parse(dst)!))
    set16(bytes, head + 6, hi(parse(src)!))
    set32(bytes, head + 8, lo(parse(src)!))
    set16(bytes, head + 12, 0x88b5)
    frame.tail = head + length
    devices.get(name)!.xmit(frame)
    engine.advance(engine.nowNs, 1e6)
    return [seen.join(" ")]
  })
}

const FLAGS: Readonly<Record<string, "hairpin" | "learning" | "flood" | "broadcastFlood" | "multicastFlood" | "isolated">> = {
  hairpin: "hairpin", learning: "learning", flood: "flood", bcast_flood: "broadcastFlood", mcast_flood: "multicastFlood",
  isolated: "isolated"
}

function change(bridge: Bridge, devices: ReadonlyMap<string, NetDevice>, words: ReadonlyArray<string>): void {
  const dev = devices.get(words[0]!)!
  if (words[1] === "mtu") dev.mtu = Number(words[2])
  else if (words[1] === "up" || words[1] === "down") dev.up = words[1] === "up"
  else if (words[3] === "group_fwd_mask") bridge.setGroupForwardMask(Number(words[4]))
  else (bridge.port(dev) as BridgePort)[FLAGS[words[3]!]!] = words[4] === "on"
}

const PYTHON = String.raw`
import json, select, socket, subprocess, sys, time
steps = json.load(sys.stdin)
ETH_P_ALL = socket.htons(3)
ear = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, ETH_P_ALL)
mouths = {}
def mac(text): return bytes.fromhex(text.replace(":", ""))
def heard(wait):
    seen = []
    while select.select([ear], [], [], wait)[0]:
        data, (dev, proto, kind, hatype, addr) = ear.recvfrom(4096)
        if proto == 0x88b5 or data[12:14] == b"\x88\xb5": seen.append(dev + (">" if kind == 4 else "<"))
    return seen
def forwards(port):
    # Linux takes a port into use when its link watch gets to it, not when the command returns.
    for _ in range(200):
        with open("/sys/class/net/" + port + "/brport/state") as state:
            if state.read().strip() == "3": return
        time.sleep(0.01)
    raise SystemExit(port + " does not forward after two seconds")
for port in ("port1", "port2", "port3"): forwards(port)
out = []
for step in steps:
    if "set" in step:
        subprocess.run(["ip", "link", "set"] + step["set"].split(" "), check=True)
        if step["set"] == "port1 up": forwards("port1")
        heard(0)
        continue
    dev, src, dst, length = step["send"]
    if dev not in mouths:
        mouths[dev] = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
        mouths[dev].bind((dev, 0))
    frame = mac(dst) + mac(src) + b"\x88\xb5"
    mouths[dev].send(frame + bytes(length - len(frame)))
    out.append(" ".join(heard(0.006)))
print(json.dumps(out))
`

function missing(): string | null {
  if (process.platform !== "linux") return "this is not Linux"
  if (process.getuid?.() !== 0) return "it needs root"
  if (spawnSync("ip", ["-V"]).status !== 0) return "there is no ip"
  if (spawnSync("python3", ["-c", "import socket; socket.AF_PACKET"]).status !== 0) return "there is no python3"
  const probe = `pw-netdev-probe-${process.pid}`
  const made = spawnSync("ip", ["netns", "add", probe]).status === 0 &&
    spawnSync("ip", ["-n", probe, "link", "add", "br0", "type", "bridge"]).status === 0
  spawnSync("ip", ["netns", "del", probe])
  return made ? null : "it may not make namespaces or bridges"
}

const reason = missing()
if (reason !== null) console.warn(`skipped: comparison of the bridge with Linux's, ${reason}`)

it.skipIf(reason !== null)("every device sees the same frames in the same order as on Linux", () => {
  const netns = `pw-netdev-bridge-${process.pid}`
  const ip = (...args: ReadonlyArray<string>) => {
    const { status, stderr } = spawnSync("ip", args, { encoding: "utf8" })
    if (status !== 0) throw new Error(`ip ${args.join(" ")}: ${stderr}`)
  }
  try {
    ip("netns", "add", netns)
    spawnSync("ip", ["netns", "exec", netns, "sh", "-c", "echo 1 > /proc/sys/net/ipv6/conf/default/disable_ipv6"])
    ip("-n", netns, "link", "add", "br0", "type", "bridge", "mcast_snooping", "0")
    for (const i of ["1", "2", "3"]) {
      ip("-n", netns, "link", "add", `pod${i}`, "address", pod(Number(i)), "type", "veth",
        "peer", "name", `port${i}`, "address", port(Number(i)))
      ip("-n", netns, "link", "set", `port${i}`, "master", "br0", "up")
      ip("-n", netns, "link", "set", `pod${i}`, "up")
    }
    ip("-n", netns, "link", "set", "br0", "up")
    const { stdout, stderr } = spawnSync("ip", ["netns", "exec", netns, "python3", "-c", PYTHON], {
      encoding: "utf8", input: JSON.stringify(STEPS), timeout: 20_000
    })
    expect(stderr).toBe("")
    const said = STEPS.filter((step) => "send" in step).map((step) => step.send.join(" "))
    const picture = (lines: ReadonlyArray<string>) => lines.map((line, i) => `${said[i]}: ${line}`)
    expect(picture(emulated())).toEqual(picture(JSON.parse(stdout)))
  } finally {
    spawnSync("ip", ["netns", "del", netns])
  }
})
