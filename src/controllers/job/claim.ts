/**
 * A Job's pods: those that it controls, and orphans that its selector matches. Adopting a pod adds the finalizer,
 * releasing it removes the finalizer.
 */
import { controllerReference } from "../../core/object.ts";
import { jobs } from "../../kinds/batch/job.ts";
import type { Job, Pod } from "../../kinds/generated/types.ts";
import { pods } from "../../kinds/pod/pod.ts";
import { type Claimable, selectorOf } from "../podcontrol/claim.ts";
import { confirm, patch } from "../runtime/actions.ts";
import type { Action } from "../runtime/controller.ts";
import { isTracked, trackingFinalizer } from "./pods.ts";

export function claimPods(job: Job, { controlled, orphans }: Claimable<Pod>): { mine: Pod[]; actions: Action[] } {
	const selector = selectorOf(job.spec.selector);
	const deleted = job.metadata.deletionTimestamp !== undefined;
	const mine: Pod[] = [];
	const actions: Action[] = [];
	for (const pod of controlled) {
		if (selector.matches(pod.metadata.labels)) mine.push(pod);
		else if (!deleted) actions.push(letGo(pod, job));
	}
	if (deleted) return { mine, actions };
	const adoptions = orphans.filter((pod) => pod.metadata.deletionTimestamp === undefined).map((pod) => adopt(pod, job));
	if (adoptions.length > 0) actions.push(confirm(jobs, job), ...adoptions);
	return { mine, actions };
}

function adopt(pod: Pod, job: Job): Action {
	const finalizers = isTracked(pod) ? {} : { finalizers: [trackingFinalizer] };
	return patchMetadata(pod, { ownerReferences: [controllerReference(job)], ...finalizers });
}

function letGo(pod: Pod, job: Job): Action {
	return patchMetadata(pod, {
		ownerReferences: [{ $patch: "delete", uid: job.metadata.uid }],
		...(isTracked(pod) ? { "$deleteFromPrimitiveList/finalizers": [trackingFinalizer] } : {}),
	});
}

/** Removes the finalizer: the pod has been counted, or does not have to be. */
export function untrack(pod: Pod): Action {
	return patchMetadata(pod, { "$deleteFromPrimitiveList/finalizers": [trackingFinalizer] });
}

// The UID is a precondition: another pod with the same name is not changed.
function patchMetadata(pod: Pod, change: object): Action {
	const { namespace, name, uid } = pod.metadata;
	const body = { type: "strategic", patch: { metadata: { uid, ...change } } } as const;
	return patch(pods, { namespace, name }, body, { orGone: true });
}
