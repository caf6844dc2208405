import type { Kind } from "../engine/kind.ts";
import type { Pod } from "../generated/types.ts";
import { podColumns } from "./pod-columns.ts";
import { isFinished } from "./pod-lifecycle.ts";
import { qosClass } from "./pod-qos.ts";
import { validatePodStatusUpdate, validatePodUpdate } from "./pod-update.ts";
import { podSpecWarnings } from "./pod-warnings.ts";
import { setPodDefaults } from "./spec/defaults.ts";
import { validatePodSpec } from "./spec/validate.ts";

export const pods: Kind<Pod> = {
	group: "",
	version: "v1",
	kind: "Pod",
	plural: "pods",
	singular: "pod",
	shortNames: ["po"],
	categories: ["all"],
	namespaced: true,
	schema: "Pod",
	subresources: { status: true },
	hasGeneration: true,
	nameRule: "dnsSubdomain",
	returnsDeleted: true,
	selectableFields: [
		{ path: "spec.nodeName", value: (pod) => pod.spec.nodeName ?? "" },
		// The name in the first versions of the API.
		{ path: "spec.host", value: (pod) => pod.spec.nodeName ?? "" },
		{ path: "spec.restartPolicy", value: (pod) => pod.spec.restartPolicy ?? "" },
		{ path: "spec.schedulerName", value: (pod) => pod.spec.schedulerName ?? "" },
		{ path: "spec.serviceAccountName", value: (pod) => pod.spec.serviceAccountName ?? "" },
		{ path: "spec.hostNetwork", value: (pod) => String(pod.spec.hostNetwork ?? false) },
		{ path: "status.phase", value: (pod) => pod.status?.phase ?? "" },
		{ path: "status.podIP", value: (pod) => pod.status?.podIP ?? "" },
		{ path: "status.podIPs", value: (pod) => pod.status?.podIP ?? "" },
		{ path: "status.nominatedNodeName", value: (pod) => pod.status?.nominatedNodeName ?? "" },
	],
	columns: podColumns,

	setDefaults(pod) {
		pod.spec ??= { containers: [] };
		setPodDefaults(pod.spec);
	},
	prepareForCreate(pod) {
		pod.status = { phase: "Pending", qosClass: qosClass(pod.spec) };
		const gated = (pod.spec.schedulingGates ?? []).length > 0;
		if (gated)
			pod.status.conditions = [
				{
					type: "PodScheduled",
					status: "False",
					reason: "SchedulingGated",
					message: "Scheduling is blocked due to non-empty scheduling gates",
				},
			];
		// Ephemeral containers are only added with their own subresource.
		delete pod.spec.ephemeralContainers;
		leastGrace(pod);
	},
	prepareForUpdate(pod, old) {
		leastGrace(pod);
		if (old.status === undefined) delete pod.status;
		else pod.status = old.status;
	},
	prepareForStatusUpdate(pod, old) {
		pod.status ??= {};
		// Agents that do not know the class do not remove it.
		if (pod.status.qosClass === undefined && old.status?.qosClass !== undefined)
			pod.status.qosClass = old.status.qosClass;
		// They also may not change the pod's owners.
		const { ownerReferences } = old.metadata;
		if (ownerReferences === undefined) delete pod.metadata.ownerReferences;
		else pod.metadata.ownerReferences = ownerReferences;
	},
	validate: (pod) => validatePodSpec(pod.spec, "spec"),
	validateUpdate: validatePodUpdate,
	validateStatusUpdate: validatePodStatusUpdate,
	warnings: (pod) => podSpecWarnings(pod.spec, "spec"),
	gracePeriodSeconds(pod, requestedSeconds) {
		// It is not running, or has finished: nothing to wait for.
		if (!pod.spec.nodeName || isFinished(pod)) return 0;
		const seconds = requestedSeconds ?? pod.spec.terminationGracePeriodSeconds ?? 0;
		return seconds < 0 ? 1 : seconds;
	},
};

/** Invalid grace periods of earlier versions become the shortest. */
function leastGrace({ spec }: Pod): void {
	if ((spec.terminationGracePeriodSeconds ?? 0) < 0) spec.terminationGracePeriodSeconds = 1;
}
