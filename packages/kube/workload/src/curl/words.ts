/** curl's result codes with the texts of curl_easy_strerror, and how it breaks a warning into lines. */

export const Code = {
  OK: 0, UNSUPPORTED_PROTOCOL: 1, URL_MALFORMAT: 3, COULDNT_RESOLVE_PROXY: 5, COULDNT_RESOLVE_HOST: 6,
  COULDNT_CONNECT: 7, WEIRD_SERVER_REPLY: 8, PARTIAL_FILE: 18, HTTP_RETURNED_ERROR: 22, WRITE_ERROR: 23,
  OPERATION_TIMEDOUT: 28, INTERFACE_FAILED: 45, TOO_MANY_REDIRECTS: 47, SETOPT_OPTION_SYNTAX: 49,
  GOT_NOTHING: 52,
  SEND_ERROR: 55, RECV_ERROR: 56, BAD_CONTENT_ENCODING: 61, FILESIZE_EXCEEDED: 63
} as const
export type Code = (typeof Code)[keyof typeof Code]

const TEXTS: Readonly<Record<number, string>> = {
  [Code.COULDNT_CONNECT]: "Could not connect to server",
  [Code.INTERFACE_FAILED]: "Failed binding local connection end",
  [Code.OPERATION_TIMEDOUT]: "Timeout was reached"
}

/** For those that end up as text without a message of their own. */
export function describe(code: Code): string {
  return TEXTS[code] ?? ""
}

/** Columns of what is no terminal, as curl assumes them, less the prefix. */
const COLUMNS = 79

export function warning(text: string): string {
  return wrap("Warning: ", text)
}

/** voutf of src/tool_msgs.c: cut behind the last blank that fits, and the blank stays. */
export function wrap(prefix: string, text: string): string {
  const width = COLUMNS - prefix.length
  let out = ""
  let rest = text
  while (rest.length > width) {
    let cut = width - 1
    while (cut > 0 && rest[cut] !== " ") cut--
    if (cut === 0) cut = width - 1
    out += `${prefix}${rest.slice(0, cut + 1)}\n`
    rest = rest.slice(cut + 1)
  }
  return rest === "" ? out : `${out}${prefix}${rest}\n`
}
