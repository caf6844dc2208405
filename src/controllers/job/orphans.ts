import type { Mirror } from "../../client/mirror.ts";
import { controllerOf, objectKey } from "../../core/object.ts";
import type { Pod } from "../../kinds/generated/types.ts";
import { jobs } from "../../kinds/job.ts";
import { pods } from "../../kinds/pod.ts";
import { type Controller, watchRule } from "../controller.ts";
import { selectorOf } from "../podcontrol/claim.ts";
import { untrack } from "./claim.ts";
import { isJobFinished } from "./conditions.ts";
import { isManagedElsewhere } from "./controller.ts";
import { isTracked } from "./pods.ts";

/** Frees pods that hold the finalizer of the job controller although no job will count them: their job is gone or has finished. */
export const jobOrphanController: Controller<Pod> = {
	name: "job-orphan",
	component: "job-controller",
	watches: [
		watchRule(pods, (current) => (current !== undefined && isTracked(current) ? [objectKey(current)] : [])),
		watchRule(
			jobs,
			(current, old, mirror) => {
				const ended = current === undefined || (isJobFinished(current) && (old === undefined || !isJobFinished(old)));
				const job = current ?? old;
				if (!ended || job === undefined) return [];
				return [...mirror.of(pods).controlledBy(job.metadata.uid)].filter(isTracked).map(objectKey);
			},
			{ barrier: false },
		),
	],
	gather(key, mirror) {
		const [namespace, name = ""] = key.split("/");
		const pod = mirror.of(pods).get(namespace, name);
		if (pod === undefined || !isTracked(pod)) return undefined;
		const owner = controllerOf(pod);
		if (owner === undefined) return isWanted(pod, mirror) ? undefined : pod;
		if (owner.kind !== jobs.kind) return undefined;
		const job = mirror.of(jobs).get(namespace, owner.name);
		if (job === undefined || job.metadata.uid !== owner.uid) return pod;
		return isJobFinished(job) && !isManagedElsewhere(job) ? pod : undefined;
	},
	plan: (pod) => ({ actions: [untrack(pod)] }),
};

/** Whether a job is about to adopt the pod. */
function isWanted({ metadata }: Pod, mirror: Mirror): boolean {
	if (metadata.deletionTimestamp !== undefined) return false;
	for (const job of mirror.of(jobs).list(metadata.namespace)) {
		if (isJobFinished(job) || job.metadata.deletionTimestamp !== undefined) continue;
		if (selectorOf(job.spec.selector).matches(metadata.labels)) return true;
	}
	return false;
}
