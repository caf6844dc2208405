import { configMaps } from "./configmap.ts";
import { controllerRevisions } from "./controllerrevision.ts";
import { cronJobs } from "./cronjob.ts";
import { daemonSets } from "./daemonset.ts";
import { deployments } from "./deployment.ts";
import { endpoints } from "./endpoints.ts";
import { endpointSlices } from "./endpointslice.ts";
import { events } from "./event.ts";
import { horizontalPodAutoscalers } from "./horizontalpodautoscaler.ts";
import { jobs } from "./job.ts";
import type { Kind } from "./kind.ts";
import { leases } from "./lease.ts";
import { limitRanges } from "./limitrange.ts";
import { namespaces } from "./namespace.ts";
import { nodes } from "./node.ts";
import { persistentVolumes } from "./persistentvolume.ts";
import { persistentVolumeClaims } from "./persistentvolumeclaim.ts";
import { pods } from "./pod.ts";
import { podDisruptionBudgets } from "./poddisruptionbudget.ts";
import { priorityClasses } from "./priorityclass.ts";
import { createRegistry, type Lookup } from "./registry.ts";
import { replicaSets } from "./replicaset.ts";
import { replicationControllers } from "./replicationcontroller.ts";
import { resourceQuotas } from "./resourcequota.ts";
import { secrets } from "./secret.ts";
import { services } from "./service.ts";
import { serviceAccounts } from "./serviceaccount.ts";
import { statefulSets } from "./statefulset.ts";
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
	leases,
	priorityClasses,
	podDisruptionBudgets,
	horizontalPodAutoscalers,
	resourceQuotas,
	limitRanges,
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
