/** An address on a device (struct in_ifaddr, inet6_ifaddr). */
import type { NetDevice } from "@podwire/netdev"
import type { Cidr } from "@podwire/wire/cidr"

export type Scope = "global" | "link" | "host"

export interface AddressOptions {
  readonly scope?: Scope
  /** Usable at once, without duplicate address detection. */
  readonly nodad?: boolean
  readonly deprecated?: boolean
  /** Made by the kernel itself (link-local addresses). */
  readonly kernel?: boolean
  /** It brings no route to its subnet (IFA_F_NOPREFIXROUTE). */
  readonly noprefixroute?: boolean
}

export class Address {
  readonly dev: NetDevice
  readonly cidr: Cidr
  readonly scope: Scope
  /** IPv4: another address of the same subnet was there first. */
  secondary = false
  /** IPv6: not yet known to be unique; not used until then. */
  tentative = false
  dadFailed = false
  /** Its solicited-node group has been joined. */
  joined = false
  deprecated: boolean
  /** Asked for without a test; shown by `ip addr`. */
  readonly nodad: boolean
  readonly kernel: boolean
  readonly noprefixroute: boolean

  constructor(dev: NetDevice, cidr: Cidr, scope: Scope, options: AddressOptions) {
    this.dev = dev
    this.cidr = cidr
    this.scope = scope
    this.deprecated = options.deprecated ?? false
    this.nodad = options.nodad ?? false
    this.kernel = options.kernel ?? false
    this.noprefixroute = options.noprefixroute ?? false
  }

  get usable(): boolean {
    return !this.tentative && !this.dadFailed
  }
}
