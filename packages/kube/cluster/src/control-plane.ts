/** Which controllers run, with what the plan says of the cluster. */
import type { Controller } from "@podwire/controllers"
import { deployment } from "@podwire/controllers/deployment/deployment"
import { garbageCollector } from "@podwire/controllers/garbage-collector"
import { namespace } from "@podwire/controllers/namespace"
import { nodeIpam } from "@podwire/controllers/node-ipam"
import { replicaSet } from "@podwire/controllers/replica-set"
import { scheduler } from "@podwire/controllers/scheduler/scheduler"
import { format } from "@podwire/wire/cidr"
import { family } from "@podwire/wire/ip"
import type { Plan } from "./plan.ts"

export function controllersFor(plan: Plan): ReadonlyArray<Controller> {
  const ipam = nodeIpam({
    ranges: plan.podCidrs.map((range) => ({ cidr: format(range), nodeLength: plan.nodeBits[family(range.ip)] })),
    serviceCidrs: plan.serviceCidrs.map(format)
  })
  return [namespace, ...ipam === null ? [] : [ipam], scheduler(), deployment, replicaSet, garbageCollector]
}
