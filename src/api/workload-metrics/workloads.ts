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
		help: "Owner",
		each({ metadata: { ownerReferences = [] } }, add) {
			if (ownerReferences.length === 0) add(1, { owner_kind: "", owner_name: "" });
			for (const { kind, name } of ownerReferences) add(1, { owner_kind: kind, owner_name: name });
		},
	},
	created("deployment"),
	deletion("deployment"),
	generation("deployment"),
	value("kube_deployment_spec_replicas", "Desired number of pods", ({ spec }) => spec.replicas),
	value("kube_deployment_spec_paused", "Whether it is paused", ({ spec }) => (spec.paused === true ? 1 : 0)),
	value(
		"kube_deployment_spec_strategy_rollingupdate_max_unavailable",
		"Maximum number of unavailable pods during a rollout",
		({ spec }) => scaledNumber(spec.strategy?.rollingUpdate?.maxUnavailable, spec.replicas, "down"),
	),
	value(
		"kube_deployment_spec_strategy_rollingupdate_max_surge",
		"Maximum number of additional pods during a rollout",
		({ spec }) => scaledNumber(spec.strategy?.rollingUpdate?.maxSurge, spec.replicas, "up"),
	),
	value("kube_deployment_status_replicas", "Number of pods", ({ status }) => status?.replicas ?? 0),
	value("kube_deployment_status_replicas_ready", "Number of ready pods", ({ status }) => status?.readyReplicas ?? 0),
	value(
		"kube_deployment_status_replicas_available",
		"Number of available pods",
		({ status }) => status?.availableReplicas ?? 0,
	),
	value(
		"kube_deployment_status_replicas_unavailable",
		"Number of unavailable pods",
		({ status }) => status?.unavailableReplicas ?? 0,
	),
	value(
		"kube_deployment_status_replicas_updated",
		"Number of pods with the newest template",
		({ status }) => status?.updatedReplicas ?? 0,
	),
	value(
		"kube_deployment_status_terminating_replicas",
		"Number of terminating pods",
		({ status }) => status?.terminatingReplicas,
	),
	value(
		"kube_deployment_status_observed_generation",
		"Generation that the controller observed last",
		({ status }) => status?.observedGeneration ?? 0,
	),
	{
		name: "kube_deployment_status_condition",
		help: "Conditions by type and status",
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
	value("kube_replicaset_spec_replicas", "Desired number of pods", ({ spec }) => spec.replicas),
	value("kube_replicaset_status_replicas", "Number of pods", ({ status }) => status?.replicas ?? 0),
	value(
		"kube_replicaset_status_fully_labeled_replicas",
		"Number of pods with all labels of the template",
		({ status }) => status?.fullyLabeledReplicas ?? 0,
	),
	value("kube_replicaset_status_ready_replicas", "Number of ready pods", ({ status }) => status?.readyReplicas ?? 0),
	value(
		"kube_replicaset_status_terminating_replicas",
		"Number of terminating pods",
		({ status }) => status?.terminatingReplicas,
	),
	value(
		"kube_replicaset_status_observed_generation",
		"Generation that the controller observed last",
		({ status }) => status?.observedGeneration ?? 0,
	),
]);

export const replicationControllerFamilies = ofKind(replicationControllers, named("replicationcontroller"), [
	owners("replicationcontroller"),
	created("replicationcontroller"),
	generation("replicationcontroller"),
	value("kube_replicationcontroller_spec_replicas", "Desired number of pods", ({ spec }) => spec?.replicas),
	value("kube_replicationcontroller_status_replicas", "Number of pods", ({ status }) => status?.replicas ?? 0),
	value(
		"kube_replicationcontroller_status_fully_labeled_replicas",
		"Number of pods with all labels of the template",
		({ status }) => status?.fullyLabeledReplicas ?? 0,
	),
	value(
		"kube_replicationcontroller_status_ready_replicas",
		"Number of ready pods",
		({ status }) => status?.readyReplicas ?? 0,
	),
	value(
		"kube_replicationcontroller_status_available_replicas",
		"Number of available pods",
		({ status }) => status?.availableReplicas ?? 0,
	),
	value(
		"kube_replicationcontroller_status_observed_generation",
		"Generation that the controller observed last",
		({ status }) => status?.observedGeneration ?? 0,
	),
]);

export const statefulSetFamilies = ofKind(statefulSets, named("statefulset"), [
	created("statefulset"),
	deletion("statefulset"),
	generation("statefulset"),
	value("kube_statefulset_replicas", "Desired number of pods", ({ spec }) => spec.replicas),
	value("kube_statefulset_ordinals_start", "First ordinal", ({ spec }) => spec.ordinals && (spec.ordinals.start ?? 0)),
	info("kube_statefulset_persistentvolumeclaim_retention_policy", "Retention policy of its claims", ({ spec }) => {
		const policy = spec.persistentVolumeClaimRetentionPolicy;
		return policy && { when_deleted: policy.whenDeleted, when_scaled: policy.whenScaled };
	}),
	value("kube_statefulset_status_replicas", "Number of pods", ({ status }) => status?.replicas ?? 0),
	value(
		"kube_statefulset_status_replicas_available",
		"Number of available pods",
		({ status }) => status?.availableReplicas ?? 0,
	),
	value(
		"kube_statefulset_status_replicas_current",
		"Number of pods of the current revision",
		({ status }) => status?.currentReplicas ?? 0,
	),
	value("kube_statefulset_status_replicas_ready", "Number of ready pods", ({ status }) => status?.readyReplicas ?? 0),
	value(
		"kube_statefulset_status_replicas_updated",
		"Number of pods of the newest revision",
		({ status }) => status?.updatedReplicas ?? 0,
	),
	value(
		"kube_statefulset_status_observed_generation",
		"Generation that the controller observed last",
		({ status }) => status?.observedGeneration ?? 0,
	),
	info("kube_statefulset_status_current_revision", "Revision from which a rollout starts", ({ status }) => ({
		revision: status?.currentRevision,
	})),
	info("kube_statefulset_status_update_revision", "Revision to which a rollout leads", ({ status }) => ({
		revision: status?.updateRevision,
	})),
]);

export const daemonSetFamilies = ofKind(daemonSets, named("daemonset"), [
	created("daemonset"),
	deletion("daemonset"),
	generation("daemonset"),
	value(
		"kube_daemonset_status_current_number_scheduled",
		"Number of nodes that run a pod and should",
		({ status }) => status?.currentNumberScheduled ?? 0,
	),
	value(
		"kube_daemonset_status_desired_number_scheduled",
		"Number of nodes that should run a pod",
		({ status }) => status?.desiredNumberScheduled ?? 0,
	),
	value(
		"kube_daemonset_status_number_available",
		"Number of nodes with an available pod",
		({ status }) => status?.numberAvailable ?? 0,
	),
	value(
		"kube_daemonset_status_number_misscheduled",
		"Number of nodes that run a pod and should not",
		({ status }) => status?.numberMisscheduled ?? 0,
	),
	value(
		"kube_daemonset_status_number_ready",
		"Number of nodes with a ready pod",
		({ status }) => status?.numberReady ?? 0,
	),
	value(
		"kube_daemonset_status_number_unavailable",
		"Number of nodes without an available pod",
		({ status }) => status?.numberUnavailable ?? 0,
	),
	value(
		"kube_daemonset_status_updated_number_scheduled",
		"Number of nodes whose pod has the newest template",
		({ status }) => status?.updatedNumberScheduled ?? 0,
	),
	value(
		"kube_daemonset_status_observed_generation",
		"Generation that the controller observed last",
		({ status }) => status?.observedGeneration ?? 0,
	),
]);
