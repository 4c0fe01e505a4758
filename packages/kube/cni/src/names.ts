/** What may be called how (cni/pkg/utils): networks, containers and interfaces. null is: well named. */
import { CniError, ErrorCode } from "./error.ts"

const NAME = /^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/
/** IFNAMSIZ is 16 with the closing zero. */
const INTERFACE_NAME_MAX = 15
/** unicode.IsSpace */
const SPACE = /[\t-\r \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]/

export function networkName(name: string): CniError | null {
  if (name === "") return new CniError(ErrorCode.INVALID_NETWORK_CONFIG, "missing network name")
  if (NAME.test(name)) return null
  return new CniError(ErrorCode.INVALID_NETWORK_CONFIG, "invalid characters found in network name", name)
}

export function containerId(id: string): CniError | null {
  if (id === "") return new CniError(ErrorCode.UNKNOWN_CONTAINER, "missing containerID")
  if (NAME.test(id)) return null
  return new CniError(ErrorCode.INVALID_ENVIRONMENT, "invalid characters in containerID", id)
}

export function interfaceName(name: string): CniError | null {
  const wrong = (msg: string, details = "") => new CniError(ErrorCode.INVALID_ENVIRONMENT, msg, details)
  if (name === "") return wrong("interface name is empty")
  if (bytesOf(name) > INTERFACE_NAME_MAX) {
    return wrong("interface name is too long", "interface name should be less than 16 characters")
  }
  if (name === "." || name === "..") return wrong("interface name is . or ..")
  if (/[/:]/.test(name) || SPACE.test(name)) {
    return wrong("interface name contains / or : or whitespace characters")
  }
  return null
}

/** Length in UTF-8, as Go's len counts. */
function bytesOf(text: string): number {
  let bytes = 0
  for (const char of text) {
    const code = char.codePointAt(0)!
    bytes += code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4
  }
  return bytes
}
