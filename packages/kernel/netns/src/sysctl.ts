/**
 * The namespace's sysctls under their Linux names (Documentation/networking/ip-sysctl.rst): text in and
 * text out over the records of `conf.ts`.
 *
 * `conf/all` and `conf/default` exist from the start; a device has what `default` said when it came.
 * As in Linux, `net.ipv4.ip_forward` is `conf.all.forwarding` by another name and writes through to
 * every device; so does IPv6's. Not supported: sysctls that no code here reads; they answer ENOENT.
 */
import { Errno } from "@podwire/netdev"
import {
  ALL4, ALL6, BOUNDS, CHOICES, CONF4, CONF6, type Conf4, type Conf6, GLOBAL_PATHS, type GlobalKey, type Globals, GLOBALS,
  NEIGH_CONF, NEIGH_CONF6, type NeighConf, PerDevice, replaced
} from "./conf.ts"
import type { LinkTable } from "./link-table.ts"

const INT_MAX = 2_147_483_647
/** Kinds of per-device records and where they live. */
type Kind = "conf4" | "conf6" | "neigh4" | "neigh6"
const FOLDERS: ReadonlyArray<readonly [Kind, string]> = [
  ["conf4", "net/ipv4/conf"], ["conf6", "net/ipv6/conf"], ["neigh4", "net/ipv4/neigh"], ["neigh6", "net/ipv6/neigh"]
]

/** Who acts on what was written (addrconf_disable_ipv6, addrconf_fixup_forwarding). */
export interface SysctlListener {
  disable6Changed(ifindex: number, disabled: boolean): void
  forwarding6Changed(ifindex: number, forwarding: boolean): void
  /** Something that routes or their use depend on. */
  changed(): void
}

interface Place {
  readonly kind: Kind
  readonly device: string
  readonly key: string
}

export class SysctlTable {
  all4: Conf4 = ALL4
  all6: Conf6 = ALL6
  globals: Globals = GLOBALS
  readonly conf4 = new PerDevice<Conf4>(CONF4)
  readonly conf6 = new PerDevice<Conf6>(CONF6)
  readonly neigh4 = new PerDevice<NeighConf>(NEIGH_CONF)
  readonly neigh6 = new PerDevice<NeighConf>(NEIGH_CONF6)
  readonly #links: LinkTable
  readonly #listener: SysctlListener

  constructor(links: LinkTable, listener: SysctlListener) {
    this.#links = links
    this.#listener = listener
  }

  get default4(): Conf4 {
    return this.conf4.default
  }

  get default6(): Conf6 {
    return this.conf6.default
  }

  /** A device has gone: its index is not used again, and its settings go with it. */
  removeDevice(ifindex: number): void {
    this.conf4.forget(ifindex)
    this.conf6.forget(ifindex)
    this.neigh4.forget(ifindex)
    this.neigh6.forget(ifindex)
  }

  get(path: string): string | null {
    const name = normalise(path)
    const place = placeOf(name)
    if (place !== null) {
      const record = this.#record(place)
      if (record === null) return null
      if (place.kind === "conf6" && place.key === "mtu") return String(record["mtu"] || this.#mtu6(place.device))
      return String(record[place.key])
    }
    const keys = GLOBAL_PATHS.get(name)
    return keys === undefined ? null : keys.map((key) => this.globals[key]).join("\t")
  }

  /**
   * ENOENT for a name that does not exist, or one word of a choice that does not; EINVAL for a value that is no
   * number or out of bounds.
   */
  set(path: string, value: string): Errno {
    const name = normalise(path)
    const place = placeOf(name)
    const keys = place === null ? GLOBAL_PATHS.get(name) : [place.key]
    if (keys === undefined || (place !== null && this.#record(place) === null)) return Errno.ENOENT
    const choices = CHOICES.get(keys[0]!)
    if (choices !== undefined) {
      if (!choices.includes(value.trim())) return Errno.ENOENT
      this.globals = replaced(this.globals, keys[0]!, value.trim())
      this.#listener.changed()
      return Errno.OK
    }
    const words = value.trim().split(/\s+/)
    if (words.length !== keys.length || !words.every((word) => /^-?\d+$/.test(word))) return Errno.EINVAL
    const numbers = words.map(Number)
    for (const [i, key] of keys.entries()) {
      const [least, most] = BOUNDS.get(key) ?? [-INT_MAX - 1, INT_MAX]
      if (numbers[i]! < least || numbers[i]! > most) return Errno.EINVAL
      if (key === "tcp_reordering" && numbers[i]! > this.globals.tcp_max_reordering) return Errno.EINVAL
    }
    if (place !== null) {
      if (place.key === "mtu" && numbers[0]! > this.#mtu6(place.device)) return Errno.EINVAL
      this.#write(place, numbers[0]!)
    } else {
      if (numbers.length === 2 && numbers[0]! > numbers[1]! && keys[0] === "port_low") return Errno.EINVAL
      for (const [i, key] of (keys as ReadonlyArray<GlobalKey>).entries()) {
        this.globals = replaced(this.globals, key, numbers[i]!)
      }
    }
    this.#listener.changed()
    return Errno.OK
  }

  /** Every name, sorted, as `sysctl -a` lists them. */
  list(): ReadonlyArray<readonly [string, string]> {
    const names = [...GLOBAL_PATHS.keys(), "net/ipv4/ip_forward"]
    const devices = this.#links.list().map((dev) => dev.name)
    for (const [kind, folder] of FOLDERS) {
      const some = kind === "conf4" || kind === "conf6" ? ["all", "default", ...devices] : ["default", ...devices]
      for (const device of some) {
        for (const key of Object.keys(this[kind].default)) names.push(`${folder}/${device}/${key}`)
      }
    }
    return names.sort((a, b) => (a < b ? -1 : a > b ? 1 : 0))
      .map((name) => [name.replaceAll("/", "."), this.get(name)!] as const)
  }

  /** `all` and `default` begin with the least that IPv6 allows, a device with its own (ipv6_add_dev). */
  #mtu6(device: string): number {
    return this.#links.byName(device)?.mtu ?? 1280
  }

  #record({ kind, device, key }: Place): Record<string, number> | null {
    let record: object | null = null
    if (device === "default") record = this[kind].default
    else if (device === "all") record = kind === "conf4" ? this.all4 : kind === "conf6" ? this.all6 : null
    else {
      const dev = this.#links.byName(device)
      record = dev === null ? null : this[kind].of(dev.ifindex)
    }
    return record !== null && key in record ? record as Record<string, number> : null
  }

  #write({ kind, device, key }: Place, value: number): void {
    const table = this[kind] as PerDevice<object>
    if (device === "default") table.setDefault(replaced(table.default, key, value), this.#links.list())
    else if (device === "all") this.#writeAll(kind, key, value)
    else {
      const { ifindex } = this.#links.byName(device)!
      table.set(ifindex, replaced(table.of(ifindex), key, value))
      this.#tell(kind, ifindex, key, value)
    }
  }

  /** Which writes to `all` reach every device (inet_forward_change, addrconf_forward_change). */
  #writeAll(kind: Kind, key: string, value: number): void {
    if (kind === "conf4") this.all4 = replaced(this.all4, key, value)
    else this.all6 = replaced(this.all6, key, value)
    if (key !== "forwarding" && key !== "disable_ipv6") return
    const table = this[kind] as PerDevice<object>
    const links = this.#links.list()
    // One new record for all that had the same old one.
    const fresh = new Map<object, object>()
    for (const { ifindex } of links) {
      const old = table.of(ifindex)
      const next = fresh.get(old) ?? replaced(old, key, value)
      fresh.set(old, next)
      table.set(ifindex, next)
    }
    table.default = fresh.get(table.default) ?? replaced(table.default, key, value)
    if (kind === "conf4" && key === "forwarding") this.#redirectsFollow(value)
    for (const { ifindex } of links) this.#tell(kind, ifindex, key, value)
  }

  /** A router takes no redirects, a host does (inet_forward_change). */
  #redirectsFollow(forwarding: number): void {
    this.all4 = replaced(this.all4, "accept_redirects", forwarding === 0 ? 1 : 0)
  }

  #tell(kind: Kind, ifindex: number, key: string, value: number): void {
    if (kind !== "conf6") return
    if (key === "disable_ipv6") this.#listener.disable6Changed(ifindex, value !== 0)
    else if (key === "forwarding") this.#listener.forwarding6Changed(ifindex, value !== 0)
  }
}

function placeOf(name: string): Place | null {
  if (name === "net/ipv4/ip_forward") return { kind: "conf4", device: "all", key: "forwarding" }
  if (GLOBAL_PATHS.has(name)) return null
  for (const [kind, folder] of FOLDERS) {
    if (!name.startsWith(`${folder}/`)) continue
    const rest = name.slice(folder.length + 1)
    const slash = rest.lastIndexOf("/")
    return slash < 0 ? null : { kind, device: rest.slice(0, slash), key: rest.slice(slash + 1) }
  }
  return null
}

/** `net.ipv4.conf.eth0.rp_filter` and `net/ipv4/conf/eth0/rp_filter` are one name. */
function normalise(path: string): string {
  const bare = path.replace(/^\/proc\/sys\//, "")
  return bare.includes("/") ? bare : bare.replaceAll(".", "/")
}
