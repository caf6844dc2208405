import { priorityClasses, systemPriorities } from "../../../kinds/core/priorityclass.ts";
import { type AdmissionStep, refused } from "../../server/admission-step.ts";

/** The classes of the cluster's own pods stay. */
export const systemPriorityClasses: AdmissionStep = {
	name: "SystemPriorityClasses",
	on: { operations: ["delete"], kinds: [priorityClasses] },
	admit(request) {
		if (!Object.hasOwn(systemPriorities, request.name)) return undefined;
		throw refused(request, "this is a system priority class and cannot be deleted");
	},
};
