/**
 * What host-local gives, over again and naively: all addresses of a share in a list, a pointer to the last one
 * given, and a set of what is taken. Small shares only: the list is written out.
 * The gateway is the first address; IPv4's last one is broadcast and stays free, IPv6's is an address.
 */
import { broadcast, type Cidr, network } from "@podwire/wire/cidr"
import { compare, family, format, next } from "@podwire/wire/ip"

export class AddressModel {
  readonly #all: ReadonlyArray<string>
  readonly #owners = new Map<string, string>()
  #last = -1

  constructor(share: Cidr) {
    const all: Array<string> = []
    const end = broadcast(share)
    for (let ip = next(network(share), 2); compare(ip, end) <= (family(ip) === 4 ? -1 : 0); ip = next(ip)) all.push(format(ip))
    this.#all = all
  }

  get full(): boolean {
    return this.#owners.size === this.#all.length
  }

  /** Null when nothing is free. */
  add(owner: string): string | null {
    for (let i = 1; i <= this.#all.length; i++) {
      const at = (this.#last + i) % this.#all.length
      const ip = this.#all[at]!
      if (this.#owners.has(ip)) continue
      this.#owners.set(ip, owner)
      this.#last = at
      return ip
    }
    return null
  }

  del(owner: string): void {
    for (const [ip, holder] of this.#owners) if (holder === owner) this.#owners.delete(ip)
  }
}

/** One model for each family of a node; a set that can give nothing takes back what the others gave. */
export class AddressModels {
  readonly #models: ReadonlyArray<AddressModel>

  constructor(shares: ReadonlyArray<Cidr>) {
    this.#models = shares.map((share) => new AddressModel(share))
  }

  add(owner: string): ReadonlyArray<string> | null {
    const got: Array<string> = []
    for (const model of this.#models) {
      const ip = model.add(owner)
      if (ip === null) {
        this.del(owner)
        return null
      }
      got.push(ip)
    }
    return got
  }

  del(owner: string): void {
    for (const model of this.#models) model.del(owner)
  }
}

