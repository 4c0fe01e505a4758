/**
 * What `ss -i` and `ss -o` say of one connection (iproute2's ss.c: tcp_stats_print, tcp_timer_print). Zeros are
 * not said. Not supported: what congestion control tells of itself (BBR, DCTCP, Vegas), MD5 keys, Fast Open, ULPs.
 */
import type { TcpInfo, TcpRowTimer } from "@podwire/netns"

interface Style {
  /** -n: rates in bits, not in thousands of them. */
  readonly numeric: boolean
  /** -o: TCP's options too. */
  readonly options: boolean
}

/** TCP_INFINITE_SSTHRESH, as far as ss goes. */
const SSTHRESH_MAX = 0xffff
const REORDERING_USUAL = 3
/** A retransmission timeout that nothing has been measured for is not worth saying. */
const RTO_UNSET = 3_000_000
const UNITS: ReadonlyArray<readonly [number, string]> = [[1e12, "T"], [1e9, "G"], [1e6, "M"], [1e3, "k"]]

export function infoText(info: TcpInfo, { numeric, options }: Style): string {
  const words: Array<string> = []
  const say = (name: string, value: number | undefined) => {
    if (value !== undefined && value !== 0) words.push(`${name}:${general(value)}`)
  }
  const milliseconds = (name: string, microseconds: number | undefined) => say(name, (microseconds ?? 0) / 1000)
  const bits = (name: string, octets: number | undefined) => {
    if (octets !== undefined && octets !== 0) words.push(`${name} ${bandwidth(octets * 8, numeric)}bps`)
  }
  if (options) for (const name of optionNames(info)) words.push(name)
  words.push(info.congestion)
  if (info.wscale) words.push(`wscale:${info.snd_wscale ?? 0},${info.rcv_wscale ?? 0}`)
  if (info.rto !== RTO_UNSET) milliseconds("rto", info.rto)
  say("backoff", info.backoff)
  const { rtt = 0, rttvar = 0, snd_cwnd = 0, snd_mss = 0 } = info
  if (rtt !== 0) words.push(`rtt:${general(rtt / 1000)}/${general(rttvar / 1000)}`)
  milliseconds("ato", info.ato)
  say("mss", snd_mss)
  say("pmtu", info.pmtu)
  say("rcvmss", info.rcv_mss)
  say("advmss", info.advmss)
  say("cwnd", snd_cwnd)
  if ((info.snd_ssthresh ?? SSTHRESH_MAX) < SSTHRESH_MAX) say("ssthresh", info.snd_ssthresh)
  for (const name of COUNTS) say(name, info[name])
  if (rtt !== 0 && snd_mss !== 0 && snd_cwnd !== 0) bits("send", (snd_cwnd * snd_mss * 1e6) / rtt)
  say("lastsnd", info.last_data_sent_ms)
  say("lastrcv", info.last_data_recv_ms)
  say("lastack", info.last_ack_recv_ms)
  bits("pacing_rate", info.pacing_rate)
  bits("delivery_rate", info.delivery_rate)
  say("delivered", info.delivered)
  say("delivered_ce", info.delivered_ce)
  if (info.delivery_rate_app_limited) words.push("app_limited")
  busy(info, words)
  say("unacked", info.unacked)
  const { retrans = 0, total_retrans = 0 } = info
  if (retrans !== 0 || total_retrans !== 0) words.push(`retrans:${retrans}/${total_retrans}`)
  say("lost", info.lost)
  say("sacked", info.sacked)
  say("dsack_dups", info.dsack_dups)
  if (info.reordering !== REORDERING_USUAL) say("reordering", info.reordering)
  say("reord_seen", info.reord_seen)
  milliseconds("rcv_rtt", info.rcv_rtt)
  say("rcv_space", info.rcv_space)
  say("rcv_ssthresh", info.rcv_ssthresh)
  say("notsent", info.notsent_bytes)
  milliseconds("minrtt", info.min_rtt)
  say("rcv_ooopack", info.rcv_ooopack)
  say("snd_wnd", info.snd_wnd)
  return words.map((word) => ` ${word}`).join("")
}

const COUNTS = [
  "bytes_sent", "bytes_retrans", "bytes_acked", "bytes_received", "segs_out", "segs_in", "data_segs_out",
  "data_segs_in"
] as const

function optionNames({ timestamps, sack, ecn }: TcpInfo): ReadonlyArray<string> {
  return [...(timestamps ? ["ts"] : []), ...(sack ? ["sack"] : []), ...(ecn ? ["ecn"] : [])]
}

/** How long it had something to send, and how long it was held back then. */
function busy({ busy_time = 0, rwnd_limited = 0, sndbuf_limited = 0 }: TcpInfo, words: Array<string>): void {
  if (busy_time === 0) return
  const whole = (microseconds: number) => `${Math.trunc(microseconds / 1000)}ms`
  words.push(`busy:${whole(busy_time)}`)
  for (const [name, held] of [["rwnd_limited", rwnd_limited], ["sndbuf_limited", sndbuf_limited]] as const) {
    if (held > 0) words.push(`${name}:${whole(held)}(${((100 * held) / busy_time).toFixed(1)}%)`)
  }
}

export function timerText({ kind, remainingNs, retransmits }: TcpRowTimer): string {
  return ` timer:(${kind},${duration(Math.max(0, Math.trunc(remainingNs / 1e6)))},${retransmits})`
}

/** print_ms_timer: what is long is told roughly. */
function duration(milliseconds: number): string {
  const minutes = Math.trunc(milliseconds / 60_000)
  let seconds = Math.trunc(milliseconds / 1000) % 60
  let rest = milliseconds % 1000
  let text = ""
  if (minutes > 0) {
    rest = 0
    text = `${minutes}min`
    if (minutes > 9) seconds = 0
  }
  if (seconds > 0) {
    if (seconds > 9) rest = 0
    text += `${seconds}${rest > 0 ? "." : "sec"}`
  }
  return rest > 0 ? `${text}${String(rest).padStart(3, "0")}ms` : text
}

function bandwidth(bits: number, numeric: boolean): string {
  if (numeric) return bits.toFixed(0)
  const unit = UNITS.find(([least]) => bits >= least)
  return unit === undefined ? general(bits) : `${general(bits / unit[0], 3)}${unit[1]}`
}

/** printf's %g; whole numbers of counters in full. */
function general(value: number, digits = 6): string {
  if (Number.isInteger(value) && digits === 6) return String(value)
  const [mantissa = "", exponent = "0"] = value.toExponential(digits - 1).split("e")
  const power = Number(exponent)
  if (power >= -4 && power < digits) return String(Number(value.toPrecision(digits)))
  const sign = power < 0 ? "-" : "+"
  return `${String(Number(mantissa))}e${sign}${String(Math.abs(power)).padStart(2, "0")}`
}
