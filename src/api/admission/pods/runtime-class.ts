/** Sets a pod's overhead and the nodes that have its runtime, from its RuntimeClass. */

import { sameJson } from "../../../core/equal.ts";
import { runtimeClasses } from "../../../kinds/core/runtimeclass.ts";
import type { Pod } from "../../../kinds/generated/types.ts";
import { pods } from "../../../kinds/pod/pod.ts";
import { type AdmissionStep, refused } from "../../server/admission-step.ts";

export const runtimeClass: AdmissionStep = {
	name: "RuntimeClass",
	on: { operations: ["create"], kinds: [pods] },
	admit(request) {
		const { spec } = request.object as Pod;
		const name = spec.runtimeClassName ?? "";
		if (name === "") {
			if (spec.overhead !== undefined && Object.keys(spec.overhead).length > 0)
				throw refused(request, "pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead");
			return;
		}
		const found = request.server.cache.find(runtimeClasses, undefined, name);
		if (found === undefined) throw refused(request, `pod rejected: RuntimeClass "${name}" not found`);
		const overhead = found.overhead?.podFixed;
		if (spec.overhead !== undefined && !sameJson(spec.overhead, overhead ?? {}))
			throw refused(request, "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead");
		if (overhead !== undefined) spec.overhead = { ...overhead };
		const { nodeSelector = {}, tolerations = [] } = found.scheduling ?? {};
		for (const [label, value] of Object.entries(nodeSelector)) {
			const own = spec.nodeSelector?.[label];
			if (own !== undefined && own !== value)
				throw refused(
					request,
					`pod rejected: conflict: runtimeClass.scheduling.nodeSelector[${label}] = ${value}; pod.spec.nodeSelector[${label}] = ${own}`,
				);
			spec.nodeSelector = { ...spec.nodeSelector, [label]: value };
		}
		if (tolerations.length > 0) spec.tolerations = [...(spec.tolerations ?? []), ...tolerations];
	},
};
