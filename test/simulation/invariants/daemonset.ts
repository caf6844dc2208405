import { controllerOf } from "../../../src/core/object.ts";
import type { DaemonSet, Pod } from "../../../src/kinds/generated/types.ts";
import { type Invariant, isFinished } from "./invariant.ts";

/**
 * Never more pods of a DaemonSet on a node than one that has not ended; where it may surge, two. A pod that is being
 * deleted counts until it has ended, but for a surge: then the one that takes over may come before.
 */
export function daemonPods(): Invariant {
	return {
		observe(current, old, truth) {
			if (current?.kind !== "Pod" || old !== undefined) return;
			const owner = controllerOf(current);
			if (owner?.kind !== "DaemonSet") return;
			// Owner references name the kind.
			const set = truth.byUid.get(owner.uid) as DaemonSet | undefined;
			if (set === undefined) return;
			const surge = set.spec.updateStrategy?.rollingUpdate?.maxSurge ?? 0;
			const surges = surge !== 0 && surge !== "0%";
			// It is of that kind.
			const node = nodeOf(current as Pod);
			let count = 0;
			for (const other of truth.controlledBy(set, "Pod")) {
				const pod = other as Pod;
				if (nodeOf(pod) !== node || isFinished(pod)) continue;
				if (!surges || pod.metadata.deletionTimestamp === undefined) count++;
			}
			if (count > (surges ? 2 : 1)) truth.violation(`${count} pods of DaemonSet ${set.metadata.name} on ${node}`);
		},
	};
}

/** Where the pod is, or is meant to go: daemon pods name their node in their affinity. */
function nodeOf(pod: Pod): string {
	const terms = pod.spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms;
	return pod.spec.nodeName ?? terms?.[0]?.matchFields?.[0]?.values?.[0] ?? "";
}
