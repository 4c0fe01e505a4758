/**
 * What both sides tell each other about themselves: the test's parameters, and at its end each one's counts.
 */
import { flagOf, memberOf, numberOf } from "./control.ts"
import { type IperfOptions, TCP_BLOCK } from "./options.ts"
import type { Run } from "./run.ts"

const BLOCK_MOST = 1_048_576
const STREAMS_MOST = 128

export function parametersOf(options: IperfOptions): object {
  return {
    [options.udp ? "udp" : "tcp"]: true, omit: 0, time: options.seconds, num: options.bytes,
    blockcount: options.blocks, ...options.noDelay ? { nodelay: true } : {}, parallel: options.streams,
    ...options.reverse ? { reverse: true } : {}, len: options.blockSize,
    ...options.rate > 0 ? { bandwidth: options.rate } : {}, pacing_timer: 1000,
    ...options.burst > 0 ? { burst: options.burst } : {}, client_version: "3.12"
  }
}

/** The server's options with the client's wishes in them; null for what is no test. */
export function adopt(own: IperfOptions, value: unknown): IperfOptions | null {
  if (typeof value !== "object" || value === null) return null
  const streams = numberOf(value, "parallel")
  const blockSize = numberOf(value, "len")
  if (streams < 1 || streams > STREAMS_MOST || blockSize < 0 || blockSize > BLOCK_MOST) return null
  return {
    ...own, udp: flagOf(value, "udp"), reverse: flagOf(value, "reverse"), streams,
    blockSize: blockSize === 0 ? TCP_BLOCK : blockSize, rate: numberOf(value, "bandwidth"),
    burst: numberOf(value, "burst"), seconds: numberOf(value, "time"), bytes: numberOf(value, "num"),
    blocks: numberOf(value, "blockcount"), noDelay: flagOf(value, "nodelay")
  }
}

export function resultsOf(run: Run, congestion: string): object {
  const totals = run.totals()
  return {
    cpu_util_total: 0, cpu_util_user: 0, cpu_util_system: 0,
    sender_has_retransmits: run.isSender && !run.options.udp ? 1 : 0,
    ...run.options.udp ? {} : { congestion_used: congestion },
    streams: run.streams.map((stream, i) => ({
      id: streamNumber(i), bytes: stream.bytes, retransmits: stream.isSender ? totals[i]!.retransmits : -1,
      jitter: stream.jitter, errors: stream.errors, packets: stream.packets, start_time: 0,
      end_time: run.seconds
    }))
  }
}

/** Fills in what the peer knows of each stream; its congestion control's name, or nothing. */
export function takeResults(run: Run, value: unknown): string {
  const list = memberOf(value, "streams")
  for (const one of Array.isArray(list) ? list as ReadonlyArray<unknown> : []) {
    const at = run.streams.findIndex((_, i) => streamNumber(i) === numberOf(one, "id"))
    if (at < 0) continue
    run.streams[at]!.peer = {
      bytes: numberOf(one, "bytes"), packets: numberOf(one, "packets"), errors: numberOf(one, "errors"),
      jitter: numberOf(one, "jitter"), retransmits: numberOf(one, "retransmits"),
      endSeconds: numberOf(one, "end_time")
    }
  }
  const congestion = memberOf(value, "congestion_used")
  return typeof congestion === "string" ? congestion : ""
}

/** 1, 3, 4, …: as iperf_add_stream counts. */
function streamNumber(index: number): number {
  return index === 0 ? 1 : index + 2
}
