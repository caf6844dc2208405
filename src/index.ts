/** What the package gives to programs: a cluster in this process, a client, the kinds and their types. */

export type { AuditEvent } from "./api/audit/event.ts";
export type { AdmissionRequest, AdmissionResponse, InProcessWebhook } from "./api/server/admission-review.ts";
export type {
	Client,
	DeleteOptions,
	List,
	ListOptions,
	Patch,
	Ref,
	Transport,
	WatchSink,
} from "./client/client.ts";
export { type CustomResourceNames, customResource } from "./client/custom-resource.ts";
export type { ConnectionFaults } from "./client/faults.ts";
export { type ClientOptions, createClient } from "./client/requests.ts";
export { type WaitOptions, waitFor, waitForList } from "./client/wait.ts";
export {
	type ApplyOptions,
	type Cluster,
	type ClusterNodes,
	type ClusterOptions,
	type ClusterSnapshot,
	type ClusterTime,
	type ClusterWrite,
	type Condition,
	type Duration,
	type LogOptions,
	type Manifest,
	type NodeOptions,
	type SystemTime,
	startCluster,
	type Target,
	type VirtualTime,
	type WaitForOptions,
} from "./cluster/embed/embed.ts";
export { kubernetesVersion, version } from "./cluster/files/version.ts";
export { ApiError, type Cause, isReason, type Reason } from "./core/errors.ts";
export type { WatchEvent, WatchEventType } from "./core/exchange.ts";
export type { Draft, KubeObject, ManagedFieldsEntry, ObjectMeta, OwnerReference } from "./core/object.ts";
export type { HistoryOptions } from "./history/retention/settings.ts";
export { mutatingAdmissionPolicies } from "./kinds/admissionregistration/mutatingadmissionpolicy.ts";
export { mutatingAdmissionPolicyBindings } from "./kinds/admissionregistration/mutatingadmissionpolicybinding.ts";
export { mutatingWebhookConfigurations } from "./kinds/admissionregistration/mutatingwebhookconfiguration.ts";
export { validatingAdmissionPolicies } from "./kinds/admissionregistration/validatingadmissionpolicy.ts";
export { validatingAdmissionPolicyBindings } from "./kinds/admissionregistration/validatingadmissionpolicybinding.ts";
export { validatingWebhookConfigurations } from "./kinds/admissionregistration/validatingwebhookconfiguration.ts";
export { controllerRevisions } from "./kinds/apps/controllerrevision.ts";
export { daemonSets } from "./kinds/apps/daemonset.ts";
export { deployments } from "./kinds/apps/deployment.ts";
export { replicaSets } from "./kinds/apps/replicaset.ts";
export { replicationControllers } from "./kinds/apps/replicationcontroller.ts";
export { statefulSets } from "./kinds/apps/statefulset.ts";
export { horizontalPodAutoscalers } from "./kinds/autoscaling/horizontalpodautoscaler.ts";
export { cronJobs } from "./kinds/batch/cronjob.ts";
export { jobs } from "./kinds/batch/job.ts";
export { catalog, lookupKind, lookupResource } from "./kinds/catalog.ts";
export { configMaps } from "./kinds/core/configmap.ts";
export { events } from "./kinds/core/event.ts";
export { leases } from "./kinds/core/lease.ts";
export { namespaces } from "./kinds/core/namespace.ts";
export { nodes } from "./kinds/core/node.ts";
export { priorityClasses } from "./kinds/core/priorityclass.ts";
export { runtimeClasses } from "./kinds/core/runtimeclass.ts";
export { secrets } from "./kinds/core/secret.ts";
export { serviceAccounts } from "./kinds/core/serviceaccount.ts";
export type { Kind } from "./kinds/engine/kind.ts";
export type * from "./kinds/generated/types.ts";
export { runs } from "./kinds/history/run.ts";
export type * from "./kinds/history/types.ts";
export { endpoints } from "./kinds/networking/endpoints.ts";
export { endpointSlices } from "./kinds/networking/endpointslice.ts";
export { ingresses } from "./kinds/networking/ingress.ts";
export { ingressClasses } from "./kinds/networking/ingressclass.ts";
export { networkPolicies } from "./kinds/networking/networkpolicy.ts";
export { services } from "./kinds/networking/service.ts";
export { notificationPolicies } from "./kinds/notify/notificationpolicy.ts";
export type * from "./kinds/notify/types.ts";
export { pods } from "./kinds/pod/pod.ts";
export { podTemplates } from "./kinds/pod/podtemplate.ts";
export { podDisruptionBudgets } from "./kinds/policy/poddisruptionbudget.ts";
export { limitRanges } from "./kinds/quota/limitrange.ts";
export { resourceQuotas } from "./kinds/quota/resourcequota.ts";
export { clusterRoles } from "./kinds/rbac/clusterrole.ts";
export { clusterRoleBindings } from "./kinds/rbac/clusterrolebinding.ts";
export { roles } from "./kinds/rbac/role.ts";
export { roleBindings } from "./kinds/rbac/rolebinding.ts";
export { deviceClasses } from "./kinds/resource/deviceclass.ts";
export { resourceClaims } from "./kinds/resource/resourceclaim.ts";
export { resourceClaimTemplates } from "./kinds/resource/resourceclaimtemplate.ts";
export { resourceSlices } from "./kinds/resource/resourceslice.ts";
export { csiDrivers } from "./kinds/storage/csidriver.ts";
export { csiNodes } from "./kinds/storage/csinode.ts";
export { csiStorageCapacities } from "./kinds/storage/csistoragecapacity.ts";
export { persistentVolumes } from "./kinds/storage/persistentvolume.ts";
export { persistentVolumeClaims } from "./kinds/storage/persistentvolumeclaim.ts";
export { storageClasses } from "./kinds/storage/storageclass.ts";
export { volumeAttachments } from "./kinds/storage/volumeattachment.ts";
export { volumeAttributesClasses } from "./kinds/storage/volumeattributesclass.ts";
export type { NotifyOptions } from "./notify/delivery/settings.ts";
export type { OutgoingRequest, SendRequest } from "./notify/sinks/request.ts";
