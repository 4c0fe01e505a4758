/** hl: the hop limit of IPv6 (xt_hl.c). */
import type { MatchKind } from "../extension.ts"
import { optionsOf, parseTtl } from "./ttl.ts"

export const kind: MatchKind = {
  name: "hl",
  families: [6],
  options: optionsOf("hl"),
  parse: (given) => parseTtl(kind, given)
}
