/** The types of history.coxswain.io as data, with their descriptions: for `kubectl explain` and OpenAPI. */
import {
	type DescribedType,
	listOf,
	needed,
	number,
	objectFields,
	size,
	text,
	time,
} from "../engine/described-types.ts";

export const historyTypes: Readonly<Record<string, DescribedType>> = {
	Run: {
		description:
			"Run is what became of one Job, kept after the Job and its pods are gone, or the runs of a CronJob that did not happen. Runs are written by the cluster and can only be read; 'kubectl get --raw .../runs/NAME/log' and 'cox logs --run NAME' show what its containers wrote.",
		fields: {
			...objectFields("Standard object metadata. The labels are the Job's, with job-name and cronjob."),
			spec: [{ type: "RunSpec", default: {} }, "Which Job it was, and what it was asked to do."],
			status: [{ type: "RunStatus", default: {} }, "What became of it."],
		},
	},
	RunSpec: {
		description: "RunSpec says which Job ran, and for which time of a CronJob.",
		fields: {
			jobName: [text, "Name of the Job; absent for runs that did not happen."],
			jobUID: [text, "UID of the Job."],
			cronJobName: [text, "Name of the CronJob whose run it is."],
			cronJobUID: [text, "UID of the CronJob whose run it is."],
			scheduledTime: [time, "When the CronJob's schedule asked for the run."],
			completions: [number, "How many pods had to succeed."],
			parallelism: [number, "How many pods could run at the same time."],
		},
	},
	RunStatus: {
		description: "RunStatus says how a run ended, and with which pods.",
		fields: {
			result: [
				needed(text),
				"Running, Succeeded, Failed, Deleted (the Job was deleted before it had ended) or Skipped (the CronJob did not start it).",
			],
			reason: [text, "Why, in one word: the reason of the Job's condition, or why the run was skipped."],
			message: [text, "Why, in a sentence."],
			startTime: [time, "When the Job started."],
			endTime: [time, "When it ended."],
			attempts: [number, "How often the work was begun, retries of pods and restarts of containers among them."],
			succeeded: [number, "Pods that succeeded."],
			failed: [number, "Pods that failed."],
			pods: [listOf("RunPod"), "The pods of the run, oldest first."],
			podsLeftOut: [number, "Pods that there were besides those in pods."],
			logs: [
				text,
				"Pending while logs of ended containers are expected, Complete when they are there, Pruned when they were removed to make room.",
			],
			logBytes: [size, "What the run's logs take, compressed."],
			skipped: [{ type: "RunSkips" }, "Which runs did not happen."],
		},
	},
	RunSkips: {
		description: "RunSkips counts runs of a CronJob that did not happen one after the other, for the same reason.",
		fields: {
			count: [needed(number), "How many there were."],
			firstScheduledTime: [needed(time), "When the first of them should have started."],
			lastScheduledTime: [needed(time), "When the last of them should have started."],
			downSince: [time, "When the cluster was last seen alive before them."],
			downUntil: [time, "When the cluster was back."],
		},
	},
	RunPod: {
		description: "RunPod is what became of one pod of a run.",
		fields: {
			name: [needed(text), "Name of the pod."],
			uid: [needed(text), "UID of the pod."],
			node: [text, "Node that it ran on."],
			phase: [needed(text), "Its last phase; Unknown for a pod that was removed before it said how it ended."],
			reason: [text, "Why the pod is in this phase, in one word."],
			message: [text, "Why the pod is in this phase, in a sentence."],
			index: [number, "Its completion index in an Indexed Job."],
			startTime: [time, "When its node accepted it."],
			endTime: [time, "When its last container ended."],
			containers: [listOf("RunContainer"), "Its containers, init containers first."],
		},
	},
	RunContainer: {
		description: "RunContainer is what became of one container of a pod.",
		fields: {
			name: [needed(text), "Name of the container."],
			image: [text, "Image that it ran."],
			imageID: [text, "The image's id on the node."],
			init: [{ type: "boolean" }, "Whether it is an init container."],
			attempts: [listOf("RunAttempt"), "Every time that it was started, oldest first, the newest twenty of them."],
		},
	},
	RunAttempt: {
		description: "RunAttempt is one start of a container, and its end.",
		fields: {
			number: [needed(number), "How often the container had been started in its pod before."],
			exitCode: [number, "The exit code; absent while the container runs, or if its exit was not observed."],
			reason: [text, "How it ended: Completed, Error, OOMKilled."],
			message: [text, "What it left as its termination message."],
			startTime: [time, "When it started."],
			endTime: [time, "When it ended."],
			log: [{ type: "RunLog" }, "Its log, where that is kept."],
		},
	},
	RunLog: {
		description: "RunLog is a log that is kept.",
		fields: {
			bytes: [needed(size), "Size of what is kept, with the time of each line."],
			storedBytes: [needed(size), "What it takes, compressed."],
			omittedBytes: [size, "Bytes at its beginning that were not kept."],
		},
	},
};
