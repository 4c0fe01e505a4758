/**
 * One line of a restore as a command: `-A CHAIN …` and its kin (iptables.c, do_command4; xshared.c,
 * do_parse). Options may be written by any unambiguous beginning of their long name; those of a match or
 * target become known once it is named, the newest first; a protocol brings its own match along when an
 * option asks for it.
 *
 * Not supported: -L, -S, -C's exit code alone, listing flags, and short options with their word attached
 * (`-s1.2.3.4`).
 */
import { parseNetwork } from "./addresses.ts"
import type { Family, Match, MatchKind, Target, TargetKind } from "./extension.ts"
import { checkName } from "./interfaces.ts"
import { findMatch, UNSUPPORTED as UNSUPPORTED_MATCHES } from "./matches/index.ts"
import { parse as parseNumber } from "./numbers.ts"
import { Given, type OptionSpec } from "./options.ts"
import * as protocols from "./protocols.ts"
import type { DeviceCondition, NetworkCondition, Rule } from "./rule.ts"
import { RuleError } from "./rule-error.ts"
import { findTarget, UNSUPPORTED as UNSUPPORTED_TARGETS } from "./targets/index.ts"

export type Verb = "A" | "I" | "D" | "R" | "C" | "N" | "X" | "F" | "Z" | "P" | "E"

export interface Command {
  readonly verb: Verb
  /** Null: all chains (-F, -X, -Z). */
  readonly chain: string | null
  /** From 1; 0: not given. */
  readonly number: number
  /** -P's policy, -E's new name. */
  readonly word: string
  /** One for each pair of addresses. */
  readonly rules: ReadonlyArray<Rule>
  readonly counters: Counters | null
}

export interface Counters {
  readonly packets: number
  readonly bytes: number
}

const VERBS: Readonly<Record<string, Verb>> = {
  "append": "A", "insert": "I", "delete": "D", "replace": "R", "check": "C", "new-chain": "N",
  "delete-chain": "X",
  "flush": "F", "zero": "Z", "policy": "P", "rename-chain": "E"
}
const LONG: Readonly<Record<string, string>> = {
  ...VERBS,
  "protocol": "p", "proto": "p", "source": "s", "src": "s", "destination": "d", "dst": "d", "jump": "j",
  "goto": "g",
  "in-interface": "i", "out-interface": "o", "match": "m", "fragments": "f", "set-counters": "c", "ipv4": "4",
  "ipv6": "6"
}
const LETTERS = "AIDRCNXFZPEpsdjgiomfc46"
const CHAIN_MAX = 28

interface Loaded<K> {
  readonly kind: K
  readonly given: Given
}

/** Null: a line of the other family (-4, -6), which is no business of this one. */
export function parseCommand(
  words: ReadonlyArray<string>, family: Family, table: string, isChain: (name: string) => boolean
): Command | null {
  return new Parser(words, family, table, isChain).run()
}

interface Addresses {
  readonly word: string
  readonly inverted: boolean
}

class Parser {
  readonly #words: ReadonlyArray<string>
  readonly #family: Family
  readonly #table: string
  readonly #isChain: (name: string) => boolean
  #at = 0
  #inverted = false
  #verb: Verb | null = null
  #chain: string | null = null
  #number = 0
  #word = ""
  #seen = new Set<string>()
  /** Read when all else is. */
  #addresses: { s: Addresses | null; d: Addresses | null } = { s: null, d: null }
  #devices: { i: DeviceCondition | null; o: DeviceCondition | null } = { i: null, o: null }
  #protocol = 0
  #notProtocol = false
  #protocolLoaded = false
  #fragments: boolean | null = null
  #matches: Array<Loaded<MatchKind>> = []
  #target: Loaded<TargetKind> | null = null
  /** Newest first. */
  #loaded: Array<Loaded<MatchKind | TargetKind>> = []
  #jump = ""
  #goto = false
  #counters: Counters | null = null

  constructor(
    words: ReadonlyArray<string>, family: Family, table: string, isChain: (name: string) => boolean
  ) {
    this.#words = words
    this.#family = family
    this.#table = table
    this.#isChain = isChain
  }

  run(): Command | null {
    while (this.#at < this.#words.length) {
      const word = this.#words[this.#at++]!
      if (word === "!") {
        if (this.#inverted) throw new RuleError("multiple consecutive ! not allowed")
        this.#inverted = true
        continue
      }
      if (!word.startsWith("-") || word === "-") throw new RuleError(`Bad argument \`${word}'`)
      const letter = this.#letter(word)
      if (letter === null) this.#extensionOption(word)
      else if ((letter === "4" && this.#family === 6) || (letter === "6" && this.#family === 4)) return null
      else this.#option(letter)
      this.#inverted = false
    }
    if (this.#inverted) throw new RuleError("nothing appropriate following !")
    return this.#finish()
  }

  /** A core option's letter. A long name may be shortened where no extension has a longer match. */
  #letter(word: string): string | null {
    if (!word.startsWith("--")) {
      if (word.length === 2 && LETTERS.includes(word[1]!)) return word[1]!
      if (word === "-t") throw new RuleError("The -t option cannot be used in iptables-restore.")
      throw new RuleError(`unknown option "${word}"`)
    }
    const name = word.slice(2)
    return LONG[name] ?? null
  }

  #next(option: string): string {
    const word = this.#words[this.#at++]
    if (word === undefined) throw new RuleError(`option "${option}" requires an argument`)
    return word
  }

  #option(letter: string): void {
    if (VERBS_BY_LETTER.has(letter)) this.#takeVerb(letter as Verb)
    else if (letter === "m") this.#takeMatch()
    else if (letter !== "4" && letter !== "6") this.#takeSelector(letter)
  }

  #takeVerb(verb: Verb): void {
    if (this.#inverted) throw new RuleError("unexpected '!' flag")
    if (this.#verb !== null) throw new RuleError(`Cannot use -${verb} with -${this.#verb}`)
    this.#verb = verb
    const optional = verb === "F" || verb === "X" || verb === "Z"
    if (optional && !this.#wordFollows()) return
    const chain = this.#next(`-${verb}`)
    if (verb === "N") checkChainName(chain, this.#family)
    if (chain.length > CHAIN_MAX) {
      throw new RuleError(`chain name \`${chain}' too long (must be under ${CHAIN_MAX + 1} chars)`)
    }
    this.#chain = chain
    if (verb === "I" || verb === "D" || verb === "R" || verb === "Z") {
      if (this.#wordFollows()) this.#number = ruleNumber(this.#next(`-${verb}`))
      else if (verb === "R") throw new RuleError("-R requires a rule number")
    }
    if (verb === "P" || verb === "E") {
      const what = verb === "P" ? "policy" : "new-chain-name"
      if (!this.#wordFollows()) throw new RuleError(`-${verb} requires a chain and a ${what}`)
      this.#word = this.#next(`-${verb}`)
      if (verb === "E") checkChainName(this.#word, this.#family)
    }
  }

  #wordFollows(): boolean {
    const next = this.#words[this.#at]
    return next !== undefined && !next.startsWith("-") && !next.startsWith("!")
  }

  #once(letter: string): void {
    if (this.#seen.has(letter)) throw new RuleError(`multiple -${letter} flags not allowed`)
    this.#seen.add(letter)
  }

  #takeSelector(letter: string): void {
    const key = letter === "g" ? "j" : letter
    this.#once(key)
    if (this.#inverted && !"psdiof".includes(letter)) throw new RuleError(`cannot have ! before -${letter}`)
    if (letter === "f") {
      if (this.#family === 6) throw new RuleError("`-f' is not supported in IPv6, use -m frag instead")
      this.#fragments = !this.#inverted
      return
    }
    const word = this.#next(`-${letter}`)
    switch (letter) {
      case "p":
        this.#protocol = protocols.parse(word, this.#family)
        this.#notProtocol = this.#inverted
        if (this.#protocol === 0 && this.#inverted) throw new RuleError("rule would never match protocol")
        break
      case "s":
      case "d":
        this.#addresses[letter] = { word, inverted: this.#inverted }
        break
      case "i":
      case "o":
        checkName(word)
        this.#devices[letter] = { name: word, inverted: this.#inverted }
        break
      case "j":
      case "g":
        this.#takeJump(word, letter === "g")
        break
      case "c": {
        const packets = parseNumber(word, 0, Infinity)
        const bytes = parseNumber(this.#next("-c"), 0, Infinity)
        if (packets === null || bytes === null) throw new RuleError("-c packet counter not numeric")
        this.#counters = { packets, bytes }
      }
    }
  }

  #takeJump(name: string, isGoto: boolean): void {
    if (name === "") throw new RuleError("Invalid target name (too short)")
    if (name.length > CHAIN_MAX) {
      throw new RuleError(`Invalid target name \`${name}' (${CHAIN_MAX} chars max)`)
    }
    this.#jump = name
    this.#goto = isGoto
    if (isGoto && !this.#isChain(name)) throw new RuleError(`goto '${name}' is not a chain`)
    if (isGoto || STANDARD.has(name) || this.#isChain(name)) return
    const kind = findTarget(name, this.#family)
    if (kind === null && UNSUPPORTED_TARGETS.has(name)) {
      throw new RuleError(`target \`${name}' is not supported here`)
    }
    // The tool complains of a target that is not there after all else.
    if (kind === null) return
    this.#target = { kind, given: new Given(kind) }
    this.#loaded.unshift(this.#target)
  }

  #takeMatch(): void {
    if (this.#inverted) throw new RuleError("unexpected ! flag before --match")
    const name = this.#next("-m")
    this.#load(name)
  }

  #load(name: string): void {
    const kind = findMatch(name, this.#family)
    if (kind === null) {
      throw new RuleError(
        UNSUPPORTED_MATCHES.has(name)
          ? `match \`${name}' is not supported here`
          : `Couldn't load match \`${name}':No such file or directory`
      )
    }
    const loaded = { kind, given: new Given(kind) }
    this.#matches.push(loaded)
    this.#loaded.unshift(loaded)
  }

  #extensionOption(word: string): void {
    const equals = word.indexOf("=")
    const name = word.slice(2, equals < 0 ? undefined : equals)
    const hit = this.#find(name) ?? this.#findWithProtocol(name)
    if (hit === null) {
      const letter = coreByPrefix(name)
      if (letter === null) throw new RuleError(`unknown option "${word}"`)
      this.#option(letter)
      return
    }
    const [{ given }, spec] = hit
    const words: Array<string> = []
    if (equals >= 0) words.push(word.slice(equals + 1))
    else if (spec.flag !== true) words.push(this.#next(word))
    if (spec.words === 2) {
      const second = this.#words[this.#at]
      if (second === undefined || second.startsWith("-") || second.startsWith("!")) {
        throw new RuleError(`--${spec.name} requires two args.`)
      }
      words.push(second)
      this.#at++
    }
    given.add(spec, words, this.#inverted)
  }

  /** Of what is loaded: by its whole name, else by an unambiguous beginning. */
  #find(name: string): readonly [Loaded<MatchKind | TargetKind>, OptionSpec] | null {
    const partial: Array<readonly [Loaded<MatchKind | TargetKind>, OptionSpec]> = []
    for (const loaded of this.#loaded) {
      for (const spec of loaded.kind.options) {
        if (spec.name === name) return [loaded, spec]
        if (name !== "" && spec.name.startsWith(name)) partial.push([loaded, spec])
      }
    }
    return partial.length === 1 && coreByPrefix(name) === null ? partial[0]! : null
  }

  #findWithProtocol(name: string): readonly [Loaded<MatchKind | TargetKind>, OptionSpec] | null {
    const match = this.#protocol === 0 ? null : protocols.matchName(this.#protocol)
    if (match === null || this.#protocolLoaded) return null
    const kind = findMatch(match, this.#family)
    if (kind === null) return null
    this.#protocolLoaded = true
    this.#load(match)
    return this.#find(name)
  }

  #finish(): Command {
    const verb = this.#verb
    if (verb === null) throw new RuleError("no command specified")
    const chain = this.#chain
    const done = { verb, chain, number: this.#number, word: this.#word, counters: this.#counters }
    const byRule = verb === "A" || verb === "I" || verb === "R" || verb === "C" ||
      (verb === "D" && this.#number === 0)
    if (!byRule) {
      for (const letter of this.#seen) {
        if (letter !== "c") throw new RuleError(`Illegal option \`-${letter}' with this command`)
      }
      return { ...done, rules: [] }
    }
    if (this.#devices.i !== null && (chain === "POSTROUTING" || chain === "OUTPUT")) {
      throw new RuleError(`Can't use -i with ${chain}`)
    }
    if (this.#devices.o !== null && (chain === "PREROUTING" || chain === "INPUT")) {
      throw new RuleError(`Can't use -o with ${chain}`)
    }
    if (this.#table === "nat" && this.#jump === "DROP" && !this.#isChain("DROP")) {
      throw new RuleError(
        "The \"nat\" table is not intended for filtering, the use of DROP is therefore inhibited."
      )
    }
    return { ...done, rules: this.#rules() }
  }

  #rules(): Array<Rule> {
    const selector = { family: this.#family, protocol: this.#protocol, notProtocol: this.#notProtocol }
    const matches: Array<Match> = this.#matches.map(({ kind, given }) => {
      given.finish()
      return kind.parse(given, selector)
    })
    let target: Target | null = null
    if (this.#target !== null) {
      this.#target.given.finish()
      target = this.#target.kind.parse(this.#target.given, selector)
    }
    const rules: Array<Rule> = []
    const dsts = networks(this.#addresses.d, this.#family)
    for (const src of networks(this.#addresses.s, this.#family)) {
      for (const dst of dsts) {
        rules.push({
          ...selector, src, dst, in: plain(this.#devices.i), out: plain(this.#devices.o),
          fragments: this.#fragments,
          matches, target: target ?? this.#standard()
        })
      }
    }
    return rules
  }

  #standard(): Rule["target"] {
    if (this.#jump === "") return null
    if (this.#isChain(this.#jump)) return { chain: this.#jump, goto: this.#goto }
    if (!STANDARD.has(this.#jump)) {
      throw new RuleError(`Couldn't load target \`${this.#jump}':No such file or directory`)
    }
    return { verdict: this.#jump as "ACCEPT" }
  }
}

const VERBS_BY_LETTER: ReadonlySet<string> = new Set(Object.values(VERBS))
const STANDARD: ReadonlySet<string> = new Set(["ACCEPT", "DROP", "RETURN"])

function networks(addresses: Addresses | null, family: Family): ReadonlyArray<NetworkCondition | null> {
  if (addresses === null) return [null]
  const list = addresses.word.split(",")
  if (addresses.inverted && list.length > 1) {
    throw new RuleError("! not allowed with multiple source or destination IP addresses")
  }
  return list.map((one) => ({ ...parseNetwork(one, family), inverted: addresses.inverted }))
}

/** `-i +` asks for nothing; `! -i +` can never be. */
function plain(device: DeviceCondition | null): DeviceCondition | null {
  return device !== null && device.name === "+" && !device.inverted ? null : device
}

function coreByPrefix(name: string): string | null {
  if (name === "") return null
  const hits = Object.keys(LONG).filter((long) => long.startsWith(name))
  const letters = new Set(hits.map((long) => LONG[long]!))
  return letters.size === 1 ? [...letters][0]! : null
}

function ruleNumber(text: string): number {
  const number = parseNumber(text, 1, 0x7fff_ffff)
  if (number === null) throw new RuleError(`Invalid rule number \`${text}'`)
  return number
}

function checkChainName(name: string, family: Family): void {
  if (name.startsWith("-") || name.startsWith("!")) {
    throw new RuleError(`chain name not allowed to start with \`${name[0]}'`)
  }
  if (STANDARD.has(name) || findTarget(name, family) !== null || UNSUPPORTED_TARGETS.has(name)) {
    throw new RuleError("chain name may not clash with target name")
  }
}
