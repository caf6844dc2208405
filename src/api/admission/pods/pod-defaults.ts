/** Defaults that upstream sets in admission: priority and tolerations. */
import { deepFreeze } from "../../../core/object.ts";
import { priorityClasses } from "../../../kinds/core/priorityclass.ts";
import type { Pod, PriorityClass, Toleration } from "../../../kinds/generated/types.ts";
import { pods } from "../../../kinds/pod/pod.ts";
import { keyPrefix } from "../../cache/keys.ts";
import { type AdmissionStep, refused } from "../../server/admission-step.ts";
import type { AdmissionAttributes } from "../../server/server.ts";

/** Default tolerations for lost nodes; all pods share these objects. */
const toGoneNodes = deepFreeze(
	["node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"].map((key) => ({
		key,
		operator: "Exists",
		effect: "NoExecute",
		tolerationSeconds: 300,
	})),
);

export const defaultTolerationSeconds: AdmissionStep = {
	name: "DefaultTolerationSeconds",
	on: { operations: ["create", "update"], kinds: [pods] },
	admit({ object }) {
		const { spec } = object as Pod;
		const tolerations = spec.tolerations ?? [];
		const missing = toGoneNodes.filter(({ key }) => !tolerations.some((toleration) => tolerates(toleration, key)));
		if (missing.length > 0) spec.tolerations = tolerations.concat(missing);
	},
};

function tolerates({ key, effect }: Toleration, taint: string): boolean {
	return (
		(key === undefined || key === "" || key === taint) &&
		(effect === undefined || effect === "" || effect === "NoExecute")
	);
}

export const priority: AdmissionStep = {
	name: "Priority",
	on: { operations: ["create", "update"], kinds: [pods] },
	admit(request) {
		const { spec } = request.object as Pod;
		if (request.old !== undefined) return keepPriority(spec, (request.old as Pod).spec);
		const found = classFor(request, spec.priorityClassName ?? "");
		const value = found?.value ?? 0;
		const policy = found?.preemptionPolicy ?? "PreemptLowerPriority";
		if (spec.priority !== undefined && spec.priority !== value)
			throw refused(
				request,
				`the integer value of priority (${spec.priority}) must not be provided in pod spec; priority admission controller computed ${value} from the given PriorityClass name`,
			);
		if (spec.preemptionPolicy !== undefined && spec.preemptionPolicy !== policy)
			throw refused(
				request,
				`the string value of PreemptionPolicy (${spec.preemptionPolicy}) must not be provided in pod spec; priority admission controller computed ${policy} from the given PriorityClass name`,
			);
		if (found !== undefined) spec.priorityClassName = found.metadata.name;
		spec.priority = value;
		spec.preemptionPolicy = policy;
	},
};

/** Fields that are absent in an update are kept; validation rejects changed ones. */
function keepPriority(spec: Pod["spec"], { priority: value, preemptionPolicy }: Pod["spec"]): undefined {
	if (spec.priority === undefined && value !== undefined) spec.priority = value;
	if (spec.preemptionPolicy === undefined && preemptionPolicy !== undefined) spec.preemptionPolicy = preemptionPolicy;
}

/** The class that the pod names, else the default class, else none. */
function classFor(request: AdmissionAttributes, name: string): PriorityClass | undefined {
	const { cache } = request.server;
	if (name !== "") {
		const named = cache.find(priorityClasses, undefined, name);
		if (named === undefined) throw refused(request, `no PriorityClass with name ${name} was found`);
		return named;
	}
	let lowest: PriorityClass | undefined;
	for (const { object: candidate } of cache.resource(priorityClasses).range(keyPrefix(priorityClasses))) {
		// Of several, the one with the lowest value, as upstream.
		if (candidate.globalDefault && (lowest === undefined || (candidate.value ?? 0) < (lowest.value ?? 0)))
			lowest = candidate;
	}
	return lowest;
}
