/**
 * Who sees the frames of a device, as AF_PACKET does: on the way in before anything else, on the way
 * out after everything else. A tap reads, and neither keeps nor changes the frame.
 */
import type { NetDevice } from "./device.ts"
import type { Frame } from "./frame.ts"

/** pcapng's epb_flags numbers. */
export const Direction = { In: 1, Out: 2 } as const
export type Direction = (typeof Direction)[keyof typeof Direction]

export interface Tap {
  see(dev: NetDevice, direction: Direction, frame: Frame): void
}

/** Several taps on one device, in the order they came. */
export class Taps implements Tap {
  readonly taps: ReadonlyArray<Tap>

  constructor(taps: ReadonlyArray<Tap>) {
    this.taps = taps
  }

  see(dev: NetDevice, direction: Direction, frame: Frame): void {
    for (let i = 0; i < this.taps.length; i++) this.taps[i]!.see(dev, direction, frame)
  }
}

export function addTap(dev: NetDevice, tap: Tap): void {
  if (dev.tap === null) dev.tap = tap
  else dev.tap = new Taps(dev.tap instanceof Taps ? [...dev.tap.taps, tap] : [dev.tap, tap])
}

export function removeTap(dev: NetDevice, tap: Tap): void {
  if (dev.tap === tap) dev.tap = null
  else if (dev.tap instanceof Taps) {
    const rest = dev.tap.taps.filter((other) => other !== tap)
    dev.tap = rest.length === 1 ? rest[0]! : new Taps(rest)
  }
}
