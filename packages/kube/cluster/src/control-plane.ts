/** Which controllers run, with what the plan says of the cluster. */
import {
  type Controller, daemonSet, deployment, garbageCollector, job, namespace, nodeIpam, nodeLifecycle,
  podGarbageCollector, replicaSet, scheduler, statefulSet, taintEviction
} from "@podwire/controllers"
import { format } from "@podwire/wire/cidr"
import { family } from "@podwire/wire/ip"
import type { Plan } from "./plan.ts"

export function controllersFor(plan: Plan): ReadonlyArray<Controller> {
  const ipam = nodeIpam({
    ranges: plan.podCidrs.map((range) =>
      ({ cidr: format(range), nodeLength: plan.nodeBits[family(range.ip)] })),
    serviceCidrs: plan.serviceCidrs.map(format)
  })
  return [
    namespace, ...ipam === null ? [] : [ipam], nodeLifecycle, taintEviction, scheduler(), deployment,
    replicaSet, statefulSet, daemonSet,
    job, podGarbageCollector(), garbageCollector
  ]
}
