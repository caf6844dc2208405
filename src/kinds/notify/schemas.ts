/** The types of notify.coxswain.io as data, with their descriptions: for `kubectl explain` and OpenAPI. */
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
import type { FieldSchema } from "../engine/type-schema.ts";

const byName = (type: string, key = "name"): FieldSchema => ({
	type,
	of: "array",
	listType: "map",
	listMapKeys: [key],
	mergeKey: key,
	patchStrategy: "merge",
});

const incomingWebhook = (service: string): DescribedType => ({
	description: `An incoming webhook of ${service}.`,
	fields: { urlFrom: [needed({ type: "NotificationSecretSource" }), "The Secret that has the webhook's URL."] },
});

export const notifyTypes: Readonly<Record<string, DescribedType>> = {
	NotificationPolicy: {
		description:
			"NotificationPolicy says which sinks are told when workloads of its namespace succeed, fail, are late or are stuck. Messages are delivered at least once, each with an id, in order for each workload. 'cox notify test NAME' sends one to try it out.",
		fields: {
			...objectFields(),
			spec: [{ type: "NotificationPolicySpec", default: {} }, "Which events are sent to which sinks."],
			status: [{ type: "NotificationPolicyStatus", default: {} }, "Sent and failed messages."],
		},
	},
	NotificationPolicySpec: {
		description:
			"NotificationPolicySpec configures which events of which workloads are reported, when, and to which sinks.",
		fields: {
			workloads: [{ type: "NotificationWorkloads" }, "Which workloads. Absent: all of the namespace."],
			events: [
				needed(listOf("string")),
				"Which events. Of Jobs: Succeeded, Failed, Retried (a pod or container is started again), Slow. Of CronJobs: Missed (a run did not start in time), Skipped (a run was left out), SuspendedLong. Of StatefulSets, DaemonSets and Deployments: Stuck, Back.",
			],
			slow: [
				{ type: "NotificationSlow" },
				"When a Job is Slow. Default: when it runs longer than twice its usual time.",
			],
			stuckFor: [
				text,
				"How long a StatefulSet, DaemonSet or Deployment may have pods that are missing, not ready or outdated before it is Stuck, such as 10m, which is the default.",
			],
			suspendedFor: [text, "How long a CronJob may be suspended before it is SuspendedLong. Default 24h."],
			atMost: [
				{ type: "NotificationRate" },
				"The maximum number of messages per sink. Events beyond it are reported in one summary when the limit allows.",
			],
			quietHours: [{ type: "NotificationQuietHours" }, "When nothing is sent."],
			logLines: [
				number,
				"How many of the last lines of a Job's log a message has, from 0 to 50. Default 10. Other values than 0 are only accepted from users who may get pods/log in the namespace.",
			],
			template: [{ type: "NotificationTemplate" }, "Custom texts."],
			sinks: [needed(byName("NotificationSink")), "Where messages are sent."],
		},
	},
	NotificationWorkloads: {
		description: "NotificationWorkloads selects workloads that meet all given criteria.",
		fields: {
			selector: [
				{ type: "LabelSelector" },
				"Labels that the workload has. A Job of a CronJob is also selected by the labels of the CronJob.",
			],
			names: [listOf("string"), "Names of workloads. A Job is also found by the name of its CronJob."],
			kinds: [
				listOf("string"),
				"Job, CronJob, StatefulSet, DaemonSet, Deployment. CronJob includes the Jobs that CronJobs made, Job all Jobs.",
			],
		},
	},
	NotificationSlow: {
		description: "NotificationSlow defines when a Job is slow: when it exceeds one of the limits.",
		fields: {
			longerThan: [text, "A duration, such as 30m."],
			timesUsual: [
				{ type: "number" },
				"So many times its usual time, and at least a minute more than that. Usual is the median of its last 20 runs that succeeded, of the same CronJob or else of the same name; fewer than 3 are not enough to tell.",
			],
		},
	},
	NotificationRate: {
		description: "NotificationRate is a number of messages per time.",
		fields: {
			count: [needed(number), "The number of messages, from 1 to 1000."],
			per: [needed(text), "A duration, such as 1h."],
		},
	},
	NotificationQuietHours: {
		description: "NotificationQuietHours are times of the day at which nothing is sent.",
		fields: {
			from: [needed(text), "When they begin: 22:00."],
			to: [needed(text), "When they end: 07:00. The next day, unless that is later than from."],
			timeZone: [text, "Name of a time zone, such as Europe/Berlin. Default UTC."],
			days: [listOf("string"), "Days on which they begin: Mon, Tue, Wed, Thu, Fri, Sat, Sun. Default: every day."],
			action: [text, "Hold (default): messages are sent when the quiet hours end. Drop: messages are dropped."],
		},
	},
	NotificationTemplate: {
		description:
			"NotificationTemplate has texts in Liquid: {{ name }}, filters, and the tags if, unless, case and comment. Variables: event, namespace, kind, name, job, run, result, reason, message, started, ended, duration, attempts, exitCode, node, count, log, command, policy, title.",
		fields: {
			title: [text, "The first line, and the subject of e-mails."],
			text: [text, "The text below the title, which replaces the facts, the log and the command."],
		},
	},
	NotificationSink: {
		description: "NotificationSink is one receiver: exactly one of slack, googleChat, teams, webhook and email.",
		fields: {
			name: [needed(text), "Names the sink in the status; unique in the policy."],
			slack: [{ type: "NotificationSlack" }, "An incoming webhook of Slack, or of a compatible service."],
			googleChat: [
				{ type: "NotificationGoogleChat" },
				"An incoming webhook of a Google Chat space; the messages about one Job are one thread.",
			],
			teams: [{ type: "NotificationTeams" }, "A workflow of Microsoft Teams that is started by a webhook."],
			webhook: [{ type: "NotificationWebhook" }, "An endpoint that accepts CloudEvents 1.0 by HTTP POST."],
			email: [{ type: "NotificationEmail" }, "E-mail by SMTP."],
		},
	},
	NotificationSlack: incomingWebhook("Slack"),
	NotificationGoogleChat: incomingWebhook("Google Chat"),
	NotificationTeams: incomingWebhook("Microsoft Teams"),
	NotificationWebhook: {
		description: "NotificationWebhook is an HTTP endpoint that gets CloudEvents in structured mode.",
		fields: {
			urlFrom: [needed({ type: "NotificationSecretSource" }), "The Secret that has the URL."],
			keyFrom: [
				{ type: "NotificationSecretSource" },
				"The Secret that has the key by which messages are signed: HMAC-SHA256, in the headers of Standard Webhooks.",
			],
		},
	},
	NotificationEmail: {
		description: "NotificationEmail is e-mail that is handed to an SMTP server.",
		fields: {
			serverFrom: [
				needed({ type: "NotificationSecretSource" }),
				"The Secret that has the server as a URL: smtps://USER:PASSWORD@HOST:465, or smtp://USER:PASSWORD@HOST:587 for STARTTLS.",
			],
			from: [needed(text), "The sender's address."],
			to: [needed(listOf("string")), "The addresses of the recipients."],
		},
	},
	NotificationSecretSource: {
		description:
			"NotificationSecretSource is a value that a Secret has. It is only accepted from users who may get the Secret.",
		fields: {
			secretKeyRef: [needed({ type: "SecretKeySelector" }), "A Secret of the policy's namespace, and the key in it."],
		},
	},
	NotificationPolicyStatus: {
		description: "NotificationPolicyStatus reports sent and failed messages.",
		fields: {
			observedGeneration: [size, "The generation of the policy that the conditions refer to."],
			conditions: [
				byName("NotificationCondition", "type"),
				"Ready: Secrets are there and templates can be read. Delivering: the last attempt succeeded.",
			],
			sent: [size, "Messages that sinks have accepted."],
			failed: [size, "Messages that were given up."],
			summarized: [size, "Events beyond the rate, of which only the number is reported."],
			pending: [number, "Messages that wait for the end of quiet hours, or for a retry."],
			lastSentTime: [time, "When a sink last accepted a message."],
			sinks: [byName("NotificationSinkStatus"), "The same for each sink."],
			lastTest: [{ type: "NotificationTest" }, "The result of the last test."],
		},
	},
	NotificationCondition: {
		description: "NotificationCondition is one aspect of the policy's state.",
		fields: {
			type: [needed(text), "Ready or Delivering."],
			status: [needed(text), "True, False or Unknown."],
			observedGeneration: [size, "The generation that it refers to."],
			lastTransitionTime: [time, "When status last changed."],
			reason: [needed(text), "The reason in one word."],
			message: [text, "The reason as a sentence."],
		},
	},
	NotificationSinkStatus: {
		description: "NotificationSinkStatus reports the messages to one sink.",
		fields: {
			name: [needed(text), "Name of the sink."],
			sent: [size, "Messages that it has accepted."],
			failed: [size, "Messages that were given up."],
			pending: [number, "Messages that wait."],
			lastSentTime: [time, "When it last accepted a message."],
			lastErrorTime: [time, "When an attempt last failed."],
			lastError: [text, "Why that failed."],
		},
	},
	NotificationTest: {
		description: "NotificationTest is the result of a test message.",
		fields: {
			id: [needed(text), "The value of the annotation notify.coxswain.io/test that asked for it."],
			time: [time, "When it was sent."],
			sinks: [byName("NotificationTestSink"), "The result of each sink."],
		},
	},
	NotificationTestSink: {
		description: "NotificationTestSink is the result of a test message at one sink.",
		fields: {
			name: [needed(text), "Name of the sink."],
			error: [text, "Why it was not accepted; absent if it was."],
		},
	},
};
