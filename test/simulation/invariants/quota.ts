import type { Pod, ResourceQuota } from "../../../src/kinds/generated/types.ts";
import { type Invariant, isFinished, longestLagMs } from "./invariant.ts";

/**
 * No more pods run than a quota allows, as far as its controller has come (as upstream); requests that were under way
 * in the meantime may still have met the limit before. Those that are being deleted are let off after their grace, and
 * so not counted here.
 */
export function quotasHold(): Invariant {
	/** uid of a quota → its limit, and since when (`runningMs`) it stands. */
	const limits = new Map<string, { pods: number; sinceMs: number }>();
	return {
		observe(current, old, truth) {
			if (current?.kind === "ResourceQuota") {
				// It is of that kind.
				const pods = Number((current as ResourceQuota).status?.hard?.["pods"]);
				const { uid } = current.metadata;
				if (limits.get(uid)?.pods !== pods) limits.set(uid, { pods, sinceMs: truth.runningMs() });
			}
			if (current?.kind !== "Pod" || old !== undefined) return;
			for (const { metadata } of truth.of("ResourceQuota")) {
				const limit = limits.get(metadata.uid);
				if (limit === undefined || truth.runningMs() - limit.sinceMs < longestLagMs) continue;
				let count = 0;
				for (const pod of truth.of("Pod")) {
					// It is of that kind.
					if (pod.metadata.deletionTimestamp === undefined && !isFinished(pod as Pod)) count++;
				}
				if (count > limit.pods) truth.violation(`${count} pods under a quota of ${limit.pods}`);
			}
		},
	};
}
