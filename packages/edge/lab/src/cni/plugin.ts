/**
 * A CNI plugin on this machine: `host-local` as the real binary, its leases on disk. What the command prints
 * and how it ends is for the caller to carry out, nothing here writes to a stream.
 */
import { readFileSync, statSync } from "node:fs"
import { type Output, runPlugin } from "@podwire/cni/protocol"
import { DiskStore } from "./disk-store.ts"
import { goError } from "./go-error.ts"

export function runCniPlugin(
  type: string, env: Readonly<Record<string, string | undefined>>, stdin: string
): Output {
  return runPlugin(type, env, stdin, { leases: DiskStore.open, readFile, ownNetns })
}

function readFile(path: string): { readonly text: string } | string {
  try {
    return { text: readFileSync(path, "utf8") }
  } catch (error) {
    return goError(error, "open", path)
  }
}

function ownNetns(path: string): boolean {
  try {
    const [own, other] = [statSync("/proc/self/ns/net", { bigint: true }), statSync(path, { bigint: true })]
    return own.ino === other.ino && own.dev === other.dev
  } catch {
    return false
  }
}
