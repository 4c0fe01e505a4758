import { chooseConfig, decodeNetwork, formatPath, formatProblem, type NetworkConfig } from "@podwire/cni"
import fc from "fast-check"
import { expect, it } from "vitest"

const SOUND = {
  cniVersion: "1.0.0",
  name: "k8s-pod-network",
  plugins: [{
    type: "bridge", bridge: "cni0", isDefaultGateway: true, hairpinMode: true,
    ipam: { type: "host-local", ranges: [[{ subnet: "10.244.1.0/24" }], [{ subnet: "fd00:1::/64" }]] }
  }]
}

/** The sound configuration with one thing set; a path of keys and positions. */
function changed(path: ReadonlyArray<string | number>, value: unknown): unknown {
  const copy = structuredClone(SOUND) as unknown
  let at = copy as Record<string | number, unknown>
  for (const step of path.slice(0, -1)) at = at[step] as Record<string | number, unknown>
  if (value === undefined) delete at[path.at(-1)!]
  else at[path.at(-1)!] = value
  return copy
}

function problems(value: unknown): string {
  const made = decodeNetwork(value)
  return Array.isArray(made) ? made.map(formatProblem).join("\n") : "sound"
}

const P = ["plugins", 0] as const
const R = [...P, "ipam", "ranges", 0, 0] as const

it.each<readonly [ReadonlyArray<string | number>, unknown, string]>([
  [["name"], undefined, "name: missing network name"],
  [["name"], "a b", "name: invalid characters found in network name; a b"],
  [["name"], 5, "name: found a value of type number, expected string\nname: missing network name"],
  [["cniVersion"], "9.9", "cniVersion: incompatible CNI versions; config is \"9.9\", plugin supports [\"0.1.0\" \"0.2.0\" \"0.3.0\" \"0.3.1\" \"0.4.0\" \"1.0.0\" \"1.1.0\"]"],
  [["cniVersion"], "one", "cniVersion: failed to convert major version part \"one\": strconv.Atoi: parsing \"one\": invalid syntax"],
  [["disableCheck"], "perhaps", "disableCheck: invalid value \"perhaps\" for disableCheck"],
  [["disableGC"], 1, "disableGC: found a value of type number, expected boolean"],
  [["plugins"], undefined, "plugins: Required value: the list holds no plugins"],
  [["plugins"], [], "plugins: no plugins in list"],
  [["plugins"], {}, "plugins: found a value of type object, expected array"],
  [[...P], 7, "plugins[0]: found a value of type number, expected object"],
  [[...P, "type"], undefined, "plugins[0].type: missing 'type'"],
  [[...P, "type"], "brigde", "plugins[0].type: failed to find plugin \"brigde\" in path [/opt/cni/bin]"],
  [[...P, "type"], "a/b", "plugins[0].type: invalid plugin name: a/b"],
  [[...P, "mtu"], "1450", "plugins[0].mtu: found a value of type string, expected number"],
  [[...P, "mtu"], 1.5, "plugins[0].mtu: found 1.5, expected a whole number"],
  [[...P, "vlan"], 4095, "plugins[0].vlan: invalid VLAN ID 4095 (must be between 0 and 4094)"],
  [[...P, "vlanTrunk"], [{ id: 0 }, { minID: 9, maxID: 2 }, { minID: 2 }], "plugins[0].vlanTrunk[0].id: incorrect trunk id parameter\nplugins[0].vlanTrunk[1]: minID is greater than maxID in trunk parameter\nplugins[0].vlanTrunk[2]: minID and maxID should be configured simultaneously, maxID is missing"],
  [[...P, "promiscMode"], true, "plugins[0].promiscMode: cannot set hairpin mode and promiscuous mode at the same time"],
  [[...P, "disableContainerInterface"], true, "plugins[0].disableContainerInterface: cannot use IPAM when DisableContainerInterface flag is set"],
  [[...P, "dns"], { nameservers: ["1.1.1.1", 8] }, "plugins[0].dns.nameservers[1]: found a value of type number, expected string"],
  [[...P, "capabilities"], { ips: "yes" }, "plugins[0].capabilities.ips: found a value of type string, expected boolean"],
  [[...P, "ipam", "type"], "dhcp", "plugins[0].ipam.type: IPAM plugin \"dhcp\" is not modelled. Use \"host-local\""],
  [[...P, "ipam", "type"], "mine", "plugins[0].ipam.type: failed to find plugin \"mine\" in path [/opt/cni/bin]"],
  [[...P, "ipam", "ranges"], undefined, "plugins[0].ipam: no IP ranges specified"],
  [[...P, "ipam", "ranges"], [[]], "plugins[0].ipam.ranges[0]: invalid range set 0: empty range set"],
  [[...P, "ipam", "ranges", 1], 5, "plugins[0].ipam.ranges[1]: found no list, expected a range set: a list of ranges"],
  [[...P, "ipam", "subnet"], "10.244.1.0/25", "plugins[0].ipam.ranges[0]: range set 0 overlaps with 1"],
  [[...P, "ipam", "routes"], [{ dst: "default" }], "plugins[0].ipam.routes[0].dst: invalid CIDR address: default"],
  [[...R, "subnet"], "10.244.1.0", "plugins[0].ipam.ranges[0][0].subnet: invalid CIDR address: 10.244.1.0"],
  [[...R, "subnet"], "10.244.1.0/31", "plugins[0].ipam.ranges[0][0].subnet: invalid range set 0: Network 10.244.1.0/31 too small to allocate from"],
  [[...R, "subnet"], "10.244.1.9/24", "plugins[0].ipam.ranges[0][0].subnet: invalid range set 0: Network has host bits set. For a subnet mask of length 24 the network address is 10.244.1.0"],
  [[...R, "gateway"], "10.244.1", "plugins[0].ipam.ranges[0][0].gateway: invalid IP address: 10.244.1"],
  [[...R, "rangeStart"], "10.9.0.1", "plugins[0].ipam.ranges[0][0].rangeStart: invalid range set 0: RangeStart 10.9.0.1 not in network 10.244.1.0/24"],
  [[...R, "rangeEnd"], "fd00::1", "plugins[0].ipam.ranges[0][0].rangeEnd: invalid range set 0: RangeEnd fd00::1 not in network 10.244.1.0/24"],
  [[...P, "ipam", "ranges", 0, 1], { subnet: "fd00::/64" }, "plugins[0].ipam.ranges[0]: invalid range set 0: mixed address families"],
  [[...P, "ipam", "ranges", 0, 1], { subnet: "10.244.1.0/26" }, "plugins[0].ipam.ranges[0]: invalid range set 0: subnets 10.244.1.1-10.244.1.254 and 10.244.1.1-10.244.1.62 overlap"]
])("%j = %j: %s", (path, value, expected) => {
  expect(problems(changed(path, value))).toBe(expected)
})

it("says everything that is wrong, not only the first", () => {
  expect(problems({
    name: "", plugins: [{ type: "bridge", mtu: "x", ipam: { type: "host-local", ranges: [[{ subnet: "a" }, { subnet: "b" }]] } }, { type: "nope" }]
  })).toBe(`\
name: missing network name
plugins[0].mtu: found a value of type string, expected number
plugins[0].ipam.ranges[0][0].subnet: invalid CIDR address: a
plugins[0].ipam.ranges[0][1].subnet: invalid CIDR address: b
plugins[1].type: failed to find plugin "nope" in path [/opt/cni/bin]`)
  expect(problems("text")).toBe("found a value of type string, expected object")
})

function network(value: unknown): NetworkConfig {
  const made = decodeNetwork(value)
  if (Array.isArray(made)) throw new Error(made.map(formatProblem).join("\n"))
  return made as NetworkConfig
}

it("lists what it accepts and does not carry out, and keys that nobody reads", () => {
  const { notModelled } = network({
    ...SOUND, futureKey: 1, plugins: [
      { ...SOUND.plugins[0], ipMasq: true, vlan: 5, macspoofchk: true, isGatway: true, ipam: { ...SOUND.plugins[0]!.ipam, gatway: "x", ranges: [[{ subnet: "10.0.0.0/24", start: 1 }]] } },
      { type: "portmap", capabilities: { portMappings: true } },
      { type: "bandwidth" }, { type: "firewall" }, { type: "tuning" }, { type: "sbr" }, { type: "vrf" }
    ]
  })
  expect(notModelled.map(({ path, what, reason }) => `${formatPath(path)} [${what}]: ${reason}`).join("\n")).toBe(`\
futureKey [futureKey]: no key of a network configuration is called that
plugins[0].ipMasq [ipMasq]: pods reach the outside with their own addresses; nothing is masqueraded
plugins[0].vlan [vlan]: the bridge does not filter VLANs
plugins[0].macspoofchk [macspoofchk]: there is no bridge family of nftables
plugins[0].isGatway [isGatway]: the bridge plugin does not read it
plugins[0].ipam.gatway [gatway]: the host-local plugin does not read it
plugins[0].ipam.ranges[0][0].start [start]: the host-local plugin does not read it
plugins[1].type [portmap]: hostPort is not forwarded
plugins[2].type [bandwidth]: traffic is not shaped
plugins[3].type [firewall]: no rules of its own are written
plugins[4].type [tuning]: sysctls, MAC and MTU stay as the plugin before it left them
plugins[5].type [sbr]: there are no routing rules by source
plugins[6].type [vrf]: there are no VRF devices`)
})

it("reads a single plugin's .conf, the words true and false, and the highest version it knows", () => {
  const single = network({ cniVersion: "0.4.0", name: "one", ...SOUND.plugins[0] })
  expect([single.name, single.cniVersion, single.plugins.map(({ type }) => type), single.notModelled])
    .toEqual(["one", "0.4.0", ["bridge"], []])
  const flags = network({ ...SOUND, disableCheck: "TRUE", disableGC: true, loadOnlyInlinedPlugins: "false" })
  expect([flags.disableCheck, flags.disableGC, flags.loadOnlyInlinedPlugins]).toEqual([true, true, false])
  const versions = (cniVersion: string | undefined, ...cniVersions: ReadonlyArray<string>) =>
    network({ ...SOUND, cniVersion, ...(cniVersions.length > 0 ? { cniVersions } : {}) }).cniVersion
  expect([versions("0.4.0"), versions(undefined), versions("0.4.0", "1.1.0", "1.0.0"), versions("1.0.0", "0.3.1", "2.0.0")])
    .toEqual(["0.4.0", "0.1.0", "1.1.0", "1.0.0"])
})

it("takes the first file of the folder, broken or not", () => {
  const file = (name: string, value: object | string) => ({ name, text: typeof value === "string" ? value : JSON.stringify(value) })
  const chosen = (...files: ReadonlyArray<ReturnType<typeof file>>) => {
    const made = chooseConfig(files)
    if (made === null) return "none"
    const { file: name, network: of } = made
    return `${name}: ${Array.isArray(of) ? of.map(formatProblem).join("; ") : (of as NetworkConfig).name}`
  }
  expect([
    chosen(file("20-b.conflist", SOUND), file("10-a.conf", { ...SOUND.plugins[0], name: "a" }), file("00.txt", "x")),
    chosen(file("20-b.conflist", SOUND), file("10-a.conflist", "{\"name\": }")),
    chosen(file("99-c.json", { name: "c" })), chosen(file("README", "x"))
  ]).toEqual([
    "10-a.conf: a",
    "10-a.conflist: error parsing configuration list: invalid character '}' looking for beginning of value",
    "99-c.json: plugins: Required value: the list holds no plugins",
    "none"
  ])
})

it("whatever the value, it answers and never throws", () => {
  const key = fc.constantFrom("name", "cniVersion", "plugins", "type", "ipam", "ranges", "subnet", "mtu", "dns", "capabilities", "routes", "dst")
  const value = fc.letrec((tie) => ({
    any: fc.oneof({ maxDepth: 5 }, fc.constantFrom<unknown>(null, 1, true, "bridge", "host-local", "10.0.0.0/8", "1.0.0", ""),
      fc.array(tie("any"), { maxLength: 3 }), fc.dictionary(key, tie("any"), { maxKeys: 5 }))
  })).any
  fc.assert(fc.property(value, (some) => {
    const made = decodeNetwork(some)
    expect(Array.isArray(made) ? made.length > 0 : (made as NetworkConfig).plugins.length > 0).toBe(true)
  }), { seed: 5, numRuns: 1000 })
})
