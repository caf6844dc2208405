import { priorityClasses, systemPriorities } from "../../../kinds/core/priorityclass.ts";
import type { PriorityClass } from "../../../kinds/generated/types.ts";
import { keyPrefix } from "../../cache/keys.ts";
import { type AdmissionStep, refused } from "../../server/admission-step.ts";

/** Rejects the deletion of system classes. */
export const systemPriorityClasses: AdmissionStep = {
	name: "SystemPriorityClasses",
	on: { operations: ["delete"], kinds: [priorityClasses] },
	admit(request) {
		if (!Object.hasOwn(systemPriorities, request.name)) return undefined;
		throw refused(request, "this is a system priority class and cannot be deleted");
	},
};

/** Only one class may be the default. */
export const oneDefaultPriority: AdmissionStep = {
	name: "Priority",
	on: { operations: ["create", "update"], kinds: [priorityClasses] },
	admit(request) {
		// Steps see the kinds that they ask for.
		if (!(request.object as PriorityClass).globalDefault) return undefined;
		for (const { object } of request.server.cache.resource(priorityClasses).range(keyPrefix(priorityClasses))) {
			if (!object.globalDefault || object.metadata.name === request.name) continue;
			const { name } = object.metadata;
			throw refused(request, `PriorityClass ${name} is already marked as default. Only one default can exist`);
		}
		return undefined;
	},
};
