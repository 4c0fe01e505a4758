/** Nodes as the API server checks them: taints, and pod ranges of one or two families. */
import { parse, text } from "../quantity.ts"
import type { Node } from "../schema/node.ts"
import { type Field, sortedEntries } from "./field.ts"
import { cidrFamily, NOT_A_CIDR } from "./format.ts"
import { validateTaints } from "./scheduling.ts"

export function validateNode(node: Node, root: Field): void {
  const field = root.child("spec")
  validateTaints(node.spec.taints ?? [], field.child("taints"))
  for (const key of ["capacity", "allocatable"] as const) {
    for (const [name, value] of sortedEntries(node.status?.[key])) {
      if (parse(value) < 0n) {
        root.child("status", key, name).invalid(text(value), "must be greater than or equal to 0")
      }
    }
  }
  const { podCIDR, podCIDRs } = node.spec
  if (podCIDRs === undefined) {
    if (podCIDR !== undefined && podCIDR !== "" && cidrFamily(podCIDR) === null) {
      field.child("podCIDR").invalid(podCIDR, NOT_A_CIDR)
    }
    return
  }
  const at = field.child("podCIDRs")
  for (const [i, cidr] of podCIDRs.entries()) {
    if (cidrFamily(cidr) === null) at.child(i).invalid(cidr, NOT_A_CIDR)
  }
  if (podCIDR !== undefined && podCIDR !== "" && podCIDRs.length > 0 && podCIDR !== podCIDRs[0]) {
    // Conversion to the internal version fails there, before validation.
    field.child("podCIDR").invalid(podCIDR, `must be the first of podCIDRs, ${podCIDRs[0]}`)
  }
  if (podCIDRs.length > 1) {
    const isDual = podCIDRs.length === 2 && cidrFamily(podCIDRs[0]!) !== cidrFamily(podCIDRs[1]!)
    if (!isDual) at.invalid(podCIDRs, "may specify no more than one CIDR for each IP family")
    for (const [i, cidr] of podCIDRs.entries()) {
      if (podCIDRs.indexOf(cidr) < i) at.child(i).duplicate(cidr)
    }
  }
}
