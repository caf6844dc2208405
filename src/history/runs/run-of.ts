/** The run of a Job, computed from the Job, its pods, the facts, and the run as last written. Pure. */
import { parseTimestamp, timestamp } from "../../core/time/clock.ts";
import { cronJobLabel, cronJobOf, scheduledTimeOf } from "../../kinds/batch/cronjob-jobs.ts";
import type { Job, Pod } from "../../kinds/generated/types.ts";
import type { Run, RunPod, RunSpec, RunStatus } from "../../kinds/history/types.ts";
import { workloadAnnotations } from "../../kinds/notify/annotations.ts";
import type { Fact } from "../records/facts.ts";
import { runName, runUid } from "../records/keys.ts";
import { boundedPods, runPodOf, withEnded } from "./pods-of.ts";

/** Everything known about one Job. */
export interface Known {
	namespace: string;
	name: string;
	uid: string;
	/** Its current state; undefined if it was removed, or does not exist yet. */
	job: Job | undefined;
	pods: readonly Pod[];
	/** Oldest first. */
	facts: readonly Fact[];
	/** As last written. */
	before: Run | undefined;
}

/** How long a run waits for logs after its end. */
export const logPatienceMs = 60_000;

/** Undefined while nothing worth recording is known. */
export function runOf({ namespace, name, uid, job, pods, facts, before }: Known, nowMs: number): Run | undefined {
	const removed = facts.findLast((fact) => fact.type === "job");
	const last = job ?? removed?.object;
	if (last === undefined && before === undefined) return undefined;
	const found = podsOf(before?.status.pods ?? [], pods, facts);
	const bounded = boundedPods(found);
	const { pods: shown } = bounded;
	const leftOut = Math.max(bounded.leftOut, before?.status.podsLeftOut ?? 0);
	const now = last === undefined ? endOfKnown(before) : endOf(last, job === undefined, removed?.at ?? timestamp(nowMs));
	// A finished run cannot continue: the Job's state is older than the recorded one.
	const end = now.result === "Running" && hasEnded(before) ? endOfKnown(before) : now;
	const startTime = last?.status?.startTime ?? before?.status.startTime ?? last?.metadata.creationTimestamp;
	const status: RunStatus = {
		result: end.result,
		...(end.reason && { reason: end.reason }),
		...(end.message && { message: end.message }),
		...(startTime && { startTime }),
		...(end.endTime && { endTime: end.endTime }),
		attempts: attemptsOf(shown, last, before, leftOut),
		succeeded: Math.max(last?.status?.succeeded ?? 0, before?.status.succeeded ?? 0, count(shown, "Succeeded")),
		failed: Math.max(last?.status?.failed ?? 0, before?.status.failed ?? 0, count(shown, "Failed")),
		...(shown.length > 0 && { pods: shown }),
		...(leftOut > 0 && { podsLeftOut: leftOut }),
		...logsOf(shown, end.endTime, before, facts, nowMs),
	};
	const metadata = before?.metadata;
	return {
		apiVersion: "history.coxswain.io/v1",
		kind: "Run",
		metadata: {
			name: runName(name, uid),
			namespace,
			uid: runUid(uid),
			creationTimestamp: metadata?.creationTimestamp ?? timestamp(nowMs),
			labels: last === undefined ? (metadata?.labels ?? {}) : labelsOf(last),
			...annotationsOf(last?.metadata ?? metadata),
			// The stored value does not contain the resourceVersion.
		} as Run["metadata"],
		spec: last === undefined ? (before?.spec ?? {}) : specOf(last),
		status,
	};
}

/** The Job's labels, except those that identify the run, which a Job could forge. */
function labelsOf({ metadata }: Job): Record<string, string> {
	const { [cronJobLabel]: _, ...labels } = metadata.labels ?? {};
	const owner = cronJobOf(metadata);
	return {
		...labels,
		"job-name": metadata.name,
		...(owner && { [cronJobLabel]: owner.name }),
	};
}

/** The object of the run's Events. */
function annotationsOf(metadata: Job["metadata"] | undefined): Pick<Job["metadata"], "annotations"> {
	const all = metadata?.annotations;
	if (all === undefined) return {};
	const kept = workloadAnnotations.filter((name) => all[name] !== undefined).map((name) => [name, all[name] ?? ""]);
	return kept.length === 0 ? {} : { annotations: Object.fromEntries(kept) };
}

function specOf({ metadata, spec }: Job): RunSpec {
	const owner = cronJobOf(metadata);
	const scheduledTime = scheduledTimeOf(metadata.annotations);
	return {
		jobName: metadata.name,
		jobUID: metadata.uid,
		...(owner && { cronJobName: owner.name, cronJobUID: owner.uid }),
		...(scheduledTime && { scheduledTime }),
		...(spec.completions !== undefined && { completions: spec.completions }),
		...(spec.parallelism !== undefined && { parallelism: spec.parallelism }),
	};
}

interface End extends Pick<RunStatus, "result" | "reason" | "message" | "endTime"> {}

function endOf({ metadata, status, spec }: Job, gone: boolean, goneAt: string): End {
	const conditions = status?.conditions ?? [];
	const found = (type: string) => conditions.find((one) => one.type === type && one.status === "True");
	const complete = found("Complete");
	if (complete !== undefined) {
		const { reason, message, lastTransitionTime } = complete;
		// The usual reason adds nothing to the result.
		const unusual = reason !== undefined && reason !== "CompletionsReached" ? { reason, message } : {};
		return clean({ result: "Succeeded", ...unusual, endTime: status?.completionTime ?? lastTransitionTime });
	}
	const failed = found("Failed");
	if (failed !== undefined) {
		const { reason, message, lastTransitionTime } = failed;
		return clean({ result: "Failed", reason, message, endTime: lastTransitionTime });
	}
	if (gone) {
		const target = found("FailureTarget");
		const why = target && clean({ reason: target.reason, message: target.message });
		return { result: "Deleted", ...why, endTime: metadata.deletionTimestamp ?? goneAt };
	}
	return spec.suspend === true ? { result: "Running", reason: "Suspended" } : { result: "Running" };
}

/** The Job was deleted, and its result was recorded before. */
function endOfKnown(before: Run | undefined): End {
	const { result = "Deleted", reason, message, endTime } = before?.status ?? {};
	return clean({ result: result === "Running" ? "Deleted" : result, reason, message, endTime });
}

function hasEnded(run: Run | undefined): boolean {
	return run !== undefined && run.status.result !== "Running";
}

function clean<T extends object>(from: T): { [Key in keyof T]: Exclude<T[Key], undefined> } {
	// The remaining values are defined.
	return Object.fromEntries(Object.entries(from).filter(([, value]) => value !== undefined)) as never;
}

function podsOf(before: readonly RunPod[], pods: readonly Pod[], facts: readonly Fact[]): RunPod[] {
	const found = new Map(before.map((pod) => [pod.uid, pod]));
	const take = (pod: Pod, gone: boolean) =>
		found.set(pod.metadata.uid, runPodOf(pod, found.get(pod.metadata.uid), gone));
	for (const fact of facts) if (fact.type === "pod") take(fact.object, true);
	for (const pod of pods) take(pod, false);
	const present = new Set(pods.map(({ metadata }) => metadata.uid));
	for (const pod of found.values())
		if (!present.has(pod.uid) && (pod.phase === "Running" || pod.phase === "Pending"))
			found.set(pod.uid, { ...pod, phase: "Unknown" });
	for (const fact of facts) {
		if (fact.type !== "log") continue;
		const { podUid, podName } = fact.ended;
		const pod = found.get(podUid);
		// Of a pod that the run does not include (any more), only the log is kept, unless there is room for the pod.
		found.set(podUid, withEnded(pod ?? { name: podName, uid: podUid, phase: "Unknown" }, fact));
	}
	return [...found.values()];
}

function count(pods: readonly RunPod[], phase: string): number {
	return pods.filter((pod) => pod.phase === phase).length;
}

/** Failed pods and containers, and the one that succeeded or is running. */
function attemptsOf(pods: readonly RunPod[], job: Job | undefined, before: Run | undefined, leftOut: number): number {
	const failed = Math.max(job?.status?.failed ?? 0, count(pods, "Failed"));
	const succeeds = (job?.status?.succeeded ?? 0) > 0 || pods.some(({ phase }) => phase !== "Failed");
	let restarts = 0;
	for (const { containers = [] } of pods)
		restarts += Math.max(0, ...containers.map(({ attempts }) => attempts?.at(-1)?.number ?? 0));
	const counted = failed + restarts + (succeeds ? 1 : 0);
	return leftOut > 0 ? Math.max(counted, before?.status.attempts ?? 0) : counted;
}

function logsOf(
	pods: readonly RunPod[],
	endTime: string | undefined,
	before: Run | undefined,
	facts: readonly Fact[],
	nowMs: number,
): Pick<RunStatus, "logs" | "logBytes"> {
	if (before?.status.logs === "Pruned") return { logs: "Pruned" };
	let logBytes = before?.status.logBytes ?? 0;
	const known = new Set<string>();
	for (const { uid, containers = [] } of before?.status.pods ?? [])
		for (const { name, attempts = [] } of containers)
			for (const { number, log } of attempts) if (log !== undefined) known.add(`${uid}/${name}/${number}`);
	for (const fact of facts) {
		if (fact.type !== "log") continue;
		const { podUid, container, attempt } = fact.ended;
		if (!known.has(`${podUid}/${container}/${attempt}`)) logBytes += fact.log.storedBytes;
		known.add(`${podUid}/${container}/${attempt}`);
	}
	const missing = pods.some(({ containers = [] }) =>
		containers.some(({ attempts = [] }) =>
			attempts.some(({ endTime: end, log }) => end !== undefined && log === undefined),
		),
	);
	// Holds if the clock was set: a time days before the end can only mean that.
	const waits = endTime === undefined || (missing && Math.abs(nowMs - parseTimestamp(endTime)) < logPatienceMs);
	return { logs: waits ? "Pending" : "Complete", ...(logBytes > 0 && { logBytes }) };
}
