/**
 * IPv6 redirects (RFC 4861, section 8; ndisc_send_redirect, rt6_do_redirect): a router that sends a packet
 * back where it came from says who is nearer; a host believes it of the router that it uses.
 */
import { completeWired, DropReason, type Frame, type NetDevice } from "@podwire/netdev"
import { get16, get32, set16, set32 } from "@podwire/wire/bytes"
import * as icmp6 from "@podwire/wire/icmp6"
import { equal, format, type Ip, isLinkLocal, isMulticast, read6, write as writeIp } from "@podwire/wire/ip"
import * as ipv6 from "@podwire/wire/ipv6"
import * as mac from "@podwire/wire/mac"
import * as wire from "@podwire/wire/ndp"
import type { Dst } from "./dst.ts"
import { invalid, writeMacOption } from "./ndp.ts"
import { NudState, Override } from "./neigh.ts"
import type { Netns } from "./netns.ts"

const DESTINATION = 24
const REDIRECT_BYTES = 40
const OPTION_REDIRECTED = 4
/** One each second to one host and about one, after a burst; errors to them count too. */
const EVERY_MS = 1000

export class Redirect6 {
  readonly #ns: Netns

  constructor(ns: Netns) {
    this.#ns = ns
  }

  /** Does not consume: the packet is forwarded all the same. */
  send(dev: NetDevice, frame: Frame, way: Dst): void {
    const { bytes, l3, tail } = frame
    const { icmp6: errors, ip6, ndp, neigh6 } = this.#ns
    const to = read6(bytes, l3 + ipv6.SRC)
    const destination = read6(bytes, l3 + ipv6.DST)
    const target = way.nextHop
    // Limited by destination first, which costs even if nothing is sent then, and by source below.
    if (!errors.limits.allow(format(destination), EVERY_MS)) return
    const source = ip6.linkLocal(dev)
    const back = isLinkLocal(to) ? ip6.routeVia(to, dev) : ip6.route(to)
    if (source === null || back.gatewayed || back.dev !== dev || isMulticast(to)) return
    if (!equal(destination, target) && !isLinkLocal(target)) return
    if (!errors.limits.allow(format(to), EVERY_MS)) return
    const near = neigh6.find(dev, target)
    const known = near !== null && near.valid
    completeWired(frame)
    const room = ipv6.MTU_MIN - ipv6.HEADER_BYTES - REDIRECT_BYTES - (known ? 8 : 0)
    const quoted = Math.min(room, tail - l3 + 8) & ~7
    ndp.send(dev, source, to, null, (out, at) => {
      icmp6.writeHeader(out, at, icmp6.REDIRECT, 0, 0)
      writeIp(out, at + wire.TARGET, target)
      writeIp(out, at + DESTINATION, destination)
      let end = at + REDIRECT_BYTES
      if (known) end += writeMacOption(out, end, wire.OPTION_TARGET_MAC, near.mac)
      out[end] = OPTION_REDIRECTED
      out[end + 1] = quoted >>> 3
      set16(out, end + 2, 0)
      set32(out, end + 4, 0)
      out.set(bytes.subarray(l3, l3 + quoted - 8), end + 8)
      return end + quoted - at
    })
  }

  /** Consumes. */
  receive(dev: NetDevice, frame: Frame): void {
    const { pool } = this.#ns
    const { bytes, l3, l4 } = frame
    const why = invalid(frame, REDIRECT_BYTES)
    if (why !== DropReason.NOT_SPECIFIED) return pool.drop(frame, why, dev)
    const router = read6(bytes, l3 + ipv6.SRC)
    const target = read6(bytes, l4 + wire.TARGET)
    const destination = read6(bytes, l4 + DESTINATION)
    const onLink = equal(target, destination)
    const sound = isLinkLocal(router) && !isMulticast(destination) && (onLink || isLinkLocal(target))
    if (sound && this.#obeys(dev)) this.#obey(dev, frame, router, destination, target, onLink)
    pool.free(frame)
  }

  #obeys(dev: NetDevice): boolean {
    const conf = this.#ns.ip6.conf(dev)
    return conf.forwarding === 0 && conf.accept_redirects !== 0
  }

  #obey(dev: NetDevice, frame: Frame, router: Ip, destination: Ip, target: Ip, onLink: boolean): void {
    const { ip6, neigh6 } = this.#ns
    const way = isLinkLocal(destination) ? ip6.routeVia(destination, dev) : ip6.route(destination)
    if (way.dev !== dev || !way.gatewayed || !equal(way.nextHop, router)) return
    const neigh = neigh6.obtain(dev, target)
    if (neigh === null) return
    const { bytes, l4, tail } = frame
    const option = wire.findOption(bytes, l4 + REDIRECT_BYTES, tail, wire.OPTION_TARGET_MAC)
    if (option >= 0) {
      const address = mac.of(get16(bytes, option + 2), get32(bytes, option + 4))
      neigh6.update(neigh, mac.hi(address), mac.lo(address), NudState.STALE, Override.Yes)
    }
    if (!onLink) neigh.isRouter = true
    ip6.redirect(destination, target)
  }
}
