/**
 * New flows against kube-proxy's chains: load, print and walk N services of three endpoints each. The walk
 * is nat's PREROUTING: KUBE-SERVICES, KUBE-SVC, KUBE-SEP, DNAT. Prints one line per N; `--small` does
 * little and checks itself.
 *
 *   node packages/kernel/netfilter/bench/xtables-services.ts [--small]
 */
import { Frame } from "@podwire/netdev"
import { set16, set32 } from "@podwire/wire/bytes"
import { PREROUTING } from "../src/hook.ts"
import type { Environment } from "../src/xtables/environment.ts"
import { restore } from "../src/xtables/restore.ts"
import { Ruleset } from "../src/xtables/ruleset.ts"
import { Verdict } from "../src/verdict.ts"

const small = process.argv.includes("--small")
const ENDPOINTS = 3
const VIP = 0x0a600000
const POD = 0x0af40000

const dotted = (word: number) => [24, 16, 8, 0].map((shift) => (word >>> shift) & 255).join(".")
const name = (prefix: string, i: number) => `KUBE-${prefix}-${i.toString(36).toUpperCase().padStart(16, "0")}`

function text(services: number): string {
  const chains: Array<string> = []
  const heads: Array<string> = []
  const rules: Array<string> = []
  for (let i = 0; i < services; i++) {
    const svc = name("SVC", i)
    const vip = `-d ${dotted(VIP + i)}/32 -p tcp -m comment --comment "ns/s${i}:http cluster IP" -m tcp --dport 80`
    chains.push(`:${svc} - [0:0]`)
    heads.push(`-A KUBE-SERVICES ${vip} -j ${svc}`)
    rules.push(`-A ${svc} ! -s 10.244.0.0/16 ${vip} -j KUBE-MARK-MASQ`)
    for (let e = 0; e < ENDPOINTS; e++) {
      const sep = name("SEP", i * ENDPOINTS + e)
      const pod = dotted(POD + i * ENDPOINTS + e)
      const chance = ["-m statistic --mode random --probability 0.33333333349 ",
        "-m statistic --mode random --probability 0.50000000000 ", ""][e]!
      chains.push(`:${sep} - [0:0]`)
      rules.push(`-A ${svc} -m comment --comment "ns/s${i}:http -> ${pod}:8080" ${chance}-j ${sep}`)
      rules.push(`-A ${sep} -s ${pod}/32 -m comment --comment "ns/s${i}:http" -j KUBE-MARK-MASQ`)
      rules.push(`-A ${sep} -p tcp -m comment --comment "ns/s${i}:http" -m tcp -j DNAT --to-destination ${pod}:8080`)
    }
  }
  return [
    "*nat", ":KUBE-MARK-MASQ - [0:0]", ":KUBE-NODEPORTS - [0:0]", ":KUBE-SERVICES - [0:0]", ...chains,
    "-A PREROUTING -m comment --comment \"kubernetes service portals\" -j KUBE-SERVICES",
    "-A KUBE-MARK-MASQ -j MARK --set-xmark 0x4000/0x4000", ...heads,
    "-A KUBE-SERVICES -m comment --comment \"kubernetes service nodeports; NOTE: this must be the last rule in this chain\" -m addrtype --dst-type LOCAL -j KUBE-NODEPORTS",
    ...rules, "COMMIT", ""
  ].join("\n")
}

let draw = 1
let translated = 0
const env: Environment = {
  nat: {
    nat: () => {
      translated++
      return Verdict.Accept
    },
    masquerade: () => Verdict.Accept,
    redirect: () => Verdict.Accept
  },
  routing: { addressType: () => 1, reversePath: () => true, mtuBytes: () => 1500 },
  random31() {
    draw = (Math.imul(draw, 0x41c64e6d) + 12345) | 0
    return draw >>> 1
  }
}

function syn(): Frame {
  const frame = new Frame(new ArrayBuffer(256), 0, 256, 0)
  const { bytes, head } = frame
  const l3 = head + 14
  frame.l3 = l3
  frame.tail = l3 + 40
  bytes[l3] = 0x45
  set16(bytes, l3 + 2, 40)
  bytes[l3 + 8] = 64
  bytes[l3 + 9] = 6
  set32(bytes, l3 + 12, POD + 0xff00)
  set16(bytes, l3 + 22, 80)
  bytes[l3 + 32] = 0x50
  return frame
}

const ms = (from: number) => (performance.now() - from).toFixed(0).padStart(6)

function walks(ruleset: Ruleset, services: number, count: number): number {
  const frame = syn()
  const start = performance.now()
  for (let i = 0; i < count; i++) {
    set32(frame.bytes, frame.l3 + 16, VIP + (Math.imul(i, 7919) >>> 0) % services)
    ruleset.evaluate("nat", frame, PREROUTING, null, null)
  }
  return (performance.now() - start) * 1e6 / count
}

function median(values: ReadonlyArray<number>): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1]!
}

console.log("services   rules  load ms  again ms  save ms   ns/walk  linear ns/walk")
for (const services of small ? [1, 50] : [1, 100, 1000, 10_000]) {
  const input = text(services)
  let start = performance.now()
  const ruleset = new Ruleset(4, env)
  const error = restore(ruleset, input)
  if (error !== null) throw new Error(JSON.stringify(error))
  const load = ms(start)
  start = performance.now()
  restore(ruleset, "*nat\n:KUBE-NODEPORTS - [0:0]\n-A KUBE-NODEPORTS -j RETURN\nCOMMIT\n", { noflush: true })
  const again = ms(start)
  start = performance.now()
  const saved = ruleset.save({}, "nat")
  const save = ms(start)
  const linear = new Ruleset(4, env, { dispatch: false })
  restore(linear, input)
  const count = small ? 500 : 200_000
  translated = 0
  walks(ruleset, services, count)
  if (translated !== count) throw new Error(`${translated} of ${count} packets met their service`)
  const indexed = median(Array.from({ length: 5 }, () => walks(ruleset, services, count)))
  const slow = median(Array.from({ length: 3 },
    () => walks(linear, services, Math.ceil(count / Math.max(1, services / 10)))))
  console.log(
    `${String(services).padStart(8)} ${String(saved.split("\n-A").length - 1).padStart(7)} ${load.padStart(8)} ` +
      `${again.padStart(9)} ${save.padStart(8)} ${indexed.toFixed(0).padStart(9)} ${slow.toFixed(0).padStart(15)}`
  )
}
