import { conditionOf } from "../../core/conditions.ts";
import { objectKey, parseKey } from "../../core/object.ts";
import { parseTimestamp } from "../../core/time/clock.ts";
import { jobs } from "../../kinds/batch/job.ts";
import type { Job } from "../../kinds/generated/types.ts";
import { confirm, remove } from "../runtime/actions.ts";
import { type Controller, watchRule } from "../runtime/controller.ts";

/**
 * Removes finished Jobs after `spec.ttlSecondsAfterFinished` (Kubernetes documentation, "Automatic Cleanup for Finished
 * Jobs").
 */
export const ttlAfterFinishedController: Controller<Job> = {
	name: "ttl-after-finished",
	component: "ttl-after-finished-controller",
	watches: [
		watchRule(jobs, (current) =>
			current !== undefined && expiresAtMs(current) !== undefined ? [objectKey(current)] : [],
		),
	],
	gather(key, informers) {
		const { namespace, name } = parseKey(key);
		return informers.of(jobs).get(namespace, name);
	},
	plan(job, { nowMs }) {
		const atMs = expiresAtMs(job);
		if (atMs === undefined) return { actions: [] };
		if (atMs > nowMs) return { actions: [], requeueAtMs: atMs };
		const { uid, resourceVersion } = job.metadata;
		// With the resourceVersion that was checked: a Job whose TTL is extended concurrently is kept.
		const options = { propagationPolicy: "Foreground", preconditions: { uid, resourceVersion } } as const;
		return { actions: [confirm(jobs, job), remove(jobs, job, { options })] };
	},
};

/** Epoch milliseconds; undefined for a Job that is kept, or is being deleted. */
function expiresAtMs(job: Job): number | undefined {
	const ttlSeconds = job.spec.ttlSecondsAfterFinished;
	if (ttlSeconds === undefined || job.metadata.deletionTimestamp !== undefined) return undefined;
	const finished = ["Complete", "Failed"]
		.map((type) => conditionOf(job, type))
		.find((condition) => condition?.status === "True")?.lastTransitionTime;
	return finished === undefined ? undefined : parseTimestamp(finished) + ttlSeconds * 1000;
}
