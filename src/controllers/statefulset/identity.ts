/**
 * The identity of a StatefulSet's pods: ordinals, names and labels (Kubernetes documentation, "StatefulSets", "Pod
 * Identity"; KEP-3335).
 */
import type { Draft } from "../../core/object.ts";
import type { Pod, PodTemplateSpec, StatefulSet } from "../../kinds/generated/types.ts";
import { editablePod } from "../podcontrol/template.ts";
import { withClaimVolumes } from "./claims.ts";

const revisionLabel = "controller-revision-hash";
const podNameLabel = "statefulset.kubernetes.io/pod-name";
const podIndexLabel = "apps.kubernetes.io/pod-index";

export function replicasOf(set: StatefulSet): number {
	return set.spec.replicas ?? 1;
}

export function startOf(set: StatefulSet): number {
	return set.spec.ordinals?.start ?? 0;
}

/** Whether the set should have a pod with this ordinal. */
export function inRange(set: StatefulSet, ordinal: number): boolean {
	return ordinal >= startOf(set) && ordinal < startOf(set) + replicasOf(set);
}

export function podName(set: StatefulSet, ordinal: number): string {
	return `${set.metadata.name}-${ordinal}`;
}

/** The ordinal of a pod whose name belongs to the set; undefined for others. */
export function ordinalOf(set: StatefulSet, pod: Pod): number | undefined {
	const { name } = pod.metadata;
	const prefix = `${set.metadata.name}-`;
	const digits = name.startsWith(prefix) ? name.slice(prefix.length) : "";
	return /^(0|[1-9]\d*)$/.test(digits) ? Number(digits) : undefined;
}

export function revisionOf(pod: Pod): string {
	return pod.metadata.labels?.[revisionLabel] ?? "";
}

/** Labels that identify the pod. */
export function identityLabels(set: StatefulSet, ordinal: number): Record<string, string> {
	return { [podNameLabel]: podName(set, ordinal), [podIndexLabel]: `${ordinal}` };
}

export function newPod(set: StatefulSet, template: PodTemplateSpec, revision: string, ordinal: number): Draft<Pod> {
	const pod = editablePod(set, template);
	const name = podName(set, ordinal);
	pod.metadata.name = name;
	pod.metadata.labels = Object.assign({}, pod.metadata.labels, identityLabels(set, ordinal), {
		[revisionLabel]: revision,
	});
	pod.spec.hostname = name;
	if (set.spec.serviceName) pod.spec.subdomain = set.spec.serviceName;
	const volumes = withClaimVolumes(set, pod.spec.volumes, ordinal);
	if (volumes.length > 0) pod.spec.volumes = volumes;
	return pod;
}
