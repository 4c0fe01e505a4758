/**
 * Plays a script on the Linux that runs, by `referee.py`: real sockets in a namespace that ends with the
 * script, a TAP on which the peer's frames are put and the kernel's are read, real time.
 */
import { type ChildProcess, execFileSync, spawn } from "node:child_process"
import { accessSync, constants } from "node:fs"
import { release } from "node:os"
import { createInterface } from "node:readline"
import { fileURLToPath } from "node:url"
import { unhex } from "@podwire/wire/bytes"
import { icmpFrame, PEER, PEER_PORT, PORT, segmentFrame, STACK } from "./frame.ts"
import { type Happened, TAIL_SECONDS, timestamped, type Tolerance } from "./match.ts"
import type { Script } from "./script.ts"

/** Less than a delayed ACK's 40 ms. */
export const REAL: Tolerance = { seconds: 0.02, ratio: 0.1 }

/** What a fresh Linux has and machines are tuned in: our stack's defaults. */
const STOCK: ReadonlyArray<readonly [string, string]> = [
  ["net.ipv4.tcp_rmem", "4096 131072 6291456"], ["net.ipv4.tcp_wmem", "4096 16384 4194304"]
]

/** Why there is no referee here, or null. */
export function missing(): string | null {
  if (process.platform !== "linux" || process.getuid?.() !== 0) return "it takes root on Linux"
  const [major, minor] = release().split(".").map(Number) as [number, number]
  if (major < 6 || (major === 6 && minor < 5)) return `Linux ${release()} is older than 6.5`
  try {
    accessSync("/dev/net/tun", constants.R_OK | constants.W_OK)
    execFileSync("ip", ["-V"], { stdio: "pipe" })
    const probe = "import ctypes, sys; sys.exit(ctypes.CDLL(None).unshare(0x40000000) != 0)"
    execFileSync("python3", ["-c", probe], { stdio: "pipe" })
    return null
  } catch (error) {
    return `namespaces, ip, python3 or /dev/net/tun are missing: ${String(error).split("\n")[0]}`
  }
}

interface Answer {
  readonly id: number
  readonly happened: ReadonlyArray<readonly [number, "frame" | "caused", string]>
  readonly error: string | null
}

/** One process for many scripts, each in a child with a namespace. */
export class Referee {
  readonly #child: ChildProcess
  readonly #waiting = new Map<number, { resolve(answer: Answer): void; reject(error: Error): void }>()
  #id = 0

  constructor() {
    const helper = fileURLToPath(new URL("referee.py", import.meta.url))
    this.#child = spawn("python3", ["-B", helper], { stdio: ["pipe", "pipe", "inherit"] })
    createInterface({ input: this.#child.stdout! }).on("line", (line) => {
      const answer = JSON.parse(line) as Answer
      this.#waiting.get(answer.id)?.resolve(answer)
      this.#waiting.delete(answer.id)
    })
    this.#child.on("exit", (code) => {
      for (const { reject } of this.#waiting.values()) reject(new Error(`the referee ended with ${code}`))
    })
  }

  async play(script: Script, family: 4 | 6): Promise<ReadonlyArray<Happened>> {
    const id = this.#id++
    this.#child.stdin!.write(`${JSON.stringify({ id, ...job(script, family) })}\n`)
    const answer = await new Promise<Answer>((resolve, reject) => this.#waiting.set(id, { resolve, reject }))
    if (answer.error !== null) throw new Error(answer.error)
    return answer.happened.map(([atSeconds, kind, what]) =>
      kind === "frame" ? { atSeconds, kind, bytes: unhex(what) } : { atSeconds, kind, result: what })
  }

  end(): void {
    this.#child.kill("SIGKILL")
  }
}

function job(script: Script, family: 4 | 6): object {
  const usual = timestamped(script)
  let seen = 0
  const events = script.events.flatMap((event) => {
    if (event.kind === "expect") {
      seen++
      return []
    }
    const common = { t: event.atSeconds, seen }
    if (event.kind === "quiet") return [common]
    if (event.kind === "call") {
      const { name, socket, args } = event.call
      return [{ ...common, call: [name, socket, ...args] }]
    }
    const { flow, atSeconds } = event
    if (event.kind === "icmp") return [{ ...common, frame: icmpFrame(event.icmp, flow, family) }]
    return [{ ...common, frame: segmentFrame(event.segment, flow, family, usual.has(flow), atSeconds) }]
  })
  const end = Math.max(...script.events.map(({ untilSeconds }) => untilSeconds)) + TAIL_SECONDS
  return {
    family, mtu: script.mtu, sysctls: [...STOCK, ...script.sysctls], stack: STACK, peer: PEER,
    peerPort: PEER_PORT, port: PORT, events, seen, end
  }
}
