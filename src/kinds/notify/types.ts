/** The types of a NotificationPolicy: which events are sent to which sinks. The schema is in schemas.ts. */
import type { KubeObject } from "../../core/object.ts";
import type { LabelSelector, SecretKeySelector } from "../generated/types.ts";

export const notificationEvents = [
	"Succeeded",
	"Failed",
	"Retried",
	"Slow",
	"Missed",
	"Skipped",
	"SuspendedLong",
	"Stuck",
	"Back",
] as const;

export type NotificationEvent = (typeof notificationEvents)[number];

export const notifiedKinds = ["Job", "CronJob", "StatefulSet", "DaemonSet", "Deployment"] as const;

export type NotifiedKind = (typeof notifiedKinds)[number];

const runKinds = ["Job", "CronJob"] as const;
const podKinds = ["StatefulSet", "DaemonSet", "Deployment"] as const;

/** The kinds that each event applies to. */
export const eventKinds: Readonly<Record<NotificationEvent, readonly NotifiedKind[]>> = {
	Succeeded: runKinds,
	Failed: runKinds,
	Retried: runKinds,
	Slow: runKinds,
	Missed: ["CronJob"],
	Skipped: ["CronJob"],
	SuspendedLong: ["CronJob"],
	Stuck: podKinds,
	Back: podKinds,
};

export interface NotificationPolicy extends KubeObject {
	spec: NotificationPolicySpec;
	status?: NotificationPolicyStatus;
}

export interface NotificationPolicySpec {
	/** Absent: all of the namespace. */
	workloads?: NotificationWorkloads;
	events: NotificationEvent[];
	slow?: NotificationSlow;
	/** Durations such as `10m`; defaults 10m and 24h. */
	stuckFor?: string;
	suspendedFor?: string;
	atMost?: NotificationRate;
	quietHours?: NotificationQuietHours;
	/** The number of log lines in a message, from the end. Default 10. */
	logLines?: number;
	template?: NotificationTemplate;
	sinks: NotificationSink[];
}

export interface NotificationWorkloads {
	selector?: LabelSelector;
	names?: string[];
	kinds?: NotifiedKind[];
}

export interface NotificationSlow {
	longerThan?: string;
	timesUsual?: number;
}

export interface NotificationRate {
	count: number;
	per: string;
}

export interface NotificationQuietHours {
	/** `22:00`; if `to` is not later, they end the next day. */
	from: string;
	to: string;
	timeZone?: string;
	/** The days on which they begin: `Mon` to `Sun`. Default: every day. */
	days?: string[];
	/** `Hold` (default) or `Drop`. */
	action?: string;
}

export interface NotificationTemplate {
	title?: string;
	text?: string;
}

/** One of slack, googleChat, teams, webhook and email. */
export interface NotificationSink {
	name: string;
	slack?: IncomingWebhook;
	googleChat?: IncomingWebhook;
	teams?: IncomingWebhook;
	webhook?: CloudEventsWebhook;
	email?: EmailSink;
}

export interface IncomingWebhook {
	urlFrom: SecretSource;
}

export interface CloudEventsWebhook {
	urlFrom: SecretSource;
	/** Signing key. */
	keyFrom?: SecretSource;
}

export interface EmailSink {
	/** `smtps://user:password@host:465` */
	serverFrom: SecretSource;
	from: string;
	to: string[];
}

export interface SecretSource {
	secretKeyRef: SecretKeySelector;
}

export interface NotificationPolicyStatus {
	observedGeneration?: number;
	conditions?: NotificationCondition[];
	sent?: number;
	failed?: number;
	/** Messages beyond the rate limit, which were only counted. */
	summarized?: number;
	pending?: number;
	lastSentTime?: string;
	sinks?: NotificationSinkStatus[];
	lastTest?: NotificationTest;
}

export interface NotificationCondition {
	type: string;
	status: string;
	observedGeneration?: number;
	lastTransitionTime?: string;
	reason: string;
	message?: string;
}

export interface NotificationSinkStatus {
	name: string;
	sent?: number;
	failed?: number;
	pending?: number;
	lastSentTime?: string;
	lastErrorTime?: string;
	lastError?: string;
}

export interface NotificationTest {
	/** The value of the annotation that requested it. */
	id: string;
	time?: string;
	sinks?: { name: string; error?: string }[];
}
