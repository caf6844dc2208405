/** What the package gives to programs: a cluster in this process, a client, the kinds and their types. */

export type { AuditEvent } from "./api/audit/event.ts";
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
export { type ClientOptions, createClient } from "./client/requests.ts";
export { type WaitOptions, waitFor, waitForList } from "./client/wait.ts";
export {
	type ApplyOptions,
	type Cluster,
	type ClusterNodes,
	type ClusterOptions,
	type ClusterTime,
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
} from "./cluster/embed.ts";
export { kubernetesVersion, version } from "./cluster/version.ts";
export { ApiError, type Cause, isReason, type Reason } from "./core/errors.ts";
export type { WatchEvent, WatchEventType } from "./core/exchange.ts";
export type { Draft, KubeObject, ManagedFieldsEntry, ObjectMeta, OwnerReference } from "./core/object.ts";
export type { HistoryOptions } from "./history/settings.ts";
export { catalog, lookupKind, lookupResource } from "./kinds/catalog.ts";
export { configMaps } from "./kinds/configmap.ts";
export { controllerRevisions } from "./kinds/controllerrevision.ts";
export { cronJobs } from "./kinds/cronjob.ts";
export { daemonSets } from "./kinds/daemonset.ts";
export { deployments } from "./kinds/deployment.ts";
export { endpoints } from "./kinds/endpoints.ts";
export { endpointSlices } from "./kinds/endpointslice.ts";
export { events } from "./kinds/event.ts";
export type * from "./kinds/generated/types.ts";
export { runs } from "./kinds/history/run.ts";
export type * from "./kinds/history/types.ts";
export { horizontalPodAutoscalers } from "./kinds/horizontalpodautoscaler.ts";
export { jobs } from "./kinds/job.ts";
export type { Kind } from "./kinds/kind.ts";
export { leases } from "./kinds/lease.ts";
export { limitRanges } from "./kinds/limitrange.ts";
export { namespaces } from "./kinds/namespace.ts";
export { ingresses } from "./kinds/networking/ingress.ts";
export { ingressClasses } from "./kinds/networking/ingressclass.ts";
export { networkPolicies } from "./kinds/networking/networkpolicy.ts";
export { nodes } from "./kinds/node.ts";
export { notificationPolicies } from "./kinds/notify/notificationpolicy.ts";
export type * from "./kinds/notify/types.ts";
export { persistentVolumes } from "./kinds/persistentvolume.ts";
export { persistentVolumeClaims } from "./kinds/persistentvolumeclaim.ts";
export { pods } from "./kinds/pod.ts";
export { podDisruptionBudgets } from "./kinds/poddisruptionbudget.ts";
export { podTemplates } from "./kinds/podtemplate.ts";
export { priorityClasses } from "./kinds/priorityclass.ts";
export { clusterRoles } from "./kinds/rbac/clusterrole.ts";
export { clusterRoleBindings } from "./kinds/rbac/clusterrolebinding.ts";
export { roles } from "./kinds/rbac/role.ts";
export { roleBindings } from "./kinds/rbac/rolebinding.ts";
export { replicaSets } from "./kinds/replicaset.ts";
export { replicationControllers } from "./kinds/replicationcontroller.ts";
export { resourceQuotas } from "./kinds/resourcequota.ts";
export { runtimeClasses } from "./kinds/runtimeclass.ts";
export { secrets } from "./kinds/secret.ts";
export { services } from "./kinds/service.ts";
export { serviceAccounts } from "./kinds/serviceaccount.ts";
export { statefulSets } from "./kinds/statefulset.ts";
export { csiDrivers } from "./kinds/storage/csidriver.ts";
export { csiNodes } from "./kinds/storage/csinode.ts";
export { csiStorageCapacities } from "./kinds/storage/csistoragecapacity.ts";
export { volumeAttachments } from "./kinds/storage/volumeattachment.ts";
export { volumeAttributesClasses } from "./kinds/storage/volumeattributesclass.ts";
export { storageClasses } from "./kinds/storageclass.ts";
export type { NotifyOptions, OutgoingRequest, SendRequest } from "./notify/settings.ts";
