/** API versions that Kubernetes once served, and the release that stopped (its deprecation guide). */

const EVERY = "*"

/** apiVersion, kinds, the release in which it went. */
const REMOVED: ReadonlyArray<readonly [string, string, string]> = [
  ["extensions/v1beta1", "Deployment DaemonSet ReplicaSet NetworkPolicy PodSecurityPolicy", "1.16"],
  ["extensions/v1beta1", "Ingress", "1.22"],
  ["apps/v1beta1", EVERY, "1.16"],
  ["apps/v1beta2", EVERY, "1.16"],
  ["networking.k8s.io/v1beta1", "Ingress IngressClass", "1.22"],
  ["admissionregistration.k8s.io/v1beta1", "MutatingWebhookConfiguration", "1.22"],
  ["admissionregistration.k8s.io/v1beta1", "ValidatingWebhookConfiguration", "1.22"],
  ["apiextensions.k8s.io/v1beta1", EVERY, "1.22"],
  ["apiregistration.k8s.io/v1beta1", EVERY, "1.22"],
  ["certificates.k8s.io/v1beta1", "CertificateSigningRequest", "1.22"],
  ["coordination.k8s.io/v1beta1", "Lease", "1.22"],
  ["rbac.authorization.k8s.io/v1beta1", EVERY, "1.22"],
  ["scheduling.k8s.io/v1beta1", EVERY, "1.22"],
  ["storage.k8s.io/v1beta1", "CSIDriver CSINode StorageClass VolumeAttachment", "1.22"],
  ["storage.k8s.io/v1beta1", "CSIStorageCapacity", "1.27"],
  ["batch/v2alpha1", "CronJob", "1.21"],
  ["batch/v1beta1", "CronJob", "1.25"],
  ["discovery.k8s.io/v1beta1", "EndpointSlice", "1.25"],
  ["events.k8s.io/v1beta1", "Event", "1.25"],
  ["autoscaling/v2beta1", "HorizontalPodAutoscaler", "1.25"],
  ["autoscaling/v2beta2", "HorizontalPodAutoscaler", "1.26"],
  ["policy/v1beta1", "PodDisruptionBudget PodSecurityPolicy", "1.25"],
  ["node.k8s.io/v1beta1", "RuntimeClass", "1.25"],
  ["flowcontrol.apiserver.k8s.io/v1beta1", EVERY, "1.26"],
  ["flowcontrol.apiserver.k8s.io/v1beta2", EVERY, "1.29"],
  ["flowcontrol.apiserver.k8s.io/v1beta3", EVERY, "1.32"]
]

/** The release that stopped serving it; null when none ever did. */
export function removedIn(apiVersion: string, kind: string): string | null {
  for (const [version, kinds, release] of REMOVED) {
    if (version === apiVersion && (kinds === EVERY || kinds.split(" ").includes(kind))) return release
  }
  return null
}
