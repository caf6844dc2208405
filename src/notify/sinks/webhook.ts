/** CloudEvents 1.0 in structured mode, signed according to Standard Webhooks if there is a key. */
import { createHmac } from "node:crypto";
import { daemonSets } from "../../kinds/apps/daemonset.ts";
import { deployments } from "../../kinds/apps/deployment.ts";
import { statefulSets } from "../../kinds/apps/statefulset.ts";
import { cronJobs } from "../../kinds/batch/cronjob.ts";
import { jobs } from "../../kinds/batch/job.ts";
import { notificationPolicies } from "../../kinds/notify/notificationpolicy.ts";
import type { Message } from "./message.ts";
import { commandOf, type Notification } from "./notification.ts";
import type { OutgoingRequest } from "./request.ts";

const kinds = [jobs, cronJobs, statefulSets, daemonSets, deployments, notificationPolicies];

let library: Promise<typeof import("cloudevents")> | undefined;

/** Loaded on demand: it includes a validator of JSON schemas. */
export function loadCloudEvents(): Promise<typeof import("cloudevents")> {
	library ??= import("cloudevents");
	return library;
}

export async function webhookRequest(message: Message, url: URL, key?: string): Promise<OutgoingRequest> {
	const { CloudEvent, HTTP } = await loadCloudEvents();
	const { notification, title, text, log, nowMs } = message;
	const { id, event, at, kind, name } = notification;
	const { headers, body } = HTTP.structured(
		new CloudEvent({
			id,
			type: `io.coxswain.${kind.toLowerCase()}.${event.toLowerCase()}`,
			source: sourceOf(notification),
			subject: notification.job ?? name,
			time: at,
			datacontenttype: "application/json",
			data: {
				...dataOf(notification),
				title,
				...(text !== undefined && { text }),
				log: log === "" ? [] : log.split("\n"),
			},
		}),
	);
	const content = String(body);
	const sent: Record<string, string> = { "user-agent": "coxswain" };
	for (const [header, value] of Object.entries(headers)) sent[header.toLowerCase()] = String(value);
	const seconds = Math.floor(nowMs / 1000);
	Object.assign(sent, { "webhook-id": id, "webhook-timestamp": String(seconds) });
	if (key !== undefined) sent["webhook-signature"] = `v1,${signature(key, `${id}.${seconds}.${content}`)}`;
	return { sink: "webhook", url: url.href, headers: sent, body: content };
}

/** The object's path in the API. */
function sourceOf({ kind, namespace, name }: Notification): string {
	const found = kinds.find((one) => one.kind === kind);
	if (found === undefined) throw new Error(`notifications are not about a ${kind}`);
	return `/apis/${found.group}/${found.version}/namespaces/${namespace}/${found.plural}/${name}`;
}

function dataOf(notification: Notification): object {
	const { id: _, at: _at, log: _log, ...data } = notification;
	return { ...data, command: commandOf(notification) };
}

/** `whsec_` and base64 is a key of Standard Webhooks; any other key is used literally. */
function signature(key: string, text: string): string {
	const bytes = key.startsWith("whsec_") ? Buffer.from(key.slice(6), "base64") : Buffer.from(key);
	return createHmac("sha256", bytes).update(text).digest("base64");
}
