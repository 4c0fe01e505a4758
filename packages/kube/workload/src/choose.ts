/**
 * Which program stands in for a container: nothing real is executed. By a well-known image or command
 * first, else the default listener on the ports that the container declares. The reason is a sentence
 * for `run -v`.
 * Not supported: HTTP servers; images that speak HTTP hold their ports.
 */
import { CLIENTS } from "./clients.ts"
import { cat, echo, hostname, no, sleep, Sleep, yes } from "./coreutils.ts"
import { PortListener } from "./listener.ts"
import { ping } from "./ping.ts"
import { Finished, type Host, type ListenPort, type Process, type Program } from "./process.ts"
import { udpEcho } from "./udp-echo.ts"

/** Everything that `exec` finds on the path of any container. */
export const PROGRAMS: ReadonlyArray<Program> = [cat, echo, no, hostname, ping, sleep, yes, udpEcho, ...CLIENTS]

export function findProgram(name: string): Program | null {
  const base = name.slice(name.lastIndexOf("/") + 1)
  const known = base === "ping6" ? "ping" : base
  return PROGRAMS.find((program) => program.name === known) ?? null
}

export interface ContainerLike {
  readonly name: string
  readonly image?: string
  readonly command?: ReadonlyArray<string>
  readonly args?: ReadonlyArray<string>
  readonly ports?: ReadonlyArray<{ readonly containerPort: number; readonly protocol?: string }>
}

export interface Choice {
  readonly why: string
  start(host: Host, identity: string): Process
}

/** Images that only have to be there. */
const IDLE = /(^|\/)(pause|busybox|alpine|ubuntu|debian)(:|@|$)/

/**
 * `override` is the scenario's argv. A pod that is meant to end (`oneShot`: restartPolicy Never or OnFailure)
 * ends at once where a server would idle: nobody knows how long the real program would work.
 */
export function chooseProgram(
  container: ContainerLike, override: ReadonlyArray<string> | null = null, oneShot = false
): Choice {
  const argv = override ?? [...container.command ?? [], ...container.args ?? []]
  const program = argv.length > 0 ? findProgram(argv[0]!) : null
  if (program !== null) {
    const by = override === null ? "" : ", says the scenario"
    return { why: `runs ${argv.join(" ")}${by}`, start: (host) => program.start(host, argv) }
  }
  const image = container.image ?? "(none)"
  const unknown = argv.length > 0
    ? `${argv[0]} is not a program that is modelled`
    : `no program is known for image ${image}`
  const ports = (container.ports ?? []).map((port): ListenPort => ({
    port: port.containerPort,
    protocol: (port.protocol ?? "TCP") as ListenPort["protocol"]
  }))
  if (ports.length > 0) {
    const names = ports.map((port) => `${port.port}/${port.protocol}`).join(", ")
    return {
      why: `${unknown}: listens on ${names}`,
      start: (host, identity) => new PortListener(host, [container.name], ports, identity)
    }
  }
  if (oneShot) {
    return {
      why: `${unknown} and it declares no port: ends at once`,
      start: (host) => new Finished(host, [container.name], 0, "", "")
    }
  }
  const why = IDLE.test(container.image ?? "") && argv.length === 0
    ? `image ${image} without a known command: idles`
    : `${unknown} and it declares no port: idles`
  return { why, start: (host) => new Sleep(host, [container.name], Infinity) }
}
