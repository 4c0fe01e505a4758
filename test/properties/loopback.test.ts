/**
 * What a namespace says to itself is seen on its own `lo` and on no other interface: to 127.0.0.1, to ::1, to an
 * address of its own; as ping and as UDP; in pods and on nodes.
 */
import { situation } from "@podwire/arbitrary"
import { Journeys, marked, numberOf } from "@podwire/checker"
import { type Errno, Errno as Errnos } from "@podwire/netdev"
import { family, format, LOOPBACK4, LOOPBACK6 } from "@podwire/wire/ip"
import fc from "fast-check"
import { expect, it } from "vitest"
import { property } from "../support/property.ts"

const PORT = 4007

it("a namespace's words to itself stay on its lo", () => {
  const input = fc.record({ situation: situation({ podsMax: 20 }) })
  property(input, 40, ({ situation: given }, builder) => {
    const journeys = new Journeys()
    const cluster = builder.build(given, () => [journeys])
    cluster.settle()
    let number = 0
    for (const netns of new Set([...cluster.pods, ...cluster.nodes].map((one) => one.netns))) {
      const own = netns.addresses().filter(({ scope }) => scope === "global").map(({ cidr }) => cidr.ip)
      const server = netns.udp(6)
      expect(server.bind(null, PORT)).toBe(Errnos.OK)
      server.onReceive = (socket, { src, srcPort, dst, payload }) => {
        socket.sendTo(src, srcPort, payload, dst)
      }
      for (const target of [LOOPBACK4, LOOPBACK6, ...own]) {
        const answers: Array<number | null> = []
        const ping = netns.ping(family(target))
        ping.onReply = (_, { payload, isError }) => {
          answers.push(isError ? null : numberOf(payload))
        }
        const client = netns.udp(family(target))
        client.onReceive = (_, { payload }) => {
          answers.push(numberOf(payload))
        }
        const [echo, datagram] = [++number, ++number]
        const errnos: Array<Errno> = [ping.sendTo(target, 1, marked(echo)), client.sendTo(target, PORT, marked(datagram))]
        cluster.engine.advance(cluster.engine.nowNs + 1_000_000, 100_000)
        const what = `${netns.name} to ${format(target)}`
        expect([what, ...errnos]).toEqual([what, Errnos.OK, Errnos.OK])
        expect([what, ...answers]).toEqual([what, echo, datagram])
        for (const which of [echo, datagram]) {
          const sights = journeys.of(which).map(({ at, direction, src, dst }) => `${at} ${direction} ${format(src)} ${format(dst)}`)
          const way = `${format(target)} ${format(target)}`
          const lo = `${netns.name}/lo`
          expect(sights).toEqual([`${lo} out ${way}`, `${lo} in ${way}`, `${lo} out ${way}`, `${lo} in ${way}`])
        }
        ping.close()
        client.close()
      }
      server.close()
    }
  })
})
