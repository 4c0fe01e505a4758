/**
 * The targets that there are besides verdicts and jumps, by name; and those that only the real tools know.
 */
import type { Family, TargetKind } from "../extension.ts"
import * as classify from "./classify.ts"
import * as connmark from "./connmark.ts"
import * as ct from "./ct.ts"
import * as log from "./log.ts"
import * as mark from "./mark.ts"
import { dnat, snat } from "./nat.ts"
import * as netmap from "./netmap.ts"
import { masquerade, redirect } from "./own-address.ts"
import * as reject from "./reject.ts"
import * as tcpmss from "./tcpmss.ts"
import { hl, ttl } from "./ttl.ts"

export const TARGETS: ReadonlyArray<TargetKind> = [
  classify.kind, connmark.kind, ct.kind, dnat, hl, log.kind, mark.kind, masquerade, netmap.kind,
  ct.notrack, redirect, reject.kind, snat, tcpmss.kind, ttl
]

const BY_NAME = new Map(TARGETS.map((kind) => [kind.name, kind]))

/** Targets of iptables 1.8.9 that are refused by name: not supported. */
export const UNSUPPORTED: ReadonlySet<string> = new Set([
  "AUDIT", "CHECKSUM", "CLUSTERIP", "CONNSECMARK", "DNPT", "DSCP", "ECN", "HMARK", "IDLETIMER", "LED",
  "NFLOG", "NFQUEUE", "QUEUE", "RATEEST", "SECMARK", "SET", "SNPT", "SYNPROXY", "TCPOPTSTRIP", "TEE", "TOS",
  "TPROXY", "TRACE", "ULOG"
])

export function findTarget(name: string, family: Family): TargetKind | null {
  const kind = BY_NAME.get(name)
  return kind !== undefined && kind.families.includes(family) ? kind : null
}
