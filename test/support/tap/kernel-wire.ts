/**
 * A network namespace of the real kernel, with a TAP device whose frames come and go here (`wire.py`). The
 * helper ends with its standard input and takes the namespace's name with it, so a killed test leaves
 * nothing.
 */
import { type ChildProcess, execFileSync, spawn, spawnSync } from "node:child_process"
import { accessSync, constants, readdirSync } from "node:fs"
import { fileURLToPath } from "node:url"

const PREFIX = "pw-tcp-"

/** Why there can be no such namespace here, or null. */
export function missing(): string | null {
  if (process.platform !== "linux" || process.getuid?.() !== 0) return "it takes root on Linux"
  try {
    accessSync("/dev/net/tun", constants.R_OK | constants.W_OK)
    execFileSync("python3", ["-c", "import fcntl, socket; socket.TCP_CONGESTION"], { stdio: "pipe" })
    for (const tool of ["ss", "ping"]) execFileSync(tool, ["-V"], { stdio: "pipe" })
    accessSync("/proc/net/if_inet6", constants.R_OK)
    const probe = namespaceName("probe")
    for (const verb of ["add", "del"]) execFileSync("ip", ["netns", verb, probe], { stdio: "pipe" })
    return null
  } catch (error) {
    return `namespaces, ip, ss, python3 or /dev/net/tun or IPv6 are missing: ${String(error).split("\n")[0]}`
  }
}

export function namespaceName(role: string): string {
  return `${PREFIX}${process.pid}-${role}`
}

/** Names that a run left which did not come to its end (its processes are gone). */
export function sweep(): void {
  let names: ReadonlyArray<string> = []
  try {
    names = readdirSync("/run/netns")
  } catch {
    return
  }
  for (const name of names) {
    const pid = name.startsWith(PREFIX) ? Number(name.slice(PREFIX.length).split("-")[0]) : 0
    if (pid > 0 && !lives(pid)) spawnSync("ip", ["netns", "del", name])
  }
}

function lives(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

function here(file: string): string {
  return fileURLToPath(new URL(file, import.meta.url))
}

export interface WirePlan {
  readonly tap: string
  readonly mac: string
  readonly sysctl: Readonly<Record<string, string | number>>
  /** Lines for `ip -batch`, once the TAP is there. */
  readonly setup: ReadonlyArray<string>
}

/** The TAP device of a namespace that is made for it. */
export class KernelWire {
  readonly name: string
  readonly #child: ChildProcess
  onChunk: (chunk: Buffer) => void = () => {}

  private constructor(name: string, child: ChildProcess) {
    this.name = name
    this.#child = child
  }

  static async open(role: string, plan: WirePlan): Promise<KernelWire> {
    const name = namespaceName(role)
    execFileSync("ip", ["netns", "add", name])
    const child = spawn(
      "ip", ["netns", "exec", name, "python3", here("wire.py"), JSON.stringify({ ...plan, namespace: name })],
      { stdio: ["pipe", "pipe", "inherit"] }
    )
    child.stdin!.on("error", () => {})
    const wire = new KernelWire(name, child)
    await new Promise<void>((resolve, reject) => {
      child.once("exit", (code) => reject(new Error(`the wire's end exited with ${code}`)))
      child.stdout!.once("data", (chunk: Buffer) => {
        child.stdout!.on("data", (data: Buffer) => wire.onChunk(data))
        resolve()
        // The kernel may have begun to talk at once.
        if (chunk.length > 2) wire.onChunk(chunk)
      })
    })
    return wire
  }

  write(bytes: Uint8Array): void {
    if (!this.#child.stdin!.destroyed) this.#child.stdin!.write(bytes)
  }

  async end(): Promise<void> {
    await ended(this.#child)
    spawnSync("ip", ["netns", "del", this.name], { stdio: "ignore" })
  }
}

/** It ends when its standard input does; if not, by force. */
export async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exit = new Promise<void>((resolve) => child.once("exit", () => resolve()))
  child.stdin!.end()
  const kill = setTimeout(() => child.kill("SIGKILL"), 2000)
  await exit
  clearTimeout(kill)
}
