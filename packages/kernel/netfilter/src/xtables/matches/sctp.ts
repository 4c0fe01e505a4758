/** sctp: its two ports (xt_sctp.c). Not supported: --chunk-types. */
import * as ipproto from "@podwire/wire/ipproto"
import type { MatchKind } from "../extension.ts"
import { PortMatch } from "./udp.ts"

export const kind: MatchKind = {
  name: "sctp",
  families: [4, 6],
  protocol: ipproto.SCTP,
  options: [
    { name: "sport", invert: true }, { name: "source-port", as: "sport", invert: true },
    { name: "dport", invert: true }, { name: "destination-port", as: "dport", invert: true },
    { name: "chunk-types", unsupported: true }
  ],
  parse: (given) => new PortMatch(kind, 12, given)
}
