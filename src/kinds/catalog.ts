import { certificateSigningRequests } from "./certificatesigningrequest.ts";
import { configMaps } from "./configmap.ts";
import { controllerRevisions } from "./controllerrevision.ts";
import { cronJobs } from "./cronjob.ts";
import { daemonSets } from "./daemonset.ts";
import { deployments } from "./deployment.ts";
import { endpoints } from "./endpoints.ts";
import { endpointSlices } from "./endpointslice.ts";
import { events } from "./event.ts";
import { flowSchemas } from "./flowcontrol/flowschema.ts";
import { priorityLevelConfigurations } from "./flowcontrol/prioritylevelconfiguration.ts";
import { runs } from "./history/run.ts";
import { horizontalPodAutoscalers } from "./horizontalpodautoscaler.ts";
import { jobs } from "./job.ts";
import type { Kind } from "./kind.ts";
import { leases } from "./lease.ts";
import { limitRanges } from "./limitrange.ts";
import { namespaces } from "./namespace.ts";
import { ingresses } from "./networking/ingress.ts";
import { ingressClasses } from "./networking/ingressclass.ts";
import { ipAddresses } from "./networking/ipaddress.ts";
import { networkPolicies } from "./networking/networkpolicy.ts";
import { serviceCIDRs } from "./networking/servicecidr.ts";
import { nodes } from "./node.ts";
import { notificationPolicies } from "./notify/notificationpolicy.ts";
import { persistentVolumes } from "./persistentvolume.ts";
import { persistentVolumeClaims } from "./persistentvolumeclaim.ts";
import { pods } from "./pod.ts";
import { podDisruptionBudgets } from "./poddisruptionbudget.ts";
import { podTemplates } from "./podtemplate.ts";
import { priorityClasses } from "./priorityclass.ts";
import { clusterRoles } from "./rbac/clusterrole.ts";
import { clusterRoleBindings } from "./rbac/clusterrolebinding.ts";
import { roles } from "./rbac/role.ts";
import { roleBindings } from "./rbac/rolebinding.ts";
import { createRegistry, type Lookup } from "./registry.ts";
import { replicaSets } from "./replicaset.ts";
import { replicationControllers } from "./replicationcontroller.ts";
import { resourceQuotas } from "./resourcequota.ts";
import { runtimeClasses } from "./runtimeclass.ts";
import { secrets } from "./secret.ts";
import { services } from "./service.ts";
import { serviceAccounts } from "./serviceaccount.ts";
import { statefulSets } from "./statefulset.ts";
import { csiDrivers } from "./storage/csidriver.ts";
import { csiNodes } from "./storage/csinode.ts";
import { csiStorageCapacities } from "./storage/csistoragecapacity.ts";
import { volumeAttachments } from "./storage/volumeattachment.ts";
import { volumeAttributesClasses } from "./storage/volumeattributesclass.ts";
import { storageClasses } from "./storageclass.ts";

/** Every built-in kind, in the order in which discovery lists them within a group. */
export const catalog: readonly Kind[] = [
	namespaces,
	nodes,
	pods,
	services,
	endpoints,
	endpointSlices,
	configMaps,
	secrets,
	serviceAccounts,
	events,
	persistentVolumes,
	persistentVolumeClaims,
	storageClasses,
	deployments,
	replicaSets,
	replicationControllers,
	statefulSets,
	daemonSets,
	controllerRevisions,
	jobs,
	cronJobs,
	certificateSigningRequests,
	leases,
	priorityClasses,
	podDisruptionBudgets,
	horizontalPodAutoscalers,
	resourceQuotas,
	limitRanges,
	podTemplates,
	ingresses,
	ingressClasses,
	networkPolicies,
	serviceCIDRs,
	ipAddresses,
	flowSchemas,
	priorityLevelConfigurations,
	roles,
	roleBindings,
	clusterRoles,
	clusterRoleBindings,
	csiDrivers,
	csiNodes,
	csiStorageCapacities,
	volumeAttachments,
	volumeAttributesClasses,
	runtimeClasses,
	runs,
	notificationPolicies,
];

const builtin = createRegistry(catalog);

/** The built-in kind of a request path's parts, and the version it is served in when that is not the stored one. */
export function lookupResource(group: string, version: string, plural: string): Lookup | undefined {
	return builtin.resource(group, version, plural);
}

/** The built-in kind of an object's apiVersion and kind. */
export function lookupKind(apiVersion: string, kind: string): Lookup | undefined {
	return builtin.kind(apiVersion, kind);
}
