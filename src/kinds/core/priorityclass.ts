import type { Cause } from "../../core/errors.ts";
import { lookup } from "../../core/object.ts";
import { immutable, oneOf } from "../../core/validation/field-checks.ts";
import { forbidden } from "../../core/validation/field-errors.ts";
import { ageColumn, column, nameColumn } from "../engine/columns.ts";
import type { Kind } from "../engine/kind.ts";
import type { PriorityClass } from "../generated/types.ts";

const highestUserPriority = 1_000_000_000;
/** Pods of this priority or more are critical for the cluster or their node. */
export const systemCriticalPriority = 2_000_000_000;
/** Classes that every cluster has. */
export const systemPriorities: Readonly<Record<string, number>> = lookup({
	"system-cluster-critical": systemCriticalPriority,
	"system-node-critical": 2_000_001_000,
});

export const priorityClasses: Kind<PriorityClass> = {
	group: "scheduling.k8s.io",
	version: "v1",
	kind: "PriorityClass",
	plural: "priorityclasses",
	singular: "priorityclass",
	shortNames: ["pc"],
	categories: [],
	namespaced: false,
	schema: "PriorityClass",
	subresources: {},
	hasGeneration: true,
	nameRule: "dnsSubdomain",
	selectableFields: [],
	columns: [
		nameColumn,
		column("Value", "Priority of pods of the class.", ({ value }) => value ?? 0, "integer"),
		column(
			"Global-Default",
			"Whether pods without a class get this one.",
			({ globalDefault }) => globalDefault ?? false,
			"boolean",
		),
		ageColumn,
		column("PreemptionPolicy", "Whether pods of the class make room for themselves.", ({ preemptionPolicy }) => {
			return preemptionPolicy ?? "";
		}),
	],

	setDefaults(priorityClass) {
		priorityClass.preemptionPolicy ??= "PreemptLowerPriority";
		// Zero is a valid priority that clients expect to read.
		priorityClass.value ??= 0;
	},
	validate({ metadata, value = 0, preemptionPolicy }) {
		const causes: Cause[] = [];
		const name = metadata.name ?? "";
		if (name.startsWith("system-")) {
			if (systemPriorities[name] !== value)
				causes.push(
					forbidden("metadata.name", "priority class names with 'system-' prefix are reserved for system use only"),
				);
		} else if (value > highestUserPriority)
			causes.push(forbidden("value", `maximum allowed value of a user defined priority is ${highestUserPriority}`));
		return [...causes, ...oneOf(preemptionPolicy, ["Never", "PreemptLowerPriority"], "preemptionPolicy")];
	},
	validateUpdate: (next, old) => [
		...immutable(next.value, old.value, "value").map(() => forbidden("value", "may not be changed in an update.")),
		...immutable(next.preemptionPolicy, old.preemptionPolicy, "preemptionPolicy"),
	],
};
