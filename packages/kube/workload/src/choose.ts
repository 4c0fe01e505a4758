/**
 * Which program stands in for a container: nothing real is executed. By a well-known image or command
 * first, else the default listener on the ports that the container declares. The reason is a sentence
 * for `run -v`.
 */
import { agnhost, AGNHOST_COMMANDS } from "./agnhost/agnhost.ts"
import { CLIENTS } from "./clients.ts"
import { cat, echo, hostname, no, sleep, Sleep, yes } from "./coreutils.ts"
import { environment, type EnvVar, expand } from "./environment.ts"
import { httpEcho } from "./http-echo.ts"
import { entrypoint, hasOwnConfiguration, isBare, nginxOf, parseImage } from "./images.ts"
import { PortListener } from "./listener.ts"
import { ping } from "./ping.ts"
import { Finished, type Host, type ListenPort, type Process, type Program } from "./process.ts"
import { udpEcho } from "./udp-echo.ts"
import { httpd, nginx } from "./web-server.ts"
import { whoami } from "./whoami.ts"

/** Everything that `exec` finds on the path of any container. */
export const PROGRAMS: ReadonlyArray<Program> = [
  agnhost, cat, echo, no, hostname, httpd, httpEcho, nginx(null), ping, sleep, yes, udpEcho, whoami,
  ...CLIENTS
]

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
  readonly env?: ReadonlyArray<EnvVar>
  readonly volumeMounts?: ReadonlyArray<{ readonly mountPath: string }>
  readonly ports?: ReadonlyArray<{ readonly containerPort: number; readonly protocol?: string }>
}

export interface Choice {
  readonly why: string
  start(host: Host, identity: string): Process
}

/**
 * `override` is the scenario's argv. A pod that is meant to end (`oneShot`: restartPolicy Never or OnFailure)
 * ends at once where a server would idle: nobody knows how long the real program would work.
 */
export function chooseProgram(
  container: ContainerLike, override: ReadonlyArray<string> | null = null, oneShot = false
): Choice {
  const choice = choose(container, override, oneShot)
  const variables = container.env ?? []
  if (variables.length === 0) return choice
  return {
    why: choice.why,
    start: (host, identity) => choice.start({ ...host, env: environment(host.env, variables) }, identity)
  }
}

function choose(container: ContainerLike, override: ReadonlyArray<string> | null, oneShot: boolean): Choice {
  const { command = [], args = [], volumeMounts = [] } = container
  const name = container.image ?? "(none)"
  const image = parseImage(container.image ?? "")
  const given = override ?? [...command, ...args]
  const byImage = override === null && command.length === 0 ? entrypoint(image, args) : null
  const argv = byImage ?? given
  const program = argv.length > 0 ? modelled(argv) : null
  if (program !== null && !(byImage !== null && hasOwnConfiguration(volumeMounts))) {
    const found = program.name === "nginx" ? nginxOf(image) : program
    const by = override !== null ? ", says the scenario" : byImage !== null ? `, as image ${name} does` : ""
    const known = environment(new Map(), container.env ?? [])
    return {
      why: `runs ${argv.map((word) => expand(word, known)).join(" ")}${by}`,
      start: (host) => found.start(host, argv.map((word) => expand(word, host.env)))
    }
  }
  const unknown = program !== null ? `${argv[0]} with a configuration of its own is not modelled`
    : argv.length > 0 ? `${words(argv)} is not a program that is modelled`
    : `no program is known for image ${name}`
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
  const why = isBare(image) && argv.length === 0
    ? `image ${name} without a known command: idles`
    : `${unknown} and it declares no port: idles`
  return { why, start: (host) => new Sleep(host, [container.name], Infinity) }
}

/** A program that is known, and does what it is asked here. */
function modelled(argv: ReadonlyArray<string>): Program | null {
  const program = findProgram(argv[0]!)
  if (program !== agnhost) return program
  const [, subcommand = "pause"] = argv
  return AGNHOST_COMMANDS.includes(subcommand) ? program : null
}

/** Of agnhost the second word says what it is. */
function words(argv: ReadonlyArray<string>): string {
  return findProgram(argv[0]!) === agnhost ? `${argv[0]} ${argv[1]}` : argv[0]!
}
