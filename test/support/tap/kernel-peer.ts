/** The kernel's side: programs with real sockets in a namespace (`programs.py`). */
import { type ChildProcess, spawn } from "node:child_process"
import { createInterface } from "node:readline"
import { fileURLToPath } from "node:url"
import { ended } from "./kernel-wire.ts"
import { type Bound, type Family, type Options, type Peer, type Received, Refused } from "./peer.ts"

export type Counters = Readonly<Record<string, number>>

interface Answer {
  readonly id: number
  readonly value?: unknown
  readonly errno?: string
}

export class KernelPeer implements Peer {
  readonly name: string
  readonly ips: Readonly<Record<Family, string>>
  readonly #child: ChildProcess
  readonly #open = new Map<number, (answer: Answer) => void>()
  #last = 0

  constructor(name: string, namespace: string, ips: Readonly<Record<Family, string>>) {
    this.name = name
    this.ips = ips
    const helper = fileURLToPath(new URL("programs.py", import.meta.url))
    const command = ["netns", "exec", namespace, "python3", helper]
    this.#child = spawn("ip", command, { stdio: ["pipe", "pipe", "inherit"] })
    this.#child.stdin!.on("error", () => {})
    createInterface({ input: this.#child.stdout! }).on("line", (line) => {
      const answer = JSON.parse(line) as Answer
      this.#open.get(answer.id)?.(answer)
      this.#open.delete(answer.id)
    })
    this.#child.once("exit", () => {
      for (const [id, answer] of this.#open) answer({ id, errno: "the programs have ended" })
      this.#open.clear()
    })
  }

  listen(family: Family, backlog = 16, options: Options = {}, port = 0): Promise<Bound> {
    return this.#call("listen", { family, ip: this.ips[family], port, backlog, options })
  }

  listenToAll(): Promise<Bound> {
    return this.#call("listen", { family: 6, ip: "::", port: 0 })
  }

  accept(sock: number): Promise<Bound> {
    return this.#call("accept", { sock })
  }

  connect(family: Family, ip: string, to: number, options: Options = {}, port = 0): Promise<Bound> {
    const bind = port === 0 ? {} : { bind: [this.ips[family], port] }
    return this.#call("connect", { family, ip, port: to, options, ...bind })
  }

  send(sock: number, seed: string, octets: number): Promise<void> {
    return this.#call("send", { sock, seed, octets })
  }

  receive(sock: number, octets?: number): Promise<Received> {
    return this.#call("receive", { sock, ...octets === undefined ? {} : { octets } })
  }

  echo(sock: number): Promise<number> {
    return this.#call("echo", { sock })
  }

  shutdown(sock: number, how: "read" | "write" | "both"): Promise<void> {
    return this.#call("shutdown", { sock, how })
  }

  close(sock: number): Promise<void> {
    return this.#call("close", { sock })
  }

  option(sock: number, name: keyof Options, value: number): Promise<void> {
    return this.#call("option", { sock, name, value })
  }

  linger(sock: number, seconds: number): Promise<void> {
    return this.#call("linger", { sock, seconds })
  }

  error(sock: number): Promise<string> {
    return this.#call("error", { sock })
  }

  resetAll(): Promise<void> {
    return this.#call("reset_all")
  }

  /** Port of a UDP socket that sends everything back. */
  async udpEcho(family: Family): Promise<number> {
    return (await this.#call<{ port: number }>("udp_echo", { family, ip: this.ips[family] })).port
  }

  /** What ping(8) says. */
  ping(ip: string, count: number): Promise<string> {
    return this.#call("ping", { ip, count })
  }

  ss(...words: ReadonlyArray<string>): Promise<string> {
    return this.#call("ss", { words })
  }

  /** The values before. */
  sysctl(settings: Readonly<Record<string, string | number>>): Promise<Readonly<Record<string, string>>> {
    return this.#call("sysctl", { settings })
  }

  counters(): Promise<Counters> {
    return this.#call("counters")
  }

  /** Lines for `ip -batch`. */
  batch(...lines: ReadonlyArray<string>): Promise<void> {
    return this.#call("batch", { lines })
  }

  /** Frames as they are, by their hex, out of that device. */
  raw(tap: string, frames: ReadonlyArray<string>): Promise<void> {
    return this.#call("raw", { tap, frames })
  }

  end(): Promise<void> {
    return ended(this.#child)
  }

  #call<T>(op: string, args: Readonly<Record<string, unknown>> = {}): Promise<T> {
    const id = ++this.#last
    this.#child.stdin!.write(`${JSON.stringify({ ...args, id, op })}\n`)
    return new Promise((resolve, reject) => {
      this.#open.set(id, (answer) => {
        if (answer.errno !== undefined) reject(new Refused(`${this.name} ${op}`, answer.errno))
        else resolve(answer.value as T)
      })
    })
  }
}
