/** A pod's sysctls hold in its network before its programs run; what cannot be written keeps it from starting. */
import { NodeServices } from "@effect/platform-node"
import { Lab, renderProblem, type InputError } from "@podwire/lab"
import * as Effect from "effect/Effect"
import { expect, it } from "vitest"

const pod = (name: string, sysctl: string, value: string, spec = "") =>
  `apiVersion: v1\nkind: Pod\nmetadata: {name: ${name}}\nspec: {${spec}securityContext: {sysctls: ` +
  `[{name: ${sysctl}, value: "${value}"}]}, containers: [{name: a, image: busybox}]}\n---\n`

it("they are written, or the pod has no sandbox and says why", async () => {
  const content = pod("ports", "net.ipv4.ip_local_port_range", "4000 4001") +
    pod("reno", "net/ipv4/tcp_congestion_control", "reno") + pod("shm", "kernel.shm_rmid_forced", "1") +
    pod("word", "net.ipv4.tcp_fin_timeout", "soon") + pod("none", "net.ipv4.nothing", "1") +
    pod("host", "net.ipv4.tcp_fin_timeout", "9", "hostNetwork: true, ")
  const run = Effect.gen(function*() {
    const lab = yield* Lab.of([{ name: "m.yaml", content }], { nodes: 1 })
    yield* lab.settle()
    const shown = yield* Effect.forEach(["ports", "reno", "shm"], (name) => lab.inspect(name, [
      "sysctl", "-n", "net.ipv4.ip_local_port_range", "net.ipv4.tcp_congestion_control", "net.ipv4.tcp_fin_timeout"
    ]))
    const { status } = lab.cluster.store.list("Pod").find(({ metadata }) => metadata.name === "host")!
    return { shown: shown.map(({ stdout }) => stdout), stuck: lab.stuck().map(renderProblem), host: status }
  }).pipe(Effect.scoped, Effect.provide(NodeServices.layer))
  expect(await Effect.runPromise(run as Effect.Effect<unknown, InputError>)).toMatchInlineSnapshot(`
    {
      "host": {
        "conditions": [
          {
            "lastTransitionTime": "2026-01-01T00:00:00Z",
            "status": "True",
            "type": "PodScheduled",
          },
        ],
        "message": "Pod was rejected: forbidden sysctl: "net.ipv4.tcp_fin_timeout" not allowed with host net enabled",
        "phase": "Failed",
        "qosClass": "BestEffort",
        "reason": "SysctlForbidden",
      },
      "shown": [
        "4000	4001
    cubic
    60
    ",
        "32768	60999
    reno
    60
    ",
        "32768	60999
    cubic
    60
    ",
      ],
      "stuck": [
        "m.yaml:16:1: pod default/word: Failed to create pod sandbox: rpc error: code = Unknown desc = failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: error during container init: write /proc/sys/net/ipv4/tcp_fin_timeout: invalid argument; see spec.securityContext.sysctls",
        "m.yaml:21:1: pod default/none: Failed to create pod sandbox: rpc error: code = Unknown desc = failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: error during container init: open /proc/sys/net/ipv4/nothing: no such file or directory; see spec.securityContext.sysctls",
      ],
    }
  `)
})
