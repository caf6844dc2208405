import type { Job, Pod } from "../../../src/kinds/generated/types.ts";
import type { Invariant } from "./invariant.ts";

/** No pod of `second` gets a node before the Job `first`, which it comes after, is complete (workloads.ts). */
export function workloadOrder(): Invariant {
	return {
		observe(current, old, truth) {
			if (current?.kind !== "Pod" || current.metadata.labels?.["app"] !== "second") return;
			// They are of that kind.
			if (!(current as Pod).spec.nodeName || (old as Pod | undefined)?.spec.nodeName) return;
			for (const job of truth.of("Job")) {
				// It is of that kind.
				const { metadata, status } = job as Job;
				if (metadata.name !== "first") continue;
				if (status?.conditions?.some(({ type, status: value }) => type === "Complete" && value === "True")) return;
			}
			truth.violation(`${current.metadata.name} runs before the Job first is complete`);
		},
	};
}
