/**
 * Images whose program is known: what their entrypoint runs when the container names no command. A registry
 * in front does not matter, the repository does: bitnami/nginx is another program than nginx.
 */
import { nginx } from "./web-server.ts"
import type { Program } from "./process.ts"

export interface Image {
  /** Without registry, tag and digest: `library/nginx` is `nginx`. */
  readonly repository: string
  readonly tag: string
}

export function parseImage(text: string): Image {
  const [name = ""] = text.split("@")
  const slash = name.lastIndexOf("/")
  const colon = name.indexOf(":", slash + 1)
  const path = (colon < 0 ? name : name.slice(0, colon)).split("/")
  // A first part with a dot or a port, or localhost, is a registry (distribution/reference).
  if (path.length > 1 && /[.:]|^localhost$/.test(path[0]!)) path.shift()
  if (path.length > 1 && path[0] === "library") path.shift()
  return { repository: path.join("/"), tag: colon < 0 ? "" : name.slice(colon + 1) }
}

/**
 * Images, whoever keeps them, that hold tools and run the words of the container, or only have to be there.
 */
const BARE: ReadonlySet<string> = new Set([
  "pause", "busybox", "alpine", "ubuntu", "debian", "netshoot", "jessie-dnsutils"
])

export function isBare({ repository }: Image): boolean {
  return BARE.has(repository.slice(repository.lastIndexOf("/") + 1))
}

/** The words before a container's args. */
const ENTRYPOINTS: ReadonlyMap<string, ReadonlyArray<string>> = new Map([
  ["hashicorp/http-echo", ["http-echo"]],
  ["traefik/whoami", ["whoami"]], ["containous/whoami", ["whoami"]],
  ["curlimages/curl", ["curl"]]
])

/** These run their server when there are no args, else the args. */
const SERVERS: ReadonlyMap<string, string> = new Map([
  ["nginx", "nginx"], ["nginx-slim", "nginx"], ["e2e-test-images/nginx", "nginx"],
  ["httpd", "httpd"], ["e2e-test-images/httpd", "httpd"]
])

/** What the image runs with these args; null when nobody knows. */
export function entrypoint(image: Image, args: ReadonlyArray<string>): ReadonlyArray<string> | null {
  // The tests' own image has lived in many places.
  const words = /(^|\/)agnhost$/.test(image.repository) ? ["agnhost"] : ENTRYPOINTS.get(image.repository)
  if (words !== undefined) return [...words, ...args]
  const server = SERVERS.get(image.repository)
  return server === undefined || args.length > 0 ? null : [server]
}

/** A server whose configuration is mounted over may do anything. */
export function hasOwnConfiguration(mounts: ReadonlyArray<{ readonly mountPath: string }>): boolean {
  return mounts.some(({ mountPath }) =>
    /^\/etc\/nginx(\/|$)|^\/usr\/local\/apache2\/conf(\/|$)/.test(mountPath))
}

/** nginx of the version that its image's tag names. */
export function nginxOf(image: Image): Program {
  return nginx(/^(\d+\.\d+\.\d+)(-|$)/.exec(image.tag)?.[1] ?? null)
}
