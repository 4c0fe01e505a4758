/** The devices of a namespace by index and name. Indexes count up and are not used again, as in Linux. */
import type { NetDevice } from "@podwire/netdev"

export class LinkTable {
  readonly #byName = new Map<string, NetDevice>()
  #nextIndex = 1
  /** Told when a device has come (captures tap it) and before it goes. */
  onAttach: ((dev: NetDevice) => void) | null = null
  onDetach: ((dev: NetDevice) => void) | null = null

  add(dev: NetDevice): void {
    dev.ifindex = this.#nextIndex++
    this.#byName.set(dev.name, dev)
  }

  remove(dev: NetDevice): void {
    this.#byName.delete(dev.name)
    dev.ifindex = 0
  }

  byName(name: string): NetDevice | null {
    return this.#byName.get(name) ?? null
  }

  byIndex(ifindex: number): NetDevice | null {
    for (const dev of this.#byName.values()) if (dev.ifindex === ifindex) return dev
    return null
  }

  /** By index. */
  list(): ReadonlyArray<NetDevice> {
    return [...this.#byName.values()].sort((a, b) => a.ifindex - b.ifindex)
  }
}
