/**
 * MARK: change bits of the frame's mark (xt_mark.c, revision 2). All its forms are --set-xmark when
 * printed.
 */
import { type Action, CONTINUE, type Target, type TargetKind } from "../extension.ts"
import { hex, type Masked } from "../numbers.ts"
import type { Given, OptionSpec } from "../options.ts"
import type { Packet } from "../packet.ts"
import { RuleError } from "../rule-error.ts"

const OPTIONS = ["set-xmark", "set-mark", "and-mark", "or-mark", "xor-mark"] as const

export function markOptions(more: ReadonlyArray<string> = []): Array<OptionSpec> {
  const all = [...OPTIONS, ...more]
  return OPTIONS.map((name, i) => ({ name, excl: all.slice(i + 1) }))
}

/** Clear the bits of `mask`, then flip those of `value`; null: none of the options is there. */
export function parseXmark(given: Given): Masked | null {
  const name = OPTIONS.find((option) => given.has(option))
  if (name === undefined) return null
  const { value, mask } = given.masked(name)!
  switch (name) {
    case "set-xmark": return { value, mask }
    case "set-mark": return { value, mask: (value | mask) >>> 0 }
    case "and-mark": return { value: 0, mask: ~value >>> 0 }
    case "or-mark": return { value, mask: value }
    case "xor-mark": return { value, mask: 0 }
  }
}

export class MarkTarget implements Target, Action {
  readonly kind = kind
  readonly xmark: Masked
  readonly #keep: number
  readonly #flip: number

  constructor(xmark: Masked) {
    this.xmark = xmark
    this.#keep = ~xmark.mask
    this.#flip = xmark.value | 0
  }

  print(): string {
    return ` --set-xmark ${hex(this.xmark.value)}/${hex(this.xmark.mask)}`
  }

  bind(): Action {
    return this
  }

  run({ frame }: Packet): number {
    frame.mark = (frame.mark & this.#keep) ^ this.#flip
    return CONTINUE
  }
}

export const kind: TargetKind = {
  name: "MARK",
  families: [4, 6],
  options: markOptions(),
  parse(given) {
    const xmark = parseXmark(given)
    if (xmark === null) {
      throw new RuleError("MARK: One of the --set-xmark, --{and,or,xor,set}-mark options is required")
    }
    return new MarkTarget(xmark)
  }
}
