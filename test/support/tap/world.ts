/**
 * An emulated pod and a namespace of the real kernel on one wire. With `near` "kernel" the pod's part is
 * played by the kernel too: what a case asks then is what Linux does, and not what we think that it does.
 */
import { execFileSync, spawnSync } from "node:child_process"
import { appendFileSync } from "node:fs"
import { addTap, type Nic, type Tap } from "@podwire/netdev"
import { EmulatedPeer } from "./emulated-peer.ts"
import { FrameRing } from "./frame-ring.ts"
import { type Counters, KernelPeer } from "./kernel-peer.ts"
import { KernelWire, namespaceName, sweep } from "./kernel-wire.ts"
import type { Family, Peer } from "./peer.ts"
import { Recorder } from "./recorder.ts"
import { Span } from "./span.ts"

const POD: Readonly<Record<Family, string>> = { 4: "10.77.0.2", 6: "fd77::2" }
const KERNEL: Readonly<Record<Family, string>> = { 4: "10.77.0.1", 6: "fd77::1" }
/** Behind the kernel's side, and the kernel's address there. */
const FAR: Readonly<Record<Family, string>> = { 4: "10.77.1.2", 6: "fd77:1::2" }
const NEXT: Readonly<Record<Family, string>> = { 4: "10.77.1.1", 6: "fd77:1::1" }
export const KERNEL_MAC = "02:00:00:00:77:01"
export const POD_MAC = "02:00:00:00:77:02"
export const TAP = "tap0"
/**
 * All else is behind the kernel's side for the pod, and this behind the pod for the kernel: nobody is there.
 */
const DEFAULT: ReadonlyArray<readonly [string, string]> = [["0.0.0.0/0", KERNEL[4]], ["::/0", KERNEL[6]]]
const NOBODY: ReadonlyArray<readonly [string, string]> = [
  ["198.18.0.0/15", POD[4]], ["2001:db8::/32", POD[6]]
]

/** The machine's own are not everybody's, and a connection is not to remember the one before. */
const SYSCTL: Readonly<Record<string, string | number>> = {
  "net.ipv6.conf.all.accept_dad": 0, "net.ipv6.conf.default.accept_dad": 0,
  "net.ipv6.conf.default.router_solicitations": 0,
  "net.ipv4.conf.all.rp_filter": 0, "net.ipv4.conf.default.rp_filter": 0,
  "net.ipv4.tcp_rmem": "4096 131072 6291456", "net.ipv4.tcp_wmem": "4096 16384 4194304",
  "net.ipv4.tcp_no_metrics_save": 1
}

/** The device's queue holds what the peer's window allows: it is not to lose anything. */
function setup(
  ips: Readonly<Record<Family, string>>, routes: ReadonlyArray<readonly [string, string]>
): ReadonlyArray<string> {
  return [
    "link set lo up", `link set ${TAP} txqueuelen 16384 gso_max_segs 1`, `link set ${TAP} up`,
    `addr add ${ips[4]}/24 dev ${TAP}`, `addr add ${ips[6]}/64 dev ${TAP} nodad`,
    ...routes.map(([dst, via]) => `route add ${dst} via ${via}`)
  ]
}

export class World {
  readonly span: Span
  /** The pod, unless the kernel plays its part. */
  readonly near: Peer
  readonly pod: EmulatedPeer | null
  readonly kernel: KernelPeer
  readonly ring = new FrameRing()
  readonly recorder: Recorder
  readonly #nic: Nic
  /** In this order. */
  readonly #ends: Array<{ end(): Promise<unknown> }>

  private constructor(
    span: Span, nic: Nic, near: EmulatedPeer | KernelPeer, kernel: KernelPeer,
    wires: ReadonlyArray<KernelWire>, capture: string
  ) {
    this.span = span
    this.near = near
    this.pod = near instanceof EmulatedPeer ? near : null
    this.kernel = kernel
    this.#nic = nic
    this.#ends = [kernel, ...near instanceof KernelPeer ? [near] : [], ...wires]
    this.recorder = new Recorder({ write: (chunk) => appendFileSync(capture, chunk) }, nic.label())
    addTap(nic, this.ring)
    addTap(nic, this.recorder)
  }

  /** `capture` is the file for what is kept of the near card's frames. */
  static async make(capture: string, near: "pod" | "kernel", tag = ""): Promise<World> {
    sweep()
    const plan = { tap: TAP, sysctl: SYSCTL }
    const wire = await KernelWire.open(`kernel${tag}`, {
      ...plan, mac: KERNEL_MAC, setup: setup(KERNEL, NOBODY)
    })
    const span = new Span(7, wire)
    const kernel = new KernelPeer("kernel", wire.name, KERNEL)
    if (near === "pod") {
      const pod = new EmulatedPeer(span, { mac: POD_MAC, ips: POD, routes: DEFAULT })
      return new World(span, pod.nic, pod, kernel, [wire], capture)
    }
    const other = await KernelWire.open(`pod${tag}`, { ...plan, mac: POD_MAC, setup: setup(POD, DEFAULT) })
    const peer = new KernelPeer("near", other.name, POD)
    return new World(span, span.relay(other), peer, kernel, [wire, other], capture)
  }

  /** The sides that the kernel plays. */
  get kernels(): ReadonlyArray<KernelPeer> {
    return this.near instanceof KernelPeer ? [this.kernel, this.near] : [this.kernel]
  }

  /** A tap of the near card more. */
  watch(tap: Tap): void {
    addTap(this.#nic, tap)
  }

  /** What they count, together. */
  async counters(): Promise<Counters> {
    const [first, ...rest] = await Promise.all(this.kernels.map((side) => side.counters()))
    return Object.fromEntries(Object.entries(first!).map(([name, value]) =>
      [name, rest.reduce((sum, other) => sum + (other[name] ?? 0), value)]))
  }

  /** Whatever a case left open is reset. */
  async resetAll(): Promise<void> {
    await this.near.resetAll()
    await this.kernel.resetAll()
  }

  /** MACs of a frame to that side: whose it is from, and whose it is for. */
  macs(to: "near" | "kernel"): readonly [string, string] {
    return to === "near" ? [KERNEL_MAC, POD_MAC] : [POD_MAC, KERNEL_MAC]
  }

  /** Frames, as hex, on the wire to that side. */
  inject(frames: ReadonlyArray<string>, to: "near" | "kernel" = "kernel"): void {
    this.span.pacer.act(() => {
      for (const text of frames) {
        const bytes = Buffer.from(text, "hex")
        const frame = this.span.pool.alloc(bytes.length)!
        frame.bytes.set(bytes, frame.head)
        frame.tail = frame.head + bytes.length
        if (to === "kernel") this.span.forth.send(frame)
        else this.span.back.send(frame)
      }
    })
  }

  /**
   * A host behind the kernel's, which is a router from now on: its ways there and to the pod carry no more
   * than so many octets, though no device says so.
   */
  async behind(there: number, back: number): Promise<KernelPeer> {
    const name = namespaceName("far")
    execFileSync("ip", ["netns", "add", name])
    this.#ends.push({ end: async () => void spawnSync("ip", ["netns", "del", name], { stdio: "ignore" }) })
    const far = new KernelPeer("far", name, FAR)
    this.#ends.unshift(far)
    await far.sysctl(SYSCTL)
    await this.kernel.sysctl({ "net.ipv4.ip_forward": 1, "net.ipv6.conf.all.forwarding": 1 })
    await this.kernel.batch(
      `link add far0 type veth peer name eth0 netns ${name}`, "link set far0 up",
      `addr add ${NEXT[4]}/24 dev far0`, `addr add ${NEXT[6]}/64 dev far0 nodad`,
      `route replace 10.77.1.0/24 dev far0 mtu lock ${there}`,
      `route replace fd77:1::/64 dev far0 metric 256 mtu lock ${there}`,
      `route replace 10.77.0.0/24 dev ${TAP} mtu lock ${back}`,
      `route replace fd77::/64 dev ${TAP} metric 256 mtu lock ${back}`
    )
    await far.batch(
      "link set lo up", "link set eth0 up",
      `addr add ${FAR[4]}/24 dev eth0`, `addr add ${FAR[6]}/64 dev eth0 nodad`,
      `route add default via ${NEXT[4]}`, `route add default via ${NEXT[6]}`
    )
    return far
  }

  async end(): Promise<void> {
    this.span.pacer.stop()
    for (const part of this.#ends) await part.end()
  }
}
