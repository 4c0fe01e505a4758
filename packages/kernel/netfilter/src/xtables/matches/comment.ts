/** comment: text for people, always true (xt_comment.c). At most 255 octets are kept. */
import type { Match, MatchKind, Test } from "../extension.ts"
import { quote } from "../words.ts"

export class CommentMatch implements Match {
  readonly kind = kind
  readonly text: string

  constructor(text: string) {
    this.text = text
  }

  print(): string {
    return ` --comment ${quote(this.text)}`
  }

  bind(): Test | null {
    return null
  }
}

export const kind: MatchKind = {
  name: "comment",
  families: [4, 6],
  options: [{ name: "comment", mandatory: true }],
  parse: (given) => new CommentMatch(given.text("comment")!)
}
