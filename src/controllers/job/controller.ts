import { objectKey } from "../../core/object.ts";
import type { Pod } from "../../kinds/generated/types.ts";
import { jobs } from "../../kinds/job.ts";
import { pods } from "../../kinds/pod.ts";
import { type Controller, watchRule } from "../controller.ts";
import { gatherClaimable, selectorOf, watchOwned } from "../podcontrol/claim.ts";
import { coalesceMsFor } from "../podcontrol/coalesce.ts";
import { matters } from "../podcontrol/pods.ts";
import { isJobFinished } from "./conditions.ts";
import { type JobState, plan } from "./plan.ts";
import { isTracked, restartsOf } from "./pods.ts";

/** The value of `spec.managedBy` that means this controller. */
const ownName = "kubernetes.io/job-controller";

export function isManagedElsewhere({ spec }: { spec: { managedBy?: string } }): boolean {
	return spec.managedBy !== undefined && spec.managedBy !== ownName;
}

/** Runs pods to completion (Kubernetes documentation, "Jobs"). Pods that no job counts any more are seen to by orphans.ts. */
export const jobController: Controller<JobState> = {
	name: "job",
	component: "job-controller",
	watches: [
		watchRule(jobs, (current, old) => {
			const job = current ?? old;
			return job === undefined ? [] : [objectKey(job)];
		}),
		watchOwned(jobs, pods, (job) => selectorOf(job.spec.selector), matterToJob),
	],
	gather(key, mirror) {
		const [namespace, name = ""] = key.split("/");
		const job = mirror.of(jobs).get(namespace, name);
		if (job === undefined || isJobFinished(job) || isManagedElsewhere(job)) return undefined;
		return { job, ...gatherClaimable<Pod>(mirror, pods, job, selectorOf(job.spec.selector)) };
	},
	plan,
	coalesceMs(key, mirror) {
		const [namespace, name = ""] = key.split("/");
		return coalesceMsFor(mirror.of(jobs).get(namespace, name)?.spec.parallelism);
	},
};

function matterToJob(current: Pod | undefined, old: Pod | undefined): boolean {
	if (current === undefined || old === undefined || matters(current, old)) return true;
	if (isTracked(current) !== isTracked(old)) return true;
	return current.spec.restartPolicy === "OnFailure" && restartsOf(current) !== restartsOf(old);
}
