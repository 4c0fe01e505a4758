/**
 * The programs that talk over the network and are no servers of their own: what one debugs a cluster with.
 */
import { curl } from "./curl/curl.ts"
import { iperf, iperf3 } from "./iperf/iperf.ts"
import { nc } from "./nc/nc.ts"
import type { Program } from "./process.ts"
import { wget } from "./wget.ts"

export const CLIENTS: ReadonlyArray<Program> = [curl, iperf, iperf3, nc, { ...nc, name: "netcat" }, wget]
