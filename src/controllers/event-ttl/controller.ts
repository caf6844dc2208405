/** Events are kept for an hour after they were last seen, as upstream's API server keeps them. */
import { parseTimestamp } from "../../core/clock.ts";
import { events } from "../../kinds/event.ts";
import type { Event } from "../../kinds/generated/types.ts";
import { type Action, type Controller, watchRule } from "../controller.ts";

export const eventTtlMs = 3_600_000;
/** Events go in batches: all that expire within the same minute, when it is over. */
const batchMs = 60_000;

export interface EventBatch {
	expiresAtMs: number;
	events: readonly Event[];
}

/** Its keys are minutes since the epoch. */
export const eventTtlController: Controller<EventBatch> = {
	name: "event-ttl",
	component: "event-ttl-controller",
	watches: [
		watchRule(events, (current) => (current === undefined ? [] : [batchOf(current)]), {
			indexes: { expiry: (event) => [batchOf(event)] },
		}),
	],
	// One look at the end of the minute is enough, however many come in the meantime.
	coalesceMs: () => eventTtlMs,
	gather(key, mirror) {
		const batch = [...mirror.of(events).byIndex("expiry", key)];
		return batch.length === 0 ? undefined : { expiresAtMs: (Number(key) + 1) * batchMs, events: batch };
	},
	plan({ expiresAtMs, events: batch }, { nowMs }) {
		if (nowMs < expiresAtMs) return { actions: [], requeueAtMs: expiresAtMs };
		return { actions: batch.map(removal) };
	},
};

/** Not if it was seen again in the meantime. */
function removal({ metadata }: Event): Action {
	const { namespace, name, uid, resourceVersion } = metadata;
	return { do: "delete", kind: events, ref: { namespace, name }, options: { preconditions: { uid, resourceVersion } } };
}

function batchOf({ metadata, lastTimestamp, series, eventTime }: Event): string {
	const times = [lastTimestamp, series?.lastObservedTime, eventTime, metadata.creationTimestamp];
	const seenMs = Math.max(
		...times.map((time) => (time === undefined || time === null ? 0 : parseTimestamp(time) || 0)),
	);
	return String(Math.floor((seenMs + eventTtlMs) / batchMs));
}
