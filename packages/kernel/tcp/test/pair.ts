/** Two hosts on one link that may be bad, with a tap on each: what the property tests and small stories use. */
import { Engine } from "@podwire/engine"
import {
  addTap, Cable, Direction, dropReasonName, type Frame, FramePool, type LinkSpec, type NetDevice, Nic
} from "@podwire/netdev"
import { Netns } from "@podwire/netns"
import { Tcp } from "@podwire/tcp"
import { parse as cidr } from "@podwire/wire/cidr"
import { Conversations, line } from "@podwire/wire/print"

export class Pair {
  readonly engine: Engine
  readonly pool: FramePool
  readonly a: Netns
  readonly b: Netns
  readonly cable: Cable
  readonly log: Array<string> = []
  /** Lines of what a's card sends and receives. */
  trace = false
  readonly #conversations = new Conversations()

  constructor(seed = 7, spec: Partial<LinkSpec> = {}) {
    this.engine = new Engine(seed)
    this.pool = new FramePool(this.engine)
    this.pool.observer = {
      dropped: (_, reason, dev) => this.log.push(`drop ${dropReasonName(reason)} ${dev?.ns}/${dev?.name}`)
    }
    this.a = new Netns(this.engine, this.pool, "a")
    this.b = new Netns(this.engine, this.pool, "b")
    const cards: Array<Nic> = []
    for (const [i, ns] of [this.a, this.b].entries()) {
      ns.setUp(ns.lo)
      // Nobody asks for routers for ever: with no connection left, no timer is.
      ns.sysctl.set("net.ipv6.conf.default.router_solicitations", "0")
      const nic = new Nic(this.engine, this.pool, "eth0", 0x020000000001 + i)
      ns.attach(nic)
      cards.push(nic)
    }
    const [one, two] = cards as [Nic, Nic]
    this.cable = new Cable(this.engine, this.pool, "a-b", one, two, spec)
    addTap(one, {
      see: (_: NetDevice, direction, frame) => {
        if (this.trace) this.log.push(this.#line(frame, direction))
      }
    })
    for (const [i, ns] of [this.a, this.b].entries()) {
      ns.setUp(cards[i]!)
      ns.addAddress(cards[i]!, cidr(`10.0.0.${i + 1}/24`)!)
      ns.addAddress(cards[i]!, cidr(`fd00::${i + 1}/64`)!, { nodad: true })
    }
  }

  get tcpA(): Tcp {
    return Tcp.of(this.a)
  }

  get tcpB(): Tcp {
    return Tcp.of(this.b)
  }

  run(ns: number): void {
    this.engine.advance(this.engine.nowNs + ns, 1e8)
  }

  #line(frame: Frame, direction: Direction): string {
    const copy = frame.bytes.slice(frame.head, frame.tail)
    return `${(this.engine.nowNs / 1e9).toFixed(6)} ${direction === Direction.Out ? ">" : "<"} ${line(copy, 0, copy.length, { conversations: this.#conversations })}`
  }
}
