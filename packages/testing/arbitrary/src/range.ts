/**
 * Address ranges that do not overlap. The three ranges of a cluster lie side by side in one part of the address
 * space, in any order and without a gap where alignment allows it, because that is where a prefix of the wrong
 * length shows. Shrinks to the narrowest start, and to pods, services, underlay in this order.
 */
import type { Cidr } from "@podwire/wire/cidr"
import type { Ip } from "@podwire/wire/ip"
import fc from "fast-check"

export interface Ranges {
  readonly pods: Cidr
  readonly services: Cidr
  readonly underlay: Cidr
  /** Length of one node's share of `pods`. */
  readonly nodeBits: number
}

/** Room for six nodes and for what `underlayAddress` leaves out. */
const UNDERLAY_BITS_MAX = { 4: 28, 6: 124 } as const
/** Six nodes' shares. */
const SHARES_BITS = 3
const ORDERS = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] as const

/** Where ranges begin: private and shared space, documentation, benchmarks, and space that is public. */
const STARTS4 = [0x0a000000, 0xac100000, 0xc0a80000, 0x64400000, 0xc6120000, 0x01000000, 0x2c000000] as const
const STARTS6 = [[0xfd000010, 0x02440000], [0x20010db8, 0], [0xfdffffff, 0xffff0000], [0x2a000000, 0]] as const

/** `tight`: a node's share has room for one to thirteen pods. */
export const ranges4 = (tight = false): fc.Arbitrary<Ranges> => fc.record({
  start: fc.constantFrom(...STARTS4),
  shareBits: tight
    ? fc.integer({ min: 28, max: 30 })
    : fc.oneof({ withCrossShrink: true }, { weight: 4, arbitrary: fc.integer({ min: 22, max: 26 }) }, { weight: 1, arbitrary: fc.integer({ min: 20, max: 29 }) }),
  sharesBits: fc.integer({ min: SHARES_BITS, max: 8 }),
  serviceBits: fc.integer({ min: 16, max: 28 }),
  underlayBits: fc.integer({ min: 16, max: UNDERLAY_BITS_MAX[4] }),
  order: fc.constantFrom(...ORDERS)
}).map(({ start, shareBits, sharesBits, serviceBits, underlayBits, order }) => {
  const bits = [shareBits - sharesBits, serviceBits, underlayBits]
  const [pods, services, underlay] = place(bits, order, 32, start).map(({ at, bits: length }) => range4(at, length))
  return { pods: pods!, services: services!, underlay: underlay!, nodeBits: shareBits }
})

/** /64 for each node, or ranges that differ in their last 48 bits only: a number holds those exactly. */
export const ranges6 = (tight = false): fc.Arbitrary<Ranges> => fc.record({
  start: fc.constantFrom(...STARTS6),
  wide: tight ? fc.constant(false) : fc.boolean(),
  shareBits: tight ? fc.integer({ min: 124, max: 126 }) : fc.integer({ min: 96, max: 122 }),
  sharesBits: fc.integer({ min: SHARES_BITS, max: 16 }),
  serviceBits: fc.integer({ min: 108, max: 124 }),
  underlayBits: fc.integer({ min: 100, max: UNDERLAY_BITS_MAX[6] }),
  order: fc.constantFrom(...ORDERS)
}).map(({ start, wide, shareBits, sharesBits, serviceBits, underlayBits, order }) => {
  if (wide) {
    // The shape that Kubernetes documents: /64 for each node.
    const [pods, services, underlay] = order.map((position) => [start[0], start[1] + position * 256, 0, 0])
    return {
      pods: range6(pods!, 56), services: range6(services!, serviceBits), underlay: range6(underlay!, 64), nodeBits: 64
    }
  }
  const placed = place([shareBits - sharesBits, serviceBits, underlayBits].map((bits) => bits - 64), order, 64, 0)
  const low = ({ at, bits }: Placed) => range6([start[0], start[1], Math.floor(at / 0x1_0000_0000), at % 0x1_0000_0000], 64 + bits)
  return { pods: low(placed[0]!), services: low(placed[1]!), underlay: low(placed[2]!), nodeBits: shareBits }
})

interface Placed {
  readonly at: number
  readonly bits: number
}

/** One behind the other in `order`, each on its own alignment, in a space of `width` bits. */
function place(bits: ReadonlyArray<number>, order: ReadonlyArray<number>, width: number, start: number): ReadonlyArray<Placed> {
  const placed: Array<Placed> = []
  let cursor = start
  for (const which of order) {
    const size = 2 ** (width - bits[which]!)
    const at = Math.ceil(cursor / size) * size
    placed[which] = { at, bits: bits[which]! }
    cursor = at + size
  }
  return placed
}

function range4(at: number, bits: number): Cidr {
  return { ip: Int32Array.of(at) as Ip, bits }
}

function range6(words: ReadonlyArray<number>, bits: number): Cidr {
  return { ip: Int32Array.from(words) as Ip, bits }
}
