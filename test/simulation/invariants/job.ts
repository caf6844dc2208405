import { controllerOf, type KubeObject } from "../../../src/core/object.ts";
import type { Job, Pod } from "../../../src/kinds/generated/types.ts";
import type { Truth } from "../truth.ts";
import type { Invariant } from "./invariant.ts";

const finalizer = "batch.kubernetes.io/job-tracking";

/** What is known of one Job's pods that succeeded. */
interface Successes {
	/** UIDs of pods. */
	pods: Set<string>;
	/** Their completion indexes. */
	indexes: Set<string>;
	/** UIDs of those that nothing holds any more: they have to be in the Job's status. */
	released: Set<string>;
}

/** Exactly `completions` successes are counted: none twice, none lost. */
export function jobCounts(): Invariant {
	const byJob = new Map<string, Successes>();
	return {
		observe(current, old, truth) {
			const object = current ?? old;
			// Each is of the kind that it says.
			if (object?.kind === "Pod") podChanged(byJob, [current, old] as [Pod | undefined, Pod | undefined], truth);
			if (current?.kind === "Job") jobChanged(byJob, current as Job, old as Job | undefined, truth);
		},
		atEnd(truth) {
			for (const job of truth.of("Job")) checkReleased(byJob, job, truth);
		},
	};
}

function podChanged(
	byJob: Map<string, Successes>,
	[current, old]: readonly [Pod | undefined, Pod | undefined],
	truth: Truth,
): void {
	const pod = current ?? old;
	const owner = pod && controllerOf(pod);
	if (owner?.kind !== "Job" || pod?.status?.phase !== "Succeeded") return;
	const { uid, annotations = {} } = pod.metadata;
	const successes = byJob.get(owner.uid) ?? { pods: new Set(), indexes: new Set(), released: new Set() };
	byJob.set(owner.uid, successes);
	successes.pods.add(uid);
	successes.indexes.add(annotations["batch.kubernetes.io/job-completion-index"] ?? "");
	// One that is being deleted counts as failed unless its success was seen before.
	const wasHeld = old?.status?.phase === "Succeeded" && old.metadata.deletionTimestamp === undefined && isHeld(old);
	if (!wasHeld || isHeld(current)) return;
	successes.released.add(uid);
	const job = truth.byUid.get(owner.uid);
	if (job !== undefined && job.metadata.deletionTimestamp === undefined) checkReleased(byJob, job, truth);
}

function isHeld(pod: Pod | undefined): boolean {
	return pod?.metadata.finalizers?.includes(finalizer) ?? false;
}

function checkReleased(byJob: Map<string, Successes>, object: KubeObject, truth: Truth): void {
	// Only Jobs control pods with the Job's finalizer.
	const { metadata, spec, status } = object as Job;
	const successes = byJob.get(metadata.uid);
	if (successes === undefined || spec.completionMode === "Indexed") return;
	const counted = (status?.succeeded ?? 0) + (status?.uncountedTerminatedPods?.succeeded?.length ?? 0);
	const { size } = successes.released;
	if (counted < size) truth.violation(`Job ${metadata.name} let go of ${size} successes and counts ${counted}`);
}

function jobChanged(byJob: Map<string, Successes>, job: Job, before: Job | undefined, truth: Truth): void {
	const { name, uid } = job.metadata;
	const count = job.status?.succeeded ?? 0;
	const indexed = job.spec.completionMode === "Indexed";
	const successes = byJob.get(uid);
	const real = (indexed ? successes?.indexes.size : successes?.pods.size) ?? 0;
	const completions = job.spec.completions ?? 1;
	if (count < (before?.status?.succeeded ?? 0)) truth.violation(`Job ${name} forgot a success`);
	if (count > real) truth.violation(`Job ${name} counts ${count} successes of ${real}`);
	if (count > completions) truth.violation(`Job ${name} counts ${count} successes, ${completions} were asked for`);
	if (!isComplete(job)) return;
	// Of the nodes of a Job that runs once on each, some are gone.
	if (isPerNode(job) && count > 0 && count <= completions) return;
	if (count !== completions) truth.violation(`Job ${name} is complete with ${count} of ${completions}`);
	if (before === undefined || !isComplete(before)) return;
	if (count !== before.status?.succeeded) truth.violation(`Job ${name} counted on after its completion`);
}

function isPerNode({ metadata }: Job): boolean {
	return metadata.annotations?.["coxswain.io/per-node"] !== undefined;
}

/** Where a Job runs once on each node, nothing begins where it is done. */
export function oncePerNode(): Invariant {
	return {
		observe(current, old, truth) {
			if (current?.kind !== "Pod" || old !== undefined) return;
			// Owner references name the kind.
			const job = truth.byUid.get(controllerOf(current)?.uid ?? "") as Job | undefined;
			if (job?.kind !== "Job" || !isPerNode(job)) return;
			const index = Number(current.metadata.annotations?.["batch.kubernetes.io/job-completion-index"]);
			const done = (job.status?.completedIndexes ?? "").split(",").some((part) => {
				const [first = "", last = first] = part.split("-");
				return part !== "" && Number(first) <= index && index <= Number(last);
			});
			const node = job.metadata.annotations?.["coxswain.io/nodes"]?.split(",")[index];
			if (done) truth.violation(`Job ${job.metadata.name} begins again on ${node}`);
		},
	};
}

function isComplete({ status }: Job): boolean {
	return status?.conditions?.some((condition) => condition.type === "Complete" && condition.status === "True") ?? false;
}
