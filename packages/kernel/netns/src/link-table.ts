/** The devices of a namespace by index and name. Indexes count up and are not used again, as in Linux. */
import type { NetDevice } from "@podwire/netdev"

/** Fewer devices than this are looked through; a pod has two, a node hundreds. */
const SCAN_MAX = 8

export class LinkTable {
  /** By index. */
  readonly #devices: Array<NetDevice> = []
  #byName: Map<string, NetDevice> | null = null
  #nextIndex = 1
  /** Told when a device has come (captures tap it) and before it goes. */
  onAttach: ((dev: NetDevice) => void) | null = null
  onDetach: ((dev: NetDevice) => void) | null = null

  add(dev: NetDevice): void {
    dev.ifindex = this.#nextIndex++
    this.#devices.push(dev)
    if (this.#byName !== null) this.#byName.set(dev.name, dev)
    else if (this.#devices.length > SCAN_MAX) {
      this.#byName = new Map(this.#devices.map((known) => [known.name, known]))
    }
  }

  remove(dev: NetDevice): void {
    const at = this.#devices.indexOf(dev)
    if (at < 0) return
    this.#devices.splice(at, 1)
    this.#byName?.delete(dev.name)
    dev.ifindex = 0
  }

  byName(name: string): NetDevice | null {
    if (this.#byName !== null) return this.#byName.get(name) ?? null
    for (let i = 0; i < this.#devices.length; i++) {
      if (this.#devices[i]!.name === name) return this.#devices[i]!
    }
    return null
  }

  byIndex(ifindex: number): NetDevice | null {
    for (const dev of this.#devices) if (dev.ifindex === ifindex) return dev
    return null
  }

  /** By index; a copy, so that devices may come and go while it is walked. */
  list(): ReadonlyArray<NetDevice> {
    return this.#devices.slice()
  }
}
