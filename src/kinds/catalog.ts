import { mutatingAdmissionPolicies } from "./admissionregistration/mutatingadmissionpolicy.ts";
import { mutatingAdmissionPolicyBindings } from "./admissionregistration/mutatingadmissionpolicybinding.ts";
import { mutatingWebhookConfigurations } from "./admissionregistration/mutatingwebhookconfiguration.ts";
import { validatingAdmissionPolicies } from "./admissionregistration/validatingadmissionpolicy.ts";
import { validatingAdmissionPolicyBindings } from "./admissionregistration/validatingadmissionpolicybinding.ts";
import { validatingWebhookConfigurations } from "./admissionregistration/validatingwebhookconfiguration.ts";
import { customResourceDefinitions } from "./apiextensions/customresourcedefinition.ts";
import { apiServices } from "./apiregistration/apiservice.ts";
import { controllerRevisions } from "./apps/controllerrevision.ts";
import { daemonSets } from "./apps/daemonset.ts";
import { deployments } from "./apps/deployment.ts";
import { replicaSets } from "./apps/replicaset.ts";
import { replicationControllers } from "./apps/replicationcontroller.ts";
import { statefulSets } from "./apps/statefulset.ts";
import { horizontalPodAutoscalers } from "./autoscaling/horizontalpodautoscaler.ts";
import { cronJobs } from "./batch/cronjob.ts";
import { jobs } from "./batch/job.ts";
import { certificateSigningRequests } from "./certificates/certificatesigningrequest.ts";
import { clusterTrustBundles } from "./certificates/clustertrustbundle.ts";
import { configMaps } from "./core/configmap.ts";
import { events } from "./core/event.ts";
import { leases } from "./core/lease.ts";
import { namespaces } from "./core/namespace.ts";
import { nodes } from "./core/node.ts";
import { priorityClasses } from "./core/priorityclass.ts";
import { runtimeClasses } from "./core/runtimeclass.ts";
import { secrets } from "./core/secret.ts";
import { serviceAccounts } from "./core/serviceaccount.ts";
import type { Kind } from "./engine/kind.ts";
import { createRegistry, type Lookup } from "./engine/registry.ts";
import { flowSchemas } from "./flowcontrol/flowschema.ts";
import { priorityLevelConfigurations } from "./flowcontrol/prioritylevelconfiguration.ts";
import { runs } from "./history/run.ts";
import { endpoints } from "./networking/endpoints.ts";
import { endpointSlices } from "./networking/endpointslice.ts";
import { ingresses } from "./networking/ingress.ts";
import { ingressClasses } from "./networking/ingressclass.ts";
import { ipAddresses } from "./networking/ipaddress.ts";
import { networkPolicies } from "./networking/networkpolicy.ts";
import { services } from "./networking/service.ts";
import { serviceCIDRs } from "./networking/servicecidr.ts";
import { notificationPolicies } from "./notify/notificationpolicy.ts";
import { pods } from "./pod/pod.ts";
import { podTemplates } from "./pod/podtemplate.ts";
import { podDisruptionBudgets } from "./policy/poddisruptionbudget.ts";
import { limitRanges } from "./quota/limitrange.ts";
import { resourceQuotas } from "./quota/resourcequota.ts";
import { clusterRoles } from "./rbac/clusterrole.ts";
import { clusterRoleBindings } from "./rbac/clusterrolebinding.ts";
import { roles } from "./rbac/role.ts";
import { roleBindings } from "./rbac/rolebinding.ts";
import { deviceClasses } from "./resource/deviceclass.ts";
import { resourceClaims } from "./resource/resourceclaim.ts";
import { resourceClaimTemplates } from "./resource/resourceclaimtemplate.ts";
import { resourceSlices } from "./resource/resourceslice.ts";
import { csiDrivers } from "./storage/csidriver.ts";
import { csiNodes } from "./storage/csinode.ts";
import { csiStorageCapacities } from "./storage/csistoragecapacity.ts";
import { persistentVolumes } from "./storage/persistentvolume.ts";
import { persistentVolumeClaims } from "./storage/persistentvolumeclaim.ts";
import { storageClasses } from "./storage/storageclass.ts";
import { volumeAttachments } from "./storage/volumeattachment.ts";
import { volumeAttributesClasses } from "./storage/volumeattributesclass.ts";

/** Every built-in kind, in the order of discovery within a group. */
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
	clusterTrustBundles,
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
	deviceClasses,
	resourceClaims,
	resourceClaimTemplates,
	resourceSlices,
	mutatingWebhookConfigurations,
	validatingWebhookConfigurations,
	customResourceDefinitions,
	apiServices,
	mutatingAdmissionPolicies,
	mutatingAdmissionPolicyBindings,
	validatingAdmissionPolicies,
	validatingAdmissionPolicyBindings,
	runs,
	notificationPolicies,
];

const builtin = createRegistry(catalog);

/** The built-in kind for the parts of a request path, and the served version if it is not the stored one. */
export function lookupResource(group: string, version: string, plural: string): Lookup | undefined {
	return builtin.resource(group, version, plural);
}

/** The built-in kind for an object's apiVersion and kind. */
export function lookupKind(apiVersion: string, kind: string): Lookup | undefined {
	return builtin.kind(apiVersion, kind);
}
