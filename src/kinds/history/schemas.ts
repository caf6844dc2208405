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
			"Run is the result of one Job, kept after the Job and its pods are deleted, or the skipped runs of a CronJob.  Runs are written by the cluster and can only be read; 'kubectl get --raw .../runs/NAME/log' and 'cox logs --run NAME' show what its containers wrote.",
		fields: {
			...objectFields("Standard object metadata. The labels are the Job's, with job-name and cronjob."),
			spec: [{ type: "RunSpec", default: {} }, "The Job and its specification."],
			status: [{ type: "RunStatus", default: {} }, "The result."],
		},
	},
	RunSpec: {
		description: "RunSpec identifies the Job, and the scheduled time of its CronJob.",
		fields: {
			jobName: [text, "Name of the Job; absent for skipped runs."],
			jobUID: [text, "UID of the Job."],
			cronJobName: [text, "Name of the CronJob whose run it is."],
			cronJobUID: [text, "UID of the CronJob whose run it is."],
			scheduledTime: [time, "The time for which the CronJob scheduled the run."],
			completions: [number, "How many pods had to succeed."],
			parallelism: [number, "How many pods could run at the same time."],
		},
	},
	RunStatus: {
		description: "RunStatus is the result of a run, and its pods.",
		fields: {
			result: [
				needed(text),
				"Running, Succeeded, Failed, Deleted (the Job was deleted before it had ended) or Skipped (the CronJob did not start it).",
			],
			reason: [text, "The reason of the Job's condition, or why the run was skipped, in one word."],
			message: [text, "The reason as a sentence."],
			startTime: [time, "When the Job started."],
			endTime: [time, "When it ended."],
			attempts: [number, "The number of attempts, including retries of pods and restarts of containers."],
			succeeded: [number, "Pods that succeeded."],
			failed: [number, "Pods that failed."],
			pods: [listOf("RunPod"), "The pods of the run, oldest first."],
			podsLeftOut: [number, "The number of pods that are not listed in pods."],
			logs: [
				text,
				"Pending while logs of ended containers are expected, Complete when they are there, Pruned when they were removed to make room.",
			],
			logBytes: [size, "Compressed size of the run's logs."],
			skipped: [{ type: "RunSkips" }, "The skipped runs."],
		},
	},
	RunSkips: {
		description: "RunSkips counts consecutive runs of a CronJob that were skipped for the same reason.",
		fields: {
			count: [needed(number), "The number of skipped runs."],
			firstScheduledTime: [needed(time), "When the first of them should have started."],
			lastScheduledTime: [needed(time), "When the last of them should have started."],
			downSince: [time, "The last time before them at which the cluster was known to run."],
			downUntil: [time, "When the cluster ran again."],
		},
	},
	RunPod: {
		description: "RunPod is the result of one pod of a run.",
		fields: {
			name: [needed(text), "Name of the pod."],
			uid: [needed(text), "UID of the pod."],
			node: [text, "Node that it ran on."],
			phase: [needed(text), "Its last phase; Unknown for a pod that was deleted before it reported its end."],
			reason: [text, "Why the pod is in this phase, in one word."],
			message: [text, "Why the pod is in this phase, in a sentence."],
			index: [number, "Its completion index in an Indexed Job."],
			startTime: [time, "When its node accepted it."],
			endTime: [time, "When its last container ended."],
			containers: [listOf("RunContainer"), "Its containers, init containers first."],
		},
	},
	RunContainer: {
		description: "RunContainer is the result of one container of a pod.",
		fields: {
			name: [needed(text), "Name of the container."],
			image: [text, "Image that it ran."],
			imageID: [text, "The image's id on the node."],
			init: [{ type: "boolean" }, "Whether it is an init container."],
			attempts: [listOf("RunAttempt"), "Its starts, oldest first; at most the newest twenty."],
		},
	},
	RunAttempt: {
		description: "RunAttempt is one start of a container, and its end.",
		fields: {
			number: [needed(number), "How often the container had been started in its pod before."],
			exitCode: [number, "The exit code; absent while the container runs, or if its exit was not observed."],
			reason: [text, "How it ended: Completed, Error, OOMKilled."],
			message: [text, "Its termination message."],
			startTime: [time, "When it started."],
			endTime: [time, "When it ended."],
			log: [{ type: "RunLog" }, "Its log, if it is kept."],
		},
	},
	RunLog: {
		description: "RunLog is a log that is kept.",
		fields: {
			bytes: [needed(size), "Size of what is kept, with the time of each line."],
			storedBytes: [needed(size), "Compressed size."],
			omittedBytes: [size, "Bytes at its beginning that were not kept."],
		},
	},
};
