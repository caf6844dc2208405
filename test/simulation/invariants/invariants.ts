/** What must be true after every commit, whatever went wrong before. What must be true at rest is in rest.ts. */
import { disruptionBudgets } from "./budget.ts";
import { scheduledTimes } from "./cronjob.ts";
import { daemonPods } from "./daemonset.ts";
import type { Invariant } from "./invariant.ts";
import { jobCounts, oncePerNode } from "./job.ts";
import { allTold } from "./notifications.ts";
import { workloadOrder } from "./order.ts";
import { orphansStay } from "./orphan.ts";
import { quotasHold } from "./quota.ts";
import { runsKept } from "./runs.ts";
import { keptClaims, scaledClaims, statefulSetOrder } from "./statefulset.ts";

/** In addition machines.ts sees that no two pods of one identity run at once. */
export function invariants(): Invariant[] {
	return [
		statefulSetOrder(),
		keptClaims(),
		scaledClaims(),
		daemonPods(),
		jobCounts(),
		oncePerNode(),
		workloadOrder(),
		scheduledTimes(),
		disruptionBudgets(),
		orphansStay(),
		quotasHold(),
		runsKept(),
		allTold(),
	];
}
