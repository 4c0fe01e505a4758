/** The smallest good object of each kind, and how a case is laid over it. */

const labels = { app: "web" }
const template = { metadata: { labels }, spec: { containers: [{ name: "c", image: "i" }] } }
const selector = { matchLabels: labels }

export const BASES: Readonly<Record<string, unknown>> = {
  none: undefined,
  pod: { apiVersion: "v1", kind: "Pod", metadata: { name: "web" }, spec: template.spec },
  deployment: { apiVersion: "apps/v1", kind: "Deployment", metadata: { name: "web" }, spec: { selector, template } },
  replicaset: { apiVersion: "apps/v1", kind: "ReplicaSet", metadata: { name: "web" }, spec: { selector, template } },
  statefulset: {
    apiVersion: "apps/v1", kind: "StatefulSet", metadata: { name: "web" },
    spec: { serviceName: "web", selector, template }
  },
  daemonset: { apiVersion: "apps/v1", kind: "DaemonSet", metadata: { name: "web" }, spec: { selector, template } },
  job: {
    apiVersion: "batch/v1", kind: "Job", metadata: { name: "web" },
    spec: { template: { spec: { ...template.spec, restartPolicy: "Never" } } }
  },
  namespace: { apiVersion: "v1", kind: "Namespace", metadata: { name: "team-a" } },
  node: { apiVersion: "v1", kind: "Node", metadata: { name: "node1" } },
  service: { apiVersion: "v1", kind: "Service", metadata: { name: "web" }, spec: { selector: labels, ports: [{ port: 80 }] } }
}

/** Mappings are merged, everything else is replaced. */
export function merge(base: unknown, over: unknown): unknown {
  const isMap = (value: unknown): value is Readonly<Record<string, unknown>> =>
    typeof value === "object" && value !== null && !Array.isArray(value)
  if (!isMap(base) || !isMap(over)) return over === undefined ? base : over
  const merged: Record<string, unknown> = { ...base }
  for (const [key, value] of Object.entries(over)) merged[key] = merge(base[key], value)
  return merged
}
