/** The type Run: the result of one Job, kept when the Job and its pods were deleted. Its schema is in schemas.ts. */
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
	/** The scheduled time of the CronJob. */
	scheduledTime?: string;
	completions?: number;
	parallelism?: number;
}

export interface RunStatus {
	result: RunResult;
	/** Reason of the Job's condition: `BackoffLimitExceeded`, `DeadlineExceeded`; or why the run was skipped. */
	reason?: string;
	message?: string;
	startTime?: string;
	endTime?: string;
	/** The number of attempts: failed pods and containers, and the one that succeeded or is running. */
	attempts?: number;
	succeeded?: number;
	failed?: number;
	pods?: RunPod[];
	/** The number of pods that `pods` does not include. */
	podsLeftOut?: number;
	/** `Pending`: logs of terminated containers are still expected. `Pruned`: they were removed to make room. */
	logs?: "Pending" | "Complete" | "Pruned";
	/** Size of the run's logs, compressed. */
	logBytes?: number;
	/** For consecutive runs that did not happen for the same reason. */
	skipped?: RunSkips;
}

export interface RunSkips {
	count: number;
	firstScheduledTime: string;
	lastScheduledTime: string;
	/** For runs during downtime of the cluster: its beginning and end. */
	downSince?: string;
	downUntil?: string;
}

export interface RunPod {
	name: string;
	uid: string;
	node?: string;
	/** As in the pod's status; `Unknown` for a pod that was removed before it reported its end. */
	phase: string;
	reason?: string;
	message?: string;
	/** For an Indexed Job. */
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
	/** Oldest first; numbers begin with 0, like restart counts. */
	attempts?: RunAttempt[];
}

export interface RunAttempt {
	number: number;
	/** Absent while it is running, and if its exit was not observed. */
	exitCode?: number;
	reason?: string;
	message?: string;
	startTime?: string;
	endTime?: string;
	log?: RunLog;
}

/** A stored log. */
export interface RunLog {
	/** Size of the container's output, including the time of each line. */
	bytes: number;
	/** Size in the store, compressed. */
	storedBytes: number;
	/** The number of bytes at its beginning that were not kept. */
	omittedBytes?: number;
}
