import * as ip from "@podwire/wire/ip"
import * as ipv4 from "@podwire/wire/ipv4"
import * as options from "@podwire/wire/ipv4-options"
import { expect, it } from "vitest"

const { Fault } = options
const A = ip.parse("10.0.0.1")![0]!
const B = ip.parse("10.0.0.2")![0]!

function header(...list: ReadonlyArray<number>): Uint8Array {
  const bytes = new Uint8Array(60)
  const padded = (list.length + 3) & ~3
  ipv4.writeHeader(bytes, 0, 0, 20 + padded, 1, 0, 64, 17, A, B)
  bytes[0] = 0x40 | ((20 + padded) >> 2)
  bytes.set(list, 20)
  ipv4.updateChecksum(bytes, 0)
  return bytes
}

it.each([
  ["record route", [7, 7, 4, 0, 0, 0, 0], Fault.None, 0],
  ["full record route", [7, 7, 8, 1, 2, 3, 4], Fault.None, 0],
  ["router alert", [148, 4, 0, 0], Fault.None, 0],
  ["unknown option", [200, 4, 1, 2], Fault.None, 0],
  ["length of one", [7, 1], Fault.Length, 20],
  ["over the header", [1, 7, 11, 4], Fault.Length, 21],
  ["route without pointer", [131, 2], Fault.Length, 21],
  ["pointer before the first slot", [131, 7, 3, 0, 0, 0, 0], Fault.Pointer, 22],
  ["pointer between slots", [7, 7, 6, 0, 0, 0, 0], Fault.Pointer, 22],
  ["the same in a source route", [137, 7, 6, 0, 0, 0, 0], Fault.None, 0],
  ["two record routes", [7, 3, 4, 7, 3, 4], Fault.Repeated, 23],
  ["two source routes", [131, 3, 4, 137, 3, 4], Fault.Repeated, 23],
  ["short router alert", [148, 3, 0], Fault.Length, 21],
  ["timestamp of unknown kind", [68, 8, 5, 2, 0, 0, 0, 0], Fault.None, 0],
  ["timestamp with all its overflow", [68, 4, 5, 0xf0], Fault.Overflow, 23],
  ["the same, prespecified", [68, 4, 5, 0xf3], Fault.None, 0],
  ["timestamp without room for an address", [68, 8, 5, 1, 0, 0, 0, 0], Fault.Pointer, 22]
])("%s", (_name, list, fault, pointer) => {
  const verdict = new options.Verdict()
  expect(options.check(header(...list), 0, verdict)).toBe(fault)
  expect(verdict).toMatchObject({ fault, pointer })
})

it("routers record themselves until the route is full, and the header still adds up", () => {
  const bytes = header(7, 11, 4, 0, 0, 0, 0, 0, 0, 0, 0)
  const at = ipv4.findOption(bytes, 0, ipv4.Option.RecordRoute)
  expect([options.record(bytes, at, A), options.record(bytes, at, B), options.record(bytes, at, A)]).toEqual([true, true, false])
  expect([options.routeUsed(bytes, at), options.isFull(bytes, at)]).toEqual([2, true])
  expect([options.routeAddress(bytes, at, 0), options.routeAddress(bytes, at, 1)]).toEqual([A, B])
  ipv4.updateChecksum(bytes, 0)
  expect(ipv4.check(bytes, 0, 60)).toBe(ipv4.Fault.None)
})

it("a source route says where to go next until it is used up", () => {
  const bytes = header(131, 11, 4, 10, 0, 0, 1, 10, 0, 0, 2)
  const at = ipv4.findOption(bytes, 0, ipv4.Option.LooseSourceRoute)
  expect(options.nextHop(bytes, at)).toBe(A)
  options.record(bytes, at, 0)
  expect(options.nextHop(bytes, at)).toBe(B)
  options.record(bytes, at, 0)
  expect(options.isFull(bytes, at)).toBe(true)
})

it("timestamps: own slot, somebody else's, and what overflows", () => {
  const only = header(68, 8, 5, 0, 0, 0, 0, 0)
  expect([options.stamp(only, 20, A, 0x01020304), [...only.subarray(20, 28)]]).toEqual([true, [68, 8, 9, 0, 1, 2, 3, 4]])
  expect([options.stamp(only, 20, A, 9), only[23]]).toEqual([true, 0x10])
  only[23] = 0xf0
  expect([options.stamp(only, 20, A, 9), only[23]]).toEqual([false, 0xf0])
  const named = header(68, 12, 5, 3, 10, 0, 0, 2, 0, 0, 0, 0)
  expect(options.stamp(named, 20, A, 7)).toBe(false)
  expect([options.stamp(named, 20, B, 7), [...named.subarray(20, 32)]]).toEqual([true, [68, 12, 13, 3, 10, 0, 0, 2, 0, 0, 0, 7]])
})
