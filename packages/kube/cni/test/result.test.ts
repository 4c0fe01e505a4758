import type { Result } from "@podwire/cni"
import { resultJson } from "@podwire/cni"
import { Decoder } from "@podwire/cni/decode"
import { print } from "@podwire/cni/json"
import { decodeResult } from "@podwire/cni/result"
import { parse as cidr } from "@podwire/wire/cidr"
import { parse as ip } from "@podwire/wire/ip"
import { expect, it } from "vitest"

const result: Result = {
  interfaces: [
    { name: "cni0", mac: "00:11:22:33:44:55", mtu: 0, sandbox: "" },
    { name: "eth0", mac: "99:88:77:66:55:44", mtu: 1450, sandbox: "/run/netns/a" }
  ],
  ips: [
    { address: cidr("10.1.0.5/16")!, gateway: ip("10.1.0.1")!, interface: 1 },
    { address: cidr("fd00::5/64")!, gateway: null, interface: 1 }
  ],
  routes: [
    { dst: cidr("0.0.0.0/0")!, gw: ip("10.1.0.1")!, mtu: 1400, advmss: 9, priority: 7, table: 3, scope: 0 },
    { dst: cidr("::/0")!, gw: null, mtu: 0, advmss: 0, priority: 0, table: null, scope: null }
  ],
  dns: { nameservers: ["10.1.0.1"], domain: "", search: ["a.b"], options: [] }
}

/** One line, keys in order: what differs between versions is order and presence. */
const line = (version: string, of = result) => print(resultJson(of, version)).replace(/\n\s*/g, "").replaceAll("\": ", "\":")

it("has the form of each version", () => {
  expect(["0.2.0", "0.4.0", "1.0.0", "1.1.0"].map((version) => line(version)).join("\n")).toBe(`\
{"cniVersion":"0.2.0","ip4":{"ip":"10.1.0.5/16","gateway":"10.1.0.1","routes":[{"dst":"0.0.0.0/0","gw":"10.1.0.1"}]},\
"ip6":{"ip":"fd00::5/64","routes":[{"dst":"::/0"}]},"dns":{"nameservers":["10.1.0.1"],"search":["a.b"]}}
{"cniVersion":"0.4.0","interfaces":[{"name":"cni0","mac":"00:11:22:33:44:55"},\
{"name":"eth0","mac":"99:88:77:66:55:44","sandbox":"/run/netns/a"}],\
"ips":[{"version":"4","interface":1,"address":"10.1.0.5/16","gateway":"10.1.0.1"},\
{"version":"6","interface":1,"address":"fd00::5/64"}],\
"routes":[{"dst":"0.0.0.0/0","gw":"10.1.0.1","mtu":1400,"advmss":9,"priority":7,"table":3,"scope":0},{"dst":"::/0"}],\
"dns":{"nameservers":["10.1.0.1"],"search":["a.b"]}}
{"cniVersion":"1.0.0","dns":{"nameservers":["10.1.0.1"],"search":["a.b"]},\
"interfaces":[{"mac":"00:11:22:33:44:55","name":"cni0"},\
{"mac":"99:88:77:66:55:44","mtu":1450,"name":"eth0","sandbox":"/run/netns/a"}],\
"ips":[{"address":"10.1.0.5/16","gateway":"10.1.0.1","interface":1},{"address":"fd00::5/64","interface":1}],\
"routes":[{"advmss":9,"dst":"0.0.0.0/0","gw":"10.1.0.1","mtu":1400,"priority":7,"scope":0,"table":3},{"dst":"::/0"}]}
${line("1.0.0").replace("1.0.0", "1.1.0")}`)
})

it("keeps an empty dns before 1.0.0, and nothing that is empty after", () => {
  const empty: Result = { interfaces: [], ips: [], routes: [], dns: { nameservers: [], domain: "", search: [], options: [] } }
  expect([line("0.3.1", empty), line("1.1.0", empty)]).toEqual(["{\"cniVersion\":\"0.3.1\",\"dns\":{}}", "{\"cniVersion\":\"1.1.0\"}"])
  expect(resultJson(empty, "0.2.0")).toBe("cannot convert: no valid IP addresses")
})

it("comes back from its own JSON", () => {
  for (const version of ["1.0.0", "1.1.0"]) {
    expect(decodeResult(resultJson(result, version), [], new Decoder())).toEqual(result)
  }
  const decoder = new Decoder()
  expect(decodeResult({ ips: [{ address: "10.0.0.1" }, 5], routes: [{}] }, ["prevResult"], decoder)).toBe(undefined)
  expect(decoder.problems.map(({ path, message }) => `${path.join("/")} ${message}`)).toEqual([
    "prevResult/ips/0/address invalid CIDR address: 10.0.0.1",
    "prevResult/ips/1 found a value of type number, expected object",
    "prevResult/routes/0/dst Required value: an address with its prefix length"
  ])
})
