/** Whether the environment would send a request through a proxy, which is not modelled and so is refused. */
import type { Host } from "../process.ts"
import type { Config } from "./config.ts"
import type { Url } from "./url.ts"

/** The variable that names the proxy, or null. curl reads http_proxy in small letters only. */
export function proxyVariable(host: Host, config: Config, url: Url): string | null {
  const name = ["http_proxy", "all_proxy", "ALL_PROXY"].find((one) => (host.env.get(one) ?? "") !== "")
  if (name === undefined) return null
  const direct = config.noProxy ?? host.env.get("no_proxy") ?? host.env.get("NO_PROXY") ?? ""
  const wanted = url.host.toLowerCase()
  const isDirect = direct.split(/[\s,]+/).some((word) => {
    const suffix = word.toLowerCase().replace(/^\./, "")
    return word === "*" || (suffix !== "" && (wanted === suffix || wanted.endsWith(`.${suffix}`)))
  })
  return isDirect ? null : name
}
