import type { InformerCache } from "../../client/informer-cache.ts";
import { controllerOf, type OwnerReference, objectKey, parseKey } from "../../core/object.ts";
import { jobs } from "../../kinds/batch/job.ts";
import { isJobFinished } from "../../kinds/batch/job-finished.ts";
import type { Pod } from "../../kinds/generated/types.ts";
import { pods } from "../../kinds/pod/pod.ts";
import { selectorOf } from "../podcontrol/claim.ts";
import { confirmAbsent } from "../runtime/actions.ts";
import { type Action, type Controller, watchRule } from "../runtime/controller.ts";
import { untrack } from "./claim.ts";
import { isManagedElsewhere } from "./controller.ts";
import { isTracked } from "./pods.ts";

interface Orphan {
	pod: Pod;
	/** The owner that seems to be missing; undefined if the pod has none, or a finished one. */
	missing: OwnerReference | undefined;
}

/** Removes the Job controller's finalizer from pods that no Job will count: their Job was deleted or has finished. */
export const jobOrphanController: Controller<Orphan> = {
	name: "job-orphan",
	component: "job-controller",
	watches: [
		watchRule(pods, (current) => (current !== undefined && isTracked(current) ? [objectKey(current)] : [])),
		watchRule(jobs, (current, old, informers) => {
			const ended = current === undefined || (isJobFinished(current) && (old === undefined || !isJobFinished(old)));
			const job = current ?? old;
			if (!ended || job === undefined) return [];
			return [...informers.of(pods).controlledBy(job.metadata.uid)].filter(isTracked).map(objectKey);
		}),
	],
	gather(key, informers) {
		const { namespace, name } = parseKey(key);
		const pod = informers.of(pods).get(namespace, name);
		if (pod === undefined || !isTracked(pod)) return undefined;
		const owner = controllerOf(pod);
		if (owner === undefined) return isWanted(pod, informers) ? undefined : { pod, missing: undefined };
		if (owner.kind !== jobs.kind) return undefined;
		const job = informers.of(jobs).get(namespace, owner.name);
		if (job === undefined || job.metadata.uid !== owner.uid) return { pod, missing: owner };
		return isJobFinished(job) && !isManagedElsewhere(job) ? { pod, missing: undefined } : undefined;
	},
	// Jobs and pods have separate watches: a Job that is not visible yet would never count what is released here.
	plan: ({ pod, missing }) => ({
		actions: [...(missing === undefined ? [] : [confirmGone(pod, missing)]), untrack(pod)],
	}),
};

function confirmGone({ metadata }: Pod, { name, uid }: OwnerReference): Action {
	return confirmAbsent(jobs, { namespace: metadata.namespace, name }, uid);
}

/** Whether a Job is about to adopt the pod. */
function isWanted({ metadata }: Pod, informers: InformerCache): boolean {
	if (metadata.deletionTimestamp !== undefined) return false;
	for (const job of informers.of(jobs).list(metadata.namespace)) {
		if (isJobFinished(job) || job.metadata.deletionTimestamp !== undefined) continue;
		if (selectorOf(job.spec.selector).matches(metadata.labels)) return true;
	}
	return false;
}
