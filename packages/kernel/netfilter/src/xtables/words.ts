/**
 * A line of `iptables-save` as words, and a word as text again (add_param_to_argv and xtables_save_string
 * in iptables/xshared.c and libxtables/xtables.c). Only double quotes quote, only inside them does a
 * backslash escape, and a quote that is never closed takes the rest of the line, its newline included.
 */


export function split(line: string): Array<string> {
  const words: Array<string> = []
  let word = ""
  let inside = false
  let escaped = false
  for (const char of line) {
    if (inside) {
      if (escaped) {
        word += char
        escaped = false
      } else if (char === "\\") escaped = true
      else if (char !== "\"") word += char
      else {
        // A closing quote ends the word, whatever follows it.
        inside = false
        words.push(word)
        word = ""
      }
    } else if (char === "\"") inside = true
    else if (char !== " " && char !== "\t" && char !== "\n") word += char
    else if (word !== "") {
      words.push(word)
      word = ""
    }
  }
  if (word !== "") words.push(word)
  return words
}

/** As the tool writes strings that somebody chose: bare if of letters, digits, `_` and `-`, else quoted. */
export function quote(text: string): string {
  return /^[\w-]+$/.test(text) ? text : `"${text.replace(/["\\']/g, "\\$&")}"`
}
