import type { KubeObject } from "../../core/object.ts";
import { daemonSets } from "../../kinds/apps/daemonset.ts";
import { deployments } from "../../kinds/apps/deployment.ts";
import { replicaSets } from "../../kinds/apps/replicaset.ts";
import { replicationControllers } from "../../kinds/apps/replicationcontroller.ts";
import { statefulSets } from "../../kinds/apps/statefulset.ts";
import { addStatus, created, deletion, generation, info, ofKind, owners, value } from "./family.ts";
import { scaledNumber } from "./scaled.ts";

const named =
	(label: string) =>
	({ metadata: { namespace, name } }: KubeObject) => ({ namespace, [label]: name });

/** Reasons of a Deployment's conditions that kube-state-metrics distinguishes. */
const deploymentReasons = new Set([
	"",
	"ReplicaSetUpdated",
	"ReplicaSetCreateError",
	"NewReplicaSetCreated",
	"FoundNewReplicaSet",
	"NewReplicaSetAvailable",
	"ProgressDeadlineExceeded",
	"DeploymentPaused",
	"DeploymentResumed",
	"MinimumReplicasAvailable",
	"MinimumReplicasUnavailable",
]);

export const deploymentFamilies = ofKind(deployments, named("deployment"), [
	{
		name: "kube_deployment_owner",
		help: "Whom it belongs to",
		each({ metadata: { ownerReferences = [] } }, add) {
			if (ownerReferences.length === 0) add(1, { owner_kind: "", owner_name: "" });
			for (const { kind, name } of ownerReferences) add(1, { owner_kind: kind, owner_name: name });
		},
	},
	created("deployment"),
	deletion("deployment"),
	generation("deployment"),
	value("kube_deployment_spec_replicas", "Pods that are wanted", ({ spec }) => spec.replicas),
	value("kube_deployment_spec_paused", "Whether it is paused", ({ spec }) => (spec.paused === true ? 1 : 0)),
	value(
		"kube_deployment_spec_strategy_rollingupdate_max_unavailable",
		"Pods that may be missing during a rollout",
		({ spec }) => scaledNumber(spec.strategy?.rollingUpdate?.maxUnavailable, spec.replicas, "down"),
	),
	value(
		"kube_deployment_spec_strategy_rollingupdate_max_surge",
		"Pods that there may be too many during a rollout",
		({ spec }) => scaledNumber(spec.strategy?.rollingUpdate?.maxSurge, spec.replicas, "up"),
	),
	value("kube_deployment_status_replicas", "Pods that there are", ({ status }) => status?.replicas ?? 0),
	value("kube_deployment_status_replicas_ready", "Pods that are ready", ({ status }) => status?.readyReplicas ?? 0),
	value(
		"kube_deployment_status_replicas_available",
		"Pods that are available",
		({ status }) => status?.availableReplicas ?? 0,
	),
	value(
		"kube_deployment_status_replicas_unavailable",
		"Pods that are not available",
		({ status }) => status?.unavailableReplicas ?? 0,
	),
	value(
		"kube_deployment_status_replicas_updated",
		"Pods of the newest template",
		({ status }) => status?.updatedReplicas ?? 0,
	),
	value(
		"kube_deployment_status_terminating_replicas",
		"Pods that are ending",
		({ status }) => status?.terminatingReplicas,
	),
	value(
		"kube_deployment_status_observed_generation",
		"The generation that was seen last",
		({ status }) => status?.observedGeneration ?? 0,
	),
	{
		name: "kube_deployment_status_condition",
		help: "Its conditions",
		each({ status }, add) {
			for (const { type, status: is, reason = "" } of status?.conditions ?? [])
				addStatus(add, is, "status", {
					reason: deploymentReasons.has(reason) ? reason : "unknown",
					condition: type,
				});
		},
	},
]);

export const replicaSetFamilies = ofKind(replicaSets, named("replicaset"), [
	owners("replicaset"),
	created("replicaset"),
	generation("replicaset"),
	value("kube_replicaset_spec_replicas", "Pods that are wanted", ({ spec }) => spec.replicas),
	value("kube_replicaset_status_replicas", "Pods that there are", ({ status }) => status?.replicas ?? 0),
	value(
		"kube_replicaset_status_fully_labeled_replicas",
		"Pods with all labels of the template",
		({ status }) => status?.fullyLabeledReplicas ?? 0,
	),
	value("kube_replicaset_status_ready_replicas", "Pods that are ready", ({ status }) => status?.readyReplicas ?? 0),
	value(
		"kube_replicaset_status_terminating_replicas",
		"Pods that are ending",
		({ status }) => status?.terminatingReplicas,
	),
	value(
		"kube_replicaset_status_observed_generation",
		"The generation that was seen last",
		({ status }) => status?.observedGeneration ?? 0,
	),
]);

export const replicationControllerFamilies = ofKind(replicationControllers, named("replicationcontroller"), [
	owners("replicationcontroller"),
	created("replicationcontroller"),
	generation("replicationcontroller"),
	value("kube_replicationcontroller_spec_replicas", "Pods that are wanted", ({ spec }) => spec?.replicas),
	value("kube_replicationcontroller_status_replicas", "Pods that there are", ({ status }) => status?.replicas ?? 0),
	value(
		"kube_replicationcontroller_status_fully_labeled_replicas",
		"Pods with all labels of the template",
		({ status }) => status?.fullyLabeledReplicas ?? 0,
	),
	value(
		"kube_replicationcontroller_status_ready_replicas",
		"Pods that are ready",
		({ status }) => status?.readyReplicas ?? 0,
	),
	value(
		"kube_replicationcontroller_status_available_replicas",
		"Pods that are available",
		({ status }) => status?.availableReplicas ?? 0,
	),
	value(
		"kube_replicationcontroller_status_observed_generation",
		"The generation that was seen last",
		({ status }) => status?.observedGeneration ?? 0,
	),
]);

export const statefulSetFamilies = ofKind(statefulSets, named("statefulset"), [
	created("statefulset"),
	deletion("statefulset"),
	generation("statefulset"),
	value("kube_statefulset_replicas", "Pods that are wanted", ({ spec }) => spec.replicas),
	value(
		"kube_statefulset_ordinals_start",
		"The first ordinal",
		({ spec }) => spec.ordinals && (spec.ordinals.start ?? 0),
	),
	info("kube_statefulset_persistentvolumeclaim_retention_policy", "What becomes of its claims", ({ spec }) => {
		const policy = spec.persistentVolumeClaimRetentionPolicy;
		return policy && { when_deleted: policy.whenDeleted, when_scaled: policy.whenScaled };
	}),
	value("kube_statefulset_status_replicas", "Pods that there are", ({ status }) => status?.replicas ?? 0),
	value(
		"kube_statefulset_status_replicas_available",
		"Pods that are available",
		({ status }) => status?.availableReplicas ?? 0,
	),
	value(
		"kube_statefulset_status_replicas_current",
		"Pods of the current revision",
		({ status }) => status?.currentReplicas ?? 0,
	),
	value("kube_statefulset_status_replicas_ready", "Pods that are ready", ({ status }) => status?.readyReplicas ?? 0),
	value(
		"kube_statefulset_status_replicas_updated",
		"Pods of the newest revision",
		({ status }) => status?.updatedReplicas ?? 0,
	),
	value(
		"kube_statefulset_status_observed_generation",
		"The generation that was seen last",
		({ status }) => status?.observedGeneration ?? 0,
	),
	info("kube_statefulset_status_current_revision", "The revision that a rollout leads away from", ({ status }) => ({
		revision: status?.currentRevision,
	})),
	info("kube_statefulset_status_update_revision", "The revision that a rollout leads to", ({ status }) => ({
		revision: status?.updateRevision,
	})),
]);

export const daemonSetFamilies = ofKind(daemonSets, named("daemonset"), [
	created("daemonset"),
	deletion("daemonset"),
	generation("daemonset"),
	value(
		"kube_daemonset_status_current_number_scheduled",
		"Nodes that should have a pod and have one",
		({ status }) => status?.currentNumberScheduled ?? 0,
	),
	value(
		"kube_daemonset_status_desired_number_scheduled",
		"Nodes that should have a pod",
		({ status }) => status?.desiredNumberScheduled ?? 0,
	),
	value(
		"kube_daemonset_status_number_available",
		"Nodes whose pod is available",
		({ status }) => status?.numberAvailable ?? 0,
	),
	value(
		"kube_daemonset_status_number_misscheduled",
		"Nodes that have a pod and should not",
		({ status }) => status?.numberMisscheduled ?? 0,
	),
	value("kube_daemonset_status_number_ready", "Nodes whose pod is ready", ({ status }) => status?.numberReady ?? 0),
	value(
		"kube_daemonset_status_number_unavailable",
		"Nodes without an available pod",
		({ status }) => status?.numberUnavailable ?? 0,
	),
	value(
		"kube_daemonset_status_updated_number_scheduled",
		"Nodes whose pod is of the newest template",
		({ status }) => status?.updatedNumberScheduled ?? 0,
	),
	value(
		"kube_daemonset_status_observed_generation",
		"The generation that was seen last",
		({ status }) => status?.observedGeneration ?? 0,
	),
]);
