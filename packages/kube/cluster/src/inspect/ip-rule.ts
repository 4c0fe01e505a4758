/** `ip rule show` (iproute2's iprule.c): the three that Linux starts with; IPv6 has no `default`. */
import { command, type IpCall } from "./ip-call.ts"
import { notModelled } from "./failure.ts"

const COMMANDS = ["add", "delete", "flush", "list", "lst", "show", "save", "restore", "help"]
const RULES = [[0, "local"], [32_766, "main"], [32_767, "default"]] as const

export function rule(call: IpCall): void {
  const { options, words, out } = call
  command(call, "rule", COMMANDS)
  if (!words.done) notModelled(`ip rule show ${words.peek()}`)
  for (const [priority, table] of RULES) {
    if (options.family === 6 && table === "default") continue
    out.object("", () => {
      out.put("priority", priority, `${priority}:\t`).put("src", "all", "from all ")
      out.put("table", table, `lookup ${table}`)
      if (options.details) out.put("protocol", "kernel", " proto kernel")
      out.say("\n")
    })
  }
}
