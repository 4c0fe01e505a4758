/**
 * The bodies of -d, --data-raw, --data-binary, --data-urlencode and --json (src/tool_getparam.c of curl
 * 8.14).
 */
import { utf8Encode } from "@podwire/wire/bytes"
import type { Config } from "./config.ts"

/** curl's own code for a file that cannot be read. */
export class ReadFault {
  readonly file: string

  constructor(file: string) {
    this.file = file
  }
}

/** Adds one option's data; several are joined with `&`, those of --json with nothing. */
export function addData(
  config: Config, option: string, value: string, files: ReadonlyMap<string, string>
): ReadFault | null {
  const read = option === "data-urlencode" ? urlencode(value, files) : plain(option, value, files)
  if (read instanceof ReadFault) return read
  const json = option === "json"
  if (json) config.isJson = true
  const added = utf8Encode(read)
  if (config.data === null) config.data = added
  else {
    const glue = json ? 0 : 1
    const joined = new Uint8Array(config.data.length + glue + added.length)
    joined.set(config.data)
    if (!json) joined[config.data.length] = 0x26
    joined.set(added, config.data.length + glue)
    config.data = joined
  }
  return null
}

/** Letters, digits and `-._~` stay; a blank is `+`. */
export function urlencodeText(text: string): string {
  let out = ""
  for (const byte of utf8Encode(text)) {
    const char = String.fromCharCode(byte)
    out += /[A-Za-z0-9\-._~]/.test(char) ? char
      : char === " " ? "+" : `%${byte.toString(16).padStart(2, "0").toUpperCase()}`
  }
  return out
}

function plain(option: string, value: string, files: ReadonlyMap<string, string>): string | ReadFault {
  if (option === "data-raw" || !value.startsWith("@")) return value
  const text = readFile(value.slice(1), files)
  // Only the binary ones keep line ends and NULs.
  return text instanceof ReadFault || option !== "data" ? text : text.replace(/[\r\n\0]/g, "")
}

/** `content`, `=content`, `name=content`, `@file`, `name@file`. */
function urlencode(value: string, files: ReadonlyMap<string, string>): string | ReadFault {
  const at = value.search(/[=@]/)
  if (at < 0) return urlencodeText(value)
  const name = value.slice(0, at)
  const rest = value.slice(at + 1)
  const content = value[at] === "@" ? readFile(rest, files) : rest
  if (content instanceof ReadFault) return content
  return name === "" ? urlencodeText(content) : `${name}=${urlencodeText(content)}`
}

/** `-` is the standard input, which the caller has put among the files. */
function readFile(name: string, files: ReadonlyMap<string, string>): string | ReadFault {
  return files.get(name) ?? new ReadFault(name)
}
