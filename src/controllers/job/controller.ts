import { sameJson } from "../../core/equal.ts";
import { objectKey, parseKey } from "../../core/object.ts";
import { jobs } from "../../kinds/batch/job.ts";
import { isJobFinished } from "../../kinds/batch/job-finished.ts";
import { nodes } from "../../kinds/core/node.ts";
import type { Node, Pod } from "../../kinds/generated/types.ts";
import { pods } from "../../kinds/pod/pod.ts";
import { perNodeOf } from "../../kinds/self-help/per-node.ts";
import { gatherClaimable, selectorOf, watchOwned } from "../podcontrol/claim.ts";
import { coalesceMsFor } from "../podcontrol/coalesce.ts";
import { matters } from "../podcontrol/pods.ts";
import { type Controller, type InformerCache, watchRule } from "../runtime/controller.ts";
import { type JobState, plan } from "./plan.ts";
import { isTracked, restartsOf } from "./pods.ts";

/** The value of `spec.managedBy` for this controller. */
const ownName = "kubernetes.io/job-controller";

/** Jobs that run once on each node, under `true`. */
const perNodeIndex = "job/per-node";

export function isManagedElsewhere({ spec }: { spec: { managedBy?: string } }): boolean {
	return spec.managedBy !== undefined && spec.managedBy !== ownName;
}

/** Runs pods to completion (Kubernetes documentation, "Jobs"). orphans.ts handles pods that no Job counts any more. */
export const jobController: Controller<JobState> = {
	name: "job",
	component: "job-controller",
	watches: [
		watchRule(
			jobs,
			(current, old) => {
				const job = current ?? old;
				return job === undefined ? [] : [objectKey(job)];
			},
			{ indexes: { [perNodeIndex]: (job) => (perNodeOf(job) === undefined ? [] : ["true"]) } },
		),
		watchRule(nodes, nodeKeys, { expectations: false }),
		watchOwned(jobs, pods, (job) => selectorOf(job.spec.selector), matterToJob),
	],
	gather(key, informers) {
		const { namespace, name } = parseKey(key);
		const job = informers.of(jobs).get(namespace, name);
		if (job === undefined || isJobFinished(job) || isManagedElsewhere(job)) return undefined;
		const claimable = gatherClaimable<Pod>(informers, pods, job, selectorOf(job.spec.selector));
		if (perNodeOf(job) === undefined) return { job, ...claimable };
		return { job, nodes: [...informers.of(nodes).list()], ...claimable };
	},
	plan,
	coalesceMs(key, informers) {
		const { namespace, name } = parseKey(key);
		return coalesceMsFor(informers.of(jobs).get(namespace, name)?.spec.parallelism);
	},
};

/** Per-node Jobs, when a node is added or removed, or starts or stops matching. Heartbeats are irrelevant here. */
function nodeKeys(current: Node | undefined, old: Node | undefined, informers: InformerCache): string[] {
	const matters =
		current?.metadata.uid !== old?.metadata.uid ||
		!sameJson(current?.metadata.labels, old?.metadata.labels) ||
		!sameJson(current?.spec?.taints, old?.spec?.taints);
	return matters ? [...informers.of(jobs).byIndex(perNodeIndex, "true")].map(objectKey) : [];
}

function matterToJob(current: Pod | undefined, old: Pod | undefined): boolean {
	if (current === undefined || old === undefined || matters(current, old)) return true;
	if (isTracked(current) !== isTracked(old)) return true;
	return current.spec.restartPolicy === "OnFailure" && restartsOf(current) !== restartsOf(old);
}
