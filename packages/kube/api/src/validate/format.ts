/**
 * The formats of names, keys and values, each answering with what is wrong: the regular expressions and the
 * sentences are part of the API (apimachinery pkg/util/validation and pkg/api/validate/content).
 */
import { Address4, Address6 } from "ip-address"

type Faults = ReadonlyArray<string>

const LABEL = "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
const SUBDOMAIN = `${LABEL}(\\.${LABEL})*`
const LABEL_1035 = "[a-z]([-a-z0-9]*[a-z0-9])?"
const KEY_NAME = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"
const LABEL_VALUE = `(${KEY_NAME})?`
const CONFIG_KEY = "[-._a-zA-Z0-9]+"
const PERCENT = "[0-9]+%"

const whole = (pattern: string) => new RegExp(`^${pattern}$`)
const IS_LABEL = whole(LABEL)
const IS_SUBDOMAIN = whole(SUBDOMAIN)
const IS_LABEL_1035 = whole(LABEL_1035)
const IS_KEY_NAME = whole(KEY_NAME)
const IS_LABEL_VALUE = whole(LABEL_VALUE)
const IS_CONFIG_KEY = whole(CONFIG_KEY)
const IS_PERCENT = whole(PERCENT)

const LABEL_CHARS_MAX = 63
const SUBDOMAIN_CHARS_MAX = 253
const PORT_NAME_CHARS_MAX = 15

function pattern(sentence: string, regex: string, ...examples: ReadonlyArray<string>): string {
  // Two spaces before `or` are the server's own.
  const shown = examples.map((example) => `'${example}', `).join(" or ")
  return `${sentence} (e.g. ${shown}regex used for validation is '${regex}')`
}

/** Names count characters and keys bytes, in words only: both are ASCII or refused. */
const maxLength = (max: number, unit: "bytes" | "characters" = "characters") =>
  `must be no more than ${max} ${unit}`
export const between = (min: number, max: number) => `must be between ${min} and ${max}, inclusive`

export function dnsLabel(value: string): Faults {
  const faults = value.length > LABEL_CHARS_MAX ? [maxLength(LABEL_CHARS_MAX)] : []
  if (!IS_LABEL.test(value)) {
    faults.push(IS_SUBDOMAIN.test(value) ? "must not contain dots" : pattern(
      "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must " +
        "start and end with an alphanumeric character", LABEL, "my-name", "123-abc"))
  }
  return faults
}

export function dnsSubdomain(value: string, unit: "bytes" | "characters" = "characters"): Faults {
  const faults = value.length > SUBDOMAIN_CHARS_MAX ? [maxLength(SUBDOMAIN_CHARS_MAX, unit)] : []
  if (!IS_SUBDOMAIN.test(value)) {
    faults.push(pattern("a lowercase RFC 1123 subdomain must consist of lower case alphanumeric " +
      "characters, '-' or '.', and must start and end with an alphanumeric character", SUBDOMAIN, "example.com"))
  }
  return faults
}

export function dns1035Label(value: string): Faults {
  const faults = value.length > LABEL_CHARS_MAX ? [maxLength(LABEL_CHARS_MAX)] : []
  if (!IS_LABEL_1035.test(value)) {
    faults.push(pattern("a DNS-1035 label must consist of lower case alphanumeric characters or '-', start " +
      "with an alphabetic character, and end with an alphanumeric character", LABEL_1035,
      "my-name", "abc-123"))
  }
  return faults
}

const KEY_SENTENCE = "must consist of alphanumeric characters, '-', '_' or '.', and must start and end " +
  "with an alphanumeric character"
const keyPattern = (prefix: string) =>
  pattern(prefix + KEY_SENTENCE, KEY_NAME, "MyName", "my.name", "123-abc")

/** `app`, `example.com/app`: the key of a label, an annotation, a taint. */
export function labelKey(value: string): Faults {
  const parts = value.split("/")
  if (parts.length > 2) {
    return [`${keyPattern("a valid label key ")} with an optional DNS subdomain prefix and '/' ` +
      "(e.g. 'example.com/MyName')"]
  }
  const faults: Array<string> = []
  if (parts.length === 2) {
    if (parts[0] === "") faults.push("prefix part must be non-empty")
    else faults.push(...dnsSubdomain(parts[0]!, "bytes").map((fault) => `prefix part ${fault}`))
  }
  const name = parts.at(-1)!
  if (name === "") faults.push("name part must be non-empty")
  else if (name.length > LABEL_CHARS_MAX) faults.push(`name part ${maxLength(LABEL_CHARS_MAX, "bytes")}`)
  if (!IS_KEY_NAME.test(name)) faults.push(keyPattern("name part "))
  return faults
}

export function labelValue(value: string): Faults {
  const faults = value.length > LABEL_CHARS_MAX ? [maxLength(LABEL_CHARS_MAX, "bytes")] : []
  if (!IS_LABEL_VALUE.test(value)) {
    faults.push(pattern("a valid label must be an empty string or consist of alphanumeric characters, '-', " +
      "'_' or '.', and must start and end with an alphanumeric character",
      LABEL_VALUE, "MyValue", "my_value", "12345"))
  }
  return faults
}

/** RFC 6335, section 5.1, lower case only: IANA_SVC_NAME in the API's documentation. */
export function portName(value: string): Faults {
  const faults = value.length > PORT_NAME_CHARS_MAX ? [maxLength(PORT_NAME_CHARS_MAX)] : []
  if (!/^[-a-z0-9]+$/.test(value)) {
    faults.push("must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)")
  }
  if (!/[a-z]/.test(value)) faults.push("must contain at least one letter (a-z)")
  if (value.includes("--")) faults.push("must not contain consecutive hyphens")
  if (/^-|-$/.test(value)) faults.push("must not begin or end with a hyphen")
  return faults
}

export function portNumber(value: number): Faults {
  return value >= 1 && value <= 65_535 ? [] : [between(1, 65_535)]
}

export function percent(value: string): Faults {
  return IS_PERCENT.test(value) ? []
    : [pattern("a valid percent string must be a numeric string followed by an ending '%'", PERCENT,
      "1%", "93%")]
}

/** Since 1.34 anything printable but `=`. */
export function envName(value: string): Faults {
  if (value === "") return ["environment variable name must be non-empty"]
  return /^[\x20-\x3c\x3e-\x7e]*$/.test(value) ? []
    : ["a valid environment variable name must consist only of printable ASCII characters other than '='"]
}

export function configKey(value: string): Faults {
  const faults = value.length > SUBDOMAIN_CHARS_MAX ? [maxLength(SUBDOMAIN_CHARS_MAX)] : []
  if (!IS_CONFIG_KEY.test(value)) {
    faults.push(pattern("a valid config key must consist of alphanumeric characters, '-', '_' or '.'",
      CONFIG_KEY, "key.name", "KEY_NAME", "key-name"))
  }
  if (value === ".") faults.push("must not be '.'")
  else if (value === "..") faults.push("must not be '..'")
  else if (value.startsWith("..")) faults.push("must not start with '..'")
  return faults
}

/** `generateName` may end in dashes, since more follows. */
export function masked(faults: (value: string) => Faults, prefix: string): Faults {
  return faults(prefix.length > 1 && prefix.endsWith("-") ? `${prefix.slice(0, -2)}a` : prefix)
}

/** 4, 6, or null when it is no address. */
export function ipFamily(text: string): 4 | 6 | null {
  if (text.includes("/") || text.includes("%")) return null
  if (Address4.isValid(text)) return 4
  return Address6.isValid(text) ? 6 : null
}

/** 4, 6, or null when it is no range; host bits may be set, as Kubernetes lets older fields have them. */
export function cidrFamily(text: string): 4 | 6 | null {
  if (!/^[0-9A-Fa-f.:]+\/(0|[1-9]\d{0,2})$/.test(text)) return null
  if (Address4.isValid(text)) return 4
  return Address6.isValid(text) ? 6 : null
}

export const NOT_AN_IP = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"
export const NOT_A_CIDR = "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)"
