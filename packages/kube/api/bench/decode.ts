/**
 * What one Deployment costs on its way into the store. Small mode by default; `-- large` for people.
 * Prints microseconds for each and a checksum of the work.
 */
import { admit, decode } from "@podwire/api"

const ROUNDS = process.argv.includes("large") ? 200_000 : 2_000

const deployment = (replicas: number) => ({
  apiVersion: "apps/v1", kind: "Deployment", metadata: { name: "web", labels: { app: "web" } },
  spec: {
    replicas, selector: { matchLabels: { app: "web" } },
    template: {
      metadata: { labels: { app: "web" } },
      spec: {
        containers: [{
          name: "web", image: "nginx:1.27", ports: [{ containerPort: 80, name: "http" }],
          env: [{ name: "A", value: "b" }], resources: { requests: { cpu: "100m", memory: "64Mi" } },
          readinessProbe: { httpGet: { path: "/", port: "http" } }
        }]
      }
    }
  }
})

for (const [name, run] of [["decode", decode], ["admit", admit]] as const) {
  let checksum = 0
  const begin = process.hrtime.bigint()
  for (let i = 0; i < ROUNDS; i++) {
    const { object } = run(deployment(i))
    checksum += (object!.spec as { readonly replicas: number }).replicas
  }
  const microseconds = Number(process.hrtime.bigint() - begin) / 1000 / ROUNDS
  process.stdout.write(`${name} ${microseconds.toFixed(1)} us a Deployment, checksum ${checksum}\n`)
}
