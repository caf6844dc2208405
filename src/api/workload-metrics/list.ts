/** All metrics of a cluster's objects, under kube-state-metrics' names. */
import { cronJobFamilies, jobFamilies } from "./batch.ts";
import {
	certificateFamilies,
	configMapFamilies,
	leaseFamilies,
	namespaceFamilies,
	nodeFamilies,
	secretFamilies,
	serviceAccountFamilies,
} from "./cluster.ts";
import type { KindFamilies } from "./family.ts";
import {
	endpointFamilies,
	endpointSliceFamilies,
	ingressFamilies,
	networkPolicyFamilies,
	serviceFamilies,
} from "./network.ts";
import { podFamilies } from "./pods.ts";
import { autoscalerFamilies, budgetFamilies, limitFamilies, quotaFamilies } from "./policy.ts";
import { claimFamilies, storageClassFamilies, volumeAttachmentFamilies, volumeFamilies } from "./storage.ts";
import {
	daemonSetFamilies,
	deploymentFamilies,
	replicaSetFamilies,
	replicationControllerFamilies,
	statefulSetFamilies,
} from "./workloads.ts";

export const workloadFamilies: readonly KindFamilies[] = [
	certificateFamilies,
	configMapFamilies,
	cronJobFamilies,
	daemonSetFamilies,
	deploymentFamilies,
	endpointFamilies,
	endpointSliceFamilies,
	autoscalerFamilies,
	ingressFamilies,
	jobFamilies,
	leaseFamilies,
	limitFamilies,
	namespaceFamilies,
	networkPolicyFamilies,
	nodeFamilies,
	claimFamilies,
	volumeFamilies,
	budgetFamilies,
	podFamilies,
	replicaSetFamilies,
	replicationControllerFamilies,
	quotaFamilies,
	secretFamilies,
	serviceFamilies,
	serviceAccountFamilies,
	statefulSetFamilies,
	storageClassFamilies,
	volumeAttachmentFamilies,
];
