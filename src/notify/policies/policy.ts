/** Policies, from objects or annotations, and what they apply to. Pure. */

import type { KubeObject } from "../../core/object.ts";
import { selectorFrom } from "../../core/selection/selector.ts";
import { parseTimestamp } from "../../core/time/clock.ts";
import { durationMs } from "../../core/time/duration.ts";
import { dnsSubdomainProblems } from "../../core/validation/names.ts";
import type { SecretKeySelector } from "../../kinds/generated/types.ts";
import { eventsAnnotation, webhookAnnotation } from "../../kinds/notify/annotations.ts";
import {
	type NotificationEvent,
	type NotificationPolicy,
	type NotificationPolicySpec,
	type NotificationSink,
	notificationEvents,
} from "../../kinds/notify/types.ts";

export interface Policy {
	/** UID of the object, or `~` and the name of the Secret. */
	key: string;
	namespace: string;
	/** Name of the object, or of the Secret. */
	name: string;
	events: ReadonlySet<NotificationEvent>;
	/** Runs that ended earlier are not reported. */
	sinceMs: number;
	stuckMs: number;
	suspendedMs: number;
	slow: { longerMs?: number; timesUsual?: number };
	spec: Pick<NotificationPolicySpec, "atMost" | "quietHours" | "template" | "logLines">;
	sinks: readonly Sink[];
	matches(workload: Workload): boolean;
	object?: NotificationPolicy;
}

/** The type of a sink; `auto`: determined by the URL. */
export type Sink =
	| { name: string; type: "slack" | "googleChat" | "teams" | "auto"; url: SecretKeySelector; key?: SecretKeySelector }
	| { name: string; type: "webhook"; url: SecretKeySelector; key?: SecretKeySelector }
	| { name: string; type: "email"; url: SecretKeySelector; from: string; to: readonly string[] };

/** The object that a policy may select: for a run its Job, and the CronJob of that. */
export interface Workload {
	kinds: readonly string[];
	names: readonly string[];
	labels: readonly (Readonly<Record<string, string>> | undefined)[];
}

const defaultStuckMs = 600_000;
const defaultSuspendedMs = 24 * 3_600_000;
const minuteMs = 60_000;
const defaultLogLines = 10;

export function policyOf(object: NotificationPolicy): Policy {
	const { metadata, spec } = object;
	const { workloads = {}, slow = {} } = spec;
	const selector = workloads.selector && selectorFrom(workloads.selector);
	const { names, kinds } = workloads;
	return {
		key: metadata.uid,
		namespace: metadata.namespace ?? "",
		name: metadata.name,
		events: new Set(spec.events),
		sinceMs: parseTimestamp(metadata.creationTimestamp),
		stuckMs: spec.stuckFor === undefined ? defaultStuckMs : durationMs(spec.stuckFor),
		suspendedMs: spec.suspendedFor === undefined ? defaultSuspendedMs : durationMs(spec.suspendedFor),
		slow: {
			...(slow.longerThan !== undefined && { longerMs: durationMs(slow.longerThan) }),
			...(slow.timesUsual !== undefined && { timesUsual: slow.timesUsual }),
		},
		spec,
		sinks: spec.sinks.flatMap((sink) => sinkOf(sink) ?? []),
		matches: (workload) =>
			(names === undefined || workload.names.some((name) => names.includes(name))) &&
			(kinds === undefined || workload.kinds.some((kind) => kinds.some((one) => one === kind))) &&
			(selector === undefined || workload.labels.some((labels) => labels !== undefined && selector.matches(labels))),
		object,
	};
}

function sinkOf({ name, slack, googleChat, teams, webhook, email }: NotificationSink): Sink | undefined {
	if (slack !== undefined) return { name, type: "slack", url: slack.urlFrom.secretKeyRef };
	if (googleChat !== undefined) return { name, type: "googleChat", url: googleChat.urlFrom.secretKeyRef };
	if (teams !== undefined) return { name, type: "teams", url: teams.urlFrom.secretKeyRef };
	if (email !== undefined)
		return { name, type: "email", url: email.serverFrom.secretKeyRef, from: email.from, to: email.to };
	if (webhook === undefined) return undefined;
	const key = webhook.keyFrom?.secretKeyRef;
	return { name, type: "webhook", url: webhook.urlFrom.secretKeyRef, ...(key && { key }) };
}

const usualEvents: readonly NotificationEvent[] = ["Failed", "Missed", "Stuck", "Back"];

/**
 * The policy of an annotation, by the name of its Secret: the same for every workload that names it, except for the
 * events.
 */
export function annotatedPolicy(namespace: string, secret: string, events = usualEvents): Policy {
	return {
		key: `~${secret}`,
		namespace,
		name: secret,
		events: new Set(events),
		sinceMs: 0,
		stuckMs: defaultStuckMs,
		suspendedMs: defaultSuspendedMs,
		slow: { timesUsual: 2 },
		spec: { logLines: defaultLogLines },
		sinks: [
			{
				name: "webhook",
				type: "auto",
				url: { name: secret, key: "url" },
				key: { name: secret, key: "key", optional: true },
			},
		],
		matches: () => true,
	};
}

/** The policy that a workload's annotations define. */
export function annotationPolicy(namespace: string, annotations: Annotations): Policy | undefined {
	const secret = annotations?.[webhookAnnotation];
	// Stored values may be older than the validation: an invalid name of a Secret must not become a key of the store.
	if (secret === undefined || dnsSubdomainProblems(secret).length > 0) return undefined;
	const named = annotations?.[eventsAnnotation]?.split(",").map((text) => text.trim());
	const known = named && notificationEvents.filter((event) => named.includes(event));
	return annotatedPolicy(namespace, secret, known);
}

type Annotations = KubeObject["metadata"]["annotations"];

/** How long a Job may run before it is slow; undefined: unlimited. */
export function slowAfterMs({ slow, events }: Policy, usualMs: number | undefined): number | undefined {
	if (!events.has("Slow")) return undefined;
	const { longerMs, timesUsual } = slow;
	const unusualMs = usualMs === undefined || timesUsual === undefined ? undefined : usualMs * timesUsual + minuteMs;
	if (longerMs === undefined || unusualMs === undefined) return longerMs ?? unusualMs;
	return Math.min(longerMs, unusualMs);
}
