/** Frames as lines, as tcpdump would print them, with the interface and the direction in front. */
import type { LoggedFrame } from "@podwire/cluster"
import { line, time } from "@podwire/wire/print"

export function frameText({ atNs, at, direction, bytes, drop }: LoggedFrame): string {
  const end = drop === "" ? "" : ` [${drop}]`
  return `${time(atNs)} ${at} ${direction} ${line(bytes, 0, bytes.length)}${end}`
}

export function framesText(frames: ReadonlyArray<LoggedFrame>): string {
  return frames.map((frame) => `${frameText(frame)}\n`).join("")
}
