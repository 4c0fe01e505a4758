/**
 * A pod's `securityContext.sysctls` below net.: written when its network stands and before its containers
 * run, as runc does. All others belong to namespaces that are not modelled (kernel.shm…, fs.mqueue…) and
 * change no packet.
 * Differs: every one of net. is taken, as with the kubelet's --allowed-unsafe-sysctls=net.*; without that it
 * rejects a pod for what is not on its list of safe ones. One that this stack does not have is refused.
 */
import type { Pod } from "@podwire/api"
import { Errno, strerror } from "@podwire/netdev"
import type { Netns } from "@podwire/netns"

interface Sysctl {
  readonly name: string
  readonly value: string
}

/** The first failure in runc's words; null when all are written. */
export function writeSysctls(pod: Pod, netns: Netns): string | null {
  for (const { name, value } of netSysctls(pod)) {
    const known = netns.sysctl.get(name) !== null
    const errno = netns.sysctl.set(name, value)
    if (errno === Errno.OK) continue
    const path = `/proc/sys/${name.replaceAll(".", "/")}`
    return `${known ? "write" : "open"} ${path}: ${strerror(errno).toLowerCase()}`
  }
  return null
}

/** Why a pod of the host's network is rejected (kubelet/sysctl/allowlist.go); null when it asks for none. */
export function hostNetSysctl(pod: Pod): string | null {
  const [first] = netSysctls(pod)
  return first === undefined ? null : `forbidden sysctl: "${first.name}" not allowed with host net enabled`
}

function netSysctls(pod: Pod): ReadonlyArray<Sysctl> {
  return (pod.spec?.securityContext?.sysctls ?? [])
    .map(({ name, value = "" }) => ({ name: name.replaceAll("/", "."), value }))
    .filter(({ name }) => name.startsWith("net."))
}
