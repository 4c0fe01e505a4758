/**
 * A line of the shell into words, by the quoting rules of POSIX.1-2024 XCU 2.2: backslash, '…', "…",
 * comments. Nothing is expanded: `$`, `*`, `?`, `~` and `{` stand for themselves. Not supported, and refused:
 * pipes, lists, redirections, subshells and command substitution, unless quoted.
 */

export type Split =
  | { readonly words: ReadonlyArray<string> }
  /** Ends inside a quotation or behind a backslash: the next line belongs to it. */
  | { readonly open: "'" | "\"" | "\\" }
  | { readonly problem: string }

const OPERATORS = "|&;<>()`"
const BLANK = /[ \t\r\n]/

export function splitLine(text: string): Split {
  const words: Array<string> = []
  let word: string | null = null
  for (let at = 0; at < text.length; at++) {
    const char = text[at]!
    if (char === "\\") {
      if (at + 1 === text.length) return { open: "\\" }
      at++
      // Backslash and newline together are nothing (2.2.1).
      if (text[at] !== "\n") word = (word ?? "") + text[at]!
    } else if (char === "'") {
      const end = text.indexOf("'", at + 1)
      if (end < 0) return { open: "'" }
      word = (word ?? "") + text.slice(at + 1, end)
      at = end
    } else if (char === "\"") {
      const quoted = doubleQuoted(text, at + 1)
      if (quoted === null) return { open: "\"" }
      word = (word ?? "") + quoted.text
      at = quoted.end
    } else if (BLANK.test(char)) {
      if (word !== null) words.push(word)
      word = null
    } else if (char === "#" && word === null) {
      const end = text.indexOf("\n", at)
      if (end < 0) break
      at = end
    } else if (OPERATORS.includes(char)) {
      return {
        problem: `syntax error near ${JSON.stringify(char)}: one command a line, no pipes, lists or ` +
          "redirections; quote it if it is meant as it stands"
      }
    } else word = (word ?? "") + char
  }
  if (word !== null) words.push(word)
  return { words }
}

/** Up to the closing quote; a backslash keeps its meaning before $ ` " \ and newline only (2.2.3). */
function doubleQuoted(text: string, from: number): { readonly text: string; readonly end: number } | null {
  let out = ""
  for (let at = from; at < text.length; at++) {
    const char = text[at]!
    if (char === "\"") return { text: out, end: at }
    const next = text[at + 1]
    if (char === "\\" && next !== undefined && "$`\"\\\n".includes(next)) {
      if (next !== "\n") out += next
      at++
    } else out += char
  }
  return null
}
