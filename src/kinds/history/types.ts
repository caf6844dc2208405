/**
 * What a Run looks like: what became of one Job, kept when the Job and its pods are gone. Its schema is in schemas.ts.
 */
import type { ObjectMeta } from "../../core/object.ts";

/** `Skipped`: a CronJob's run that did not happen. `Deleted`: the Job was deleted before it had ended. */
export type RunResult = "Running" | "Succeeded" | "Failed" | "Deleted" | "Skipped";

export interface Run {
	apiVersion: string;
	kind: string;
	metadata: ObjectMeta;
	spec: RunSpec;
	status: RunStatus;
}

export interface RunSpec {
	/** Absent for a run that did not happen. */
	jobName?: string;
	jobUID?: string;
	cronJobName?: string;
	cronJobUID?: string;
	/** When the CronJob's schedule asked for it. */
	scheduledTime?: string;
	completions?: number;
	parallelism?: number;
}

export interface RunStatus {
	result: RunResult;
	/** Of the Job's condition: `BackoffLimitExceeded`, `DeadlineExceeded`; or why the run was skipped. */
	reason?: string;
	message?: string;
	startTime?: string;
	endTime?: string;
	/** How often the work was begun: pods and containers that failed count, and the one that succeeded or runs. */
	attempts?: number;
	succeeded?: number;
	failed?: number;
	pods?: RunPod[];
	/** Pods that there were besides those in `pods`. */
	podsLeftOut?: number;
	/** `Pending`: logs of containers that have ended are still expected. `Pruned`: they were removed to make room. */
	logs?: "Pending" | "Complete" | "Pruned";
	/** What the logs of the run take, compressed. */
	logBytes?: number;
	/** Of runs that did not happen, one after the other for the same reason. */
	skipped?: RunSkips;
}

export interface RunSkips {
	count: number;
	firstScheduledTime: string;
	lastScheduledTime: string;
	/** For runs that the cluster was not there for: when it went, and when it was back. */
	downSince?: string;
	downUntil?: string;
}

export interface RunPod {
	name: string;
	uid: string;
	node?: string;
	/** As in the pod's status; `Unknown` for a pod that was removed before it said how it ended. */
	phase: string;
	reason?: string;
	message?: string;
	/** Of an Indexed Job. */
	index?: number;
	startTime?: string;
	endTime?: string;
	containers?: RunContainer[];
}

export interface RunContainer {
	name: string;
	image?: string;
	imageID?: string;
	/** Whether it is an init container. */
	init?: boolean;
	/** Oldest first; the first one is number 0, as restarts are counted. */
	attempts?: RunAttempt[];
}

export interface RunAttempt {
	number: number;
	/** Absent while it runs, and if its exit was not observed. */
	exitCode?: number;
	reason?: string;
	message?: string;
	startTime?: string;
	endTime?: string;
	log?: RunLog;
}

/** A log that is kept. */
export interface RunLog {
	/** As the container wrote it, with the time of each line. */
	bytes: number;
	/** What it takes, compressed. */
	storedBytes: number;
	/** Bytes at its beginning that were not kept. */
	omittedBytes?: number;
}
