/** Filter text → words with their places, as libpcap's scanner.l cuts it: the longest match wins. */
export type Kind = "number" | "ip4" | "ip6" | "mac" | "word" | "escaped" | "sign" | "end"

export interface Token {
  readonly kind: Kind
  readonly text: string
  readonly at: number
}

export class FilterError {
  readonly at: number
  readonly what: string

  constructor(at: number, what: string) {
    this.at = at
    this.what = what
  }
}

const SHAPES: ReadonlyArray<readonly [Kind, RegExp]> = [
  ["mac", /(?:[0-9a-fA-F]{1,2}(?:[:.-][0-9a-fA-F]{1,2}){5}|[0-9a-fA-F]{4}(?:\.[0-9a-fA-F]{4}){2}|[0-9a-fA-F]{12})/y],
  ["number", /(?:0[xX][0-9a-fA-F]+|[0-9]+)/y],
  ["ip4", /[0-9]+(?:\.[0-9]+){1,3}/y],
  ["ip6", /(?:[0-9a-fA-F]{0,4}:){2,8}[0-9a-fA-F.]*/y],
  ["word", /[A-Za-z0-9](?:[-_.A-Za-z0-9]*[.A-Za-z0-9])?/y],
  ["escaped", /\\[^ !()\n\t]+/y],
  ["sign", /(?:&&|\|\||<<|>>|>=|<=|!=|==|[-+*\/%:[\]!<>()&|^=])/y]
]

export function lex(text: string): ReadonlyArray<Token> | FilterError {
  const tokens: Array<Token> = []
  for (let at = 0; at < text.length;) {
    if (" \r\n\t".includes(text[at]!)) {
      at++
      continue
    }
    let best: Token | null = null
    for (const [kind, shape] of SHAPES) {
      shape.lastIndex = at
      const found = shape.exec(text)
      if (found !== null && found[0].length > (best?.text.length ?? 0)) best = { kind, text: found[0], at }
    }
    if (best === null) return new FilterError(at, `unexpected character ${JSON.stringify(text[at])}`)
    tokens.push(best)
    at += best.text.length
  }
  tokens.push({ kind: "end", text: "the end", at: text.length })
  return tokens
}

/** As in C: decimal, 0x and octal; null beyond 32 bits. */
export function numberOf(text: string): number | null {
  const octal = /^0[0-7]+$/.test(text)
  if (!octal && !/^(0[xX][0-9a-fA-F]+|0|[1-9]\d*)$/.test(text)) return null
  const value = octal ? parseInt(text, 8) : Number(text)
  return value > 0xffff_ffff ? null : value
}
