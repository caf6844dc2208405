/** Records core/v1 Events, best effort: event-series.ts decides which Events are combined, this file writes them. */

import { isReason } from "../../core/errors.ts";
import type { Draft, KubeObject } from "../../core/object.ts";
import { type Clock, timestamp } from "../../core/time/clock.ts";
import { events } from "../../kinds/core/event.ts";
import type { Event, ObjectReference } from "../../kinds/generated/types.ts";
import type { Client } from "../client.ts";
import { EventCorrelator, type EventToRecord, type Series } from "./event-series.ts";

export type { EventToRecord } from "./event-series.ts";

export interface EventRecorder {
	/** Returns immediately. */
	record(event: EventToRecord): void;
	/** Resolves when everything recorded so far was written or dropped. */
	flush(): Promise<void>;
}

const writesAtOnce = 16;
const queueLimit = 4096;
const attempts = 3;
const nanosecondsPerMs = 1_000_000;

interface Written extends Series {
	/** Name of the Event object; set with the first Event of the series. */
	name: string;
	/**
	 * The newest Event until it is written, from which the Event object is created. The recorder remembers thousands of
	 * series without it.
	 */
	newest: { event: EventToRecord; about: ObjectReference } | undefined;
	written: boolean;
	/** Queued or being written; a change during that time is written with it or after it. */
	queued: boolean;
	writing: boolean;
}

export function createEventRecorder(client: Client, options: { clock: Clock }): EventRecorder {
	return new CorrelatingRecorder(client, options.clock);
}

class CorrelatingRecorder implements EventRecorder {
	readonly #client: Client;
	readonly #clock: Clock;
	readonly #correlator = new EventCorrelator<Written>(newSeries);
	readonly #queue: Written[] = [];
	#flushing: (() => void)[] = [];
	#writing = 0;
	/**
	 * Names of Events end with the time in nanoseconds; this makes those of one millisecond unique, also between
	 * recorders.
	 */
	#sequence: number;

	constructor(client: Client, clock: Clock) {
		this.#client = client;
		this.#clock = clock;
		this.#sequence = Math.floor(clock.random() * nanosecondsPerMs);
	}

	record(event: EventToRecord): void {
		const nowMs = this.#clock.now();
		const about = referenceTo(event.regarding, event.fieldPath);
		const series = this.#correlator.add(event, about, nowMs);
		if (series === undefined) return;
		if (series.name === "") series.name = this.#newName(about.name, nowMs);
		series.newest = { event, about };
		this.#enqueue(series);
	}

	flush(): Promise<void> {
		if (this.#queue.length === 0 && this.#writing === 0) return Promise.resolve();
		return new Promise((resolve) => this.#flushing.push(resolve));
	}

	#newName(name = "unknown", nowMs: number): string {
		const nanoseconds =
			BigInt(Math.floor(nowMs)) * BigInt(nanosecondsPerMs) + BigInt(this.#sequence++ % nanosecondsPerMs);
		return `${name}.${nanoseconds.toString(16)}`;
	}

	#enqueue(series: Written): void {
		if (series.queued) return;
		if (this.#queue.length >= queueLimit) {
			series.newest = undefined;
			return;
		}
		series.queued = true;
		if (!series.writing) this.#queue.push(series);
		this.#pump();
	}

	#pump(): void {
		while (this.#writing < writesAtOnce) {
			const series = this.#queue.shift();
			if (series === undefined) break;
			this.#writing++;
			series.queued = false;
			series.writing = true;
			const next = () => {
				this.#writing--;
				series.writing = false;
				if (series.queued) this.#queue.push(series);
				else series.newest = undefined;
				this.#pump();
			};
			// An Event that cannot be written is dropped.
			this.#write(series).then(next, next);
		}
		if (this.#writing > 0) return;
		const flushed = this.#flushing;
		this.#flushing = [];
		for (const resolve of flushed) resolve();
	}

	async #write(series: Written): Promise<void> {
		for (let attempt = 1; ; attempt++) {
			const { newest } = series;
			if (newest === undefined) return;
			try {
				const draft = draftOf(series, newest);
				if (series.written) {
					const { count, message, lastTimestamp } = draft;
					const patch = { count, message, lastTimestamp };
					await this.#client.patch(events, draft.metadata, { type: "merge", patch });
				} else {
					await this.#client.create(events, draft);
				}
				series.written = true;
				return;
			} catch (error) {
				if (isReason(error, "AlreadyExists")) {
					// After an attempt whose response was lost, the existing Event is this one; otherwise it is another
					// recorder's, which is not changed.
					if (attempt > 1) series.written = true;
					else series.name = this.#newName(newest.about.name, series.lastMs);
				}
				// Events expire; a series that continues starts again.
				else if (isReason(error, "NotFound") && series.written) series.written = false;
				else if (attempt >= attempts || isReason(error, "Forbidden", "Invalid", "NotFound", "BadRequest")) throw error;
				else await this.#clock.sleep(1000 * attempt * (0.5 + this.#clock.random()));
				if (attempt > attempts) throw error;
			}
		}
	}
}

function newSeries(original: string, nowMs: number): Written {
	return {
		original,
		message: original,
		count: 0,
		firstMs: nowMs,
		lastMs: nowMs,
		name: "",
		newest: undefined,
		written: false,
		queued: false,
		writing: false,
	};
}

type EventDraft = Draft<Event> & { metadata: { name: string; namespace: string } };

function draftOf(
	{ name, message, count, firstMs, lastMs }: Series & { name: string },
	{ event, about }: NonNullable<Written["newest"]>,
): EventDraft {
	const { component, host, type, reason } = event;
	return {
		// Events about cluster-scoped objects are in the default namespace.
		metadata: { name, namespace: about.namespace || "default" },
		involvedObject: about,
		reason,
		type,
		source: { component, ...(host === undefined ? {} : { host }) },
		firstTimestamp: timestamp(firstMs),
		reportingComponent: component,
		reportingInstance: host ?? "",
		count,
		message,
		lastTimestamp: timestamp(lastMs),
	};
}

function referenceTo(regarding: KubeObject | ObjectReference, fieldPath: string | undefined): ObjectReference {
	const path = fieldPath === undefined ? {} : { fieldPath };
	if (!("metadata" in regarding)) return Object.assign({}, regarding, path);
	const { namespace, name, uid, resourceVersion } = regarding.metadata;
	return {
		kind: regarding.kind,
		...(namespace === undefined ? {} : { namespace }),
		name,
		uid,
		apiVersion: regarding.apiVersion,
		resourceVersion,
		...path,
	};
}
