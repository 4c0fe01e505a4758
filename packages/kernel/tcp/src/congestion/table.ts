/**
 * Congestion control by the names of net.ipv4.tcp_congestion_control and TCP_CONGESTION. A factory is called
 * when the connection becomes established (tcp_init_congestion_control). *Not supported*: bbr, dctcp and
 * other modules.
 */
import type { CongestionName } from "@podwire/netns/conf"
import type { Congestion, CongestionView } from "../congestion.ts"
import { Cubic } from "./cubic.ts"
import { RENO } from "./reno.ts"

export type CongestionFactory = (view: CongestionView) => Congestion

const FACTORIES: Readonly<Record<CongestionName, CongestionFactory>> = {
  cubic: (view) => new Cubic(view),
  reno: () => RENO
}

/** Undefined is ENOENT. */
export function congestionNamed(name: string): CongestionFactory | undefined {
  return Object.hasOwn(FACTORIES, name) ? FACTORIES[name as CongestionName] : undefined
}
