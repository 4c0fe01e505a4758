/** As many echoes as the program likes, with what the frames of one run say of the next: a thing YAML cannot. */
import { scenario } from "podwire"

export default scenario({ seed: 21 }, function*(lab, expect) {
  const { stdout } = yield* lab.exec("right", ["cat", "/etc/hosts"])
  const address = /^(10\.\S+)\tright$/m.exec(stdout)?.[1] ?? "none"
  expect("the pod has an address of the first node's range", address.startsWith("10.244.0."), address)

  const sizes = [0, 56, 1472]
  for (const size of sizes) {
    const before = lab.frames("default/right/eth0").length
    const ping = yield* lab.exec("left", ["ping", "-c", "1", "-s", String(size), address])
    expect(`an echo of ${size} bytes comes back`, ping.exitCode === 0, ping.stdout)
    const seen = lab.frames("default/right/eth0").slice(before)
    // Not ARP, which may be on the wire as well.
    const lengths = seen.filter(({ bytes }) => bytes[12] === 0x08 && bytes[13] === 0x00).map(({ bytes }) => bytes.length)
    const echoes = lengths.filter((length) => length === 14 + 20 + 8 + size)
    expect(`request and reply stand on the wire with ${42 + size} bytes`, echoes.length === 2, lengths)
  }
  yield* lab.advance("1 second")
  expect("nothing left the node", lab.frames("node1/eth0").every(({ bytes }) => bytes[12] !== 0x08 || bytes[13] !== 0x00))
})
