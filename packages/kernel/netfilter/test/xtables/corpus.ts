/**
 * The corpora in `corpus/`: what the real iptables-legacy 1.8.9 on Linux 6.18 printed for one rule, or said
 * when it refused it. Each was restored alone, with two user chains U and U2, into a fresh namespace:
 *
 *     > TABLE COMMAND        < what iptables-save showed      ! what iptables-restore said      W a warning
 */
import { readFileSync } from "node:fs"

export interface Case {
  readonly table: string
  readonly command: string
  readonly saved: ReadonlyArray<string>
  readonly said: ReadonlyArray<string>
}

export function readCorpus(family: 4 | 6): ReadonlyArray<Case> {
  const text = readFileSync(new URL(`./corpus/rules-ipv${family}.txt`, import.meta.url), "utf8")
  return text.split(/^> /m).slice(1).map((one) => {
    const [head, ...lines] = one.split("\n").filter((line) => line !== "")
    const space = head!.indexOf(" ")
    const of = (mark: string) => lines.filter((line) => line.startsWith(mark)).map((line) => line.slice(2))
    return { table: head!.slice(0, space), command: head!.slice(space + 1), saved: of("<"), said: of("!") }
  })
}

export function restoreText({ table, command }: Case): string {
  return `*${table}\n:U - [0:0]\n:U2 - [0:0]\n${command}\nCOMMIT\n`
}
