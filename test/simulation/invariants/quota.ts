import type { Pod, ResourceQuota } from "../../../src/kinds/generated/types.ts";
import { type Invariant, isFinished } from "./invariant.ts";

/** No more pods run than a quota allows, as far as its controller has come (as upstream). Those that are being deleted are let off after their grace, and so not counted here. */
export function quotasHold(): Invariant {
	return {
		observe(current, old, truth) {
			if (current?.kind !== "Pod" || old !== undefined) return;
			for (const object of truth.of("ResourceQuota")) {
				// It is of that kind.
				const limit = Number((object as ResourceQuota).status?.hard?.["pods"]);
				let count = 0;
				for (const pod of truth.of("Pod")) {
					// It is of that kind.
					if (pod.metadata.deletionTimestamp === undefined && !isFinished(pod as Pod)) count++;
				}
				if (count > limit) truth.violation(`${count} pods under a quota of ${limit}`);
			}
		},
	};
}
