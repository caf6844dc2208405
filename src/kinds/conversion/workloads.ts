/**
 * Workloads in extensions/v1beta1, apps/v1beta1 and apps/v1beta2 (API changes of Kubernetes 1.8, 1.9, 1.16): the first
 * two used the template's labels as the default selector, and all had different defaults.
 */
import type { KubeObject } from "../../core/object.ts";
import type { ServedVersion } from "../engine/kind.ts";
import type { DaemonSet, Deployment, ReplicaSet, StatefulSet } from "../generated/types.ts";
import { oldVersion } from "./deprecation.ts";

type Workload = Deployment | DaemonSet | ReplicaSet | StatefulSet;
/** "No limit" in the oldest version. */
const unlimited = 2 ** 31 - 1;
const v1beta1 = { deprecatedIn: "v1.9", removedIn: "v1.16", current: "apps/v1" };

/** Missing selectors and labels of the object default to the labels of its template. */
function selectByTemplate(workload: Workload, labelsToo: boolean): void {
	const labels = workload.spec.template?.metadata?.labels;
	if (labels === undefined) return;
	workload.spec.selector ??= { matchLabels: { ...labels } };
	if (labelsToo) workload.metadata.labels ??= { ...labels };
}

/** A decoded object of one of these kinds always has a spec. */
function deploymentOf(object: KubeObject): Deployment {
	return withSpec(object) as Deployment;
}

function withSpec(object: KubeObject): KubeObject {
	// This only checks whether a spec exists.
	const open = object as KubeObject & { spec?: unknown };
	open.spec ??= {};
	return object;
}

/** The current version has no such field; decoding accepts it for clients that validate strictly. */
function drop(spec: object, field: "rollbackTo" | "templateGeneration"): void {
	delete (spec as { [name in typeof field]?: unknown })[field];
}

function oldestDeployment(object: KubeObject, limits: { history: number; step: number | string }): void {
	const deployment = deploymentOf(object);
	selectByTemplate(deployment, true);
	const { spec } = deployment;
	drop(spec, "rollbackTo");
	spec.strategy ??= {};
	spec.strategy.type ||= "RollingUpdate";
	if (spec.strategy.type === "RollingUpdate") {
		spec.strategy.rollingUpdate ??= {};
		spec.strategy.rollingUpdate.maxUnavailable ??= limits.step;
		spec.strategy.rollingUpdate.maxSurge ??= limits.step;
	}
	spec.revisionHistoryLimit ??= limits.history;
}

export const oldDeployments: readonly ServedVersion[] = [
	oldVersion({
		...v1beta1,
		apiVersion: "extensions/v1beta1",
		kind: "Deployment",
		schema: "OldDeployment",
		toStorage(object) {
			oldestDeployment(object, { history: unlimited, step: 1 });
			deploymentOf(object).spec.progressDeadlineSeconds ??= unlimited;
		},
	}),
	oldVersion({
		...v1beta1,
		apiVersion: "apps/v1beta1",
		kind: "Deployment",
		schema: "OldDeployment",
		toStorage: (object) => oldestDeployment(object, { history: 2, step: "25%" }),
	}),
	oldVersion({ ...v1beta1, apiVersion: "apps/v1beta2", kind: "Deployment" }),
];

export const oldReplicaSets: readonly ServedVersion[] = [
	oldVersion({
		...v1beta1,
		apiVersion: "extensions/v1beta1",
		kind: "ReplicaSet",
		schema: "OldReplicaSet",
		toStorage(object) {
			// The lookup has determined the kind ReplicaSet.
			selectByTemplate(withSpec(object) as ReplicaSet, true);
		},
	}),
	oldVersion({ ...v1beta1, apiVersion: "apps/v1beta2", kind: "ReplicaSet" }),
];

export const oldDaemonSets: readonly ServedVersion[] = [
	oldVersion({
		...v1beta1,
		apiVersion: "extensions/v1beta1",
		kind: "DaemonSet",
		schema: "OldDaemonSet",
		toStorage(object) {
			// The lookup has determined the kind DaemonSet.
			const set = withSpec(object) as DaemonSet;
			selectByTemplate(set, true);
			drop(set.spec, "templateGeneration");
			set.spec.updateStrategy ??= {};
			set.spec.updateStrategy.type ||= "OnDelete";
		},
	}),
	oldVersion({ ...v1beta1, apiVersion: "apps/v1beta2", kind: "DaemonSet" }),
];

export const oldStatefulSets: readonly ServedVersion[] = [
	oldVersion({
		...v1beta1,
		apiVersion: "apps/v1beta1",
		kind: "StatefulSet",
		schema: "OldStatefulSet",
		toStorage(object) {
			// The lookup has determined the kind StatefulSet.
			const set = withSpec(object) as StatefulSet;
			selectByTemplate(set, true);
			set.spec.updateStrategy ??= {};
			set.spec.updateStrategy.type ||= "OnDelete";
		},
	}),
	oldVersion({ ...v1beta1, apiVersion: "apps/v1beta2", kind: "StatefulSet" }),
];
