/**
 * Records core/v1 Events, best effort. Repetitions raise a count instead of making new Events, similar ones are combined,
 * and one object can only make so many: the rules of upstream's event correlator.
 */
import { type Clock, timestamp } from "../core/clock.ts";
import { isReason } from "../core/errors.ts";
import type { Draft, KubeObject } from "../core/object.ts";
import { events } from "../kinds/event.ts";
import type { Event, ObjectReference } from "../kinds/generated/types.ts";
import type { Client } from "./client.ts";
import { Recent } from "./recent.ts";

export interface EventToRecord {
	/** The object it is about; `fieldPath` names a part: `spec.containers{web}`. */
	regarding: KubeObject | ObjectReference;
	fieldPath?: string;
	type: "Normal" | "Warning";
	reason: string;
	message: string;
	/** Such as `statefulset-controller`, `kubelet`. */
	component: string;
	/** The node, for Events of agents. */
	host?: string;
}

export interface EventRecorder {
	/** Returns at once. */
	record(event: EventToRecord): void;
	/** Resolves when everything recorded so far was written or given up. */
	flush(): Promise<void>;
}

/** One object and source: so many Events at once, then one in five minutes. */
const burst = 25;
const refillMs = 300_000;
/** Events that repeat within this time are one. */
const sameWithinMs = 600_000;
/** So many Events that differ only in their message are combined. */
const similarLimit = 10;
const remembered = 4096;
const writesAtOnce = 16;
const queueLimit = 4096;
const attempts = 3;
const nanosecondsPerMs = 1_000_000;

/** One Event object as it is, or is to be, in the store. */
interface Series {
	draft: Draft<Event> & { metadata: { name: string; namespace: string } };
	count: number;
	lastMs: number;
	message: string;
	written: boolean;
	/** In the queue or being written; a change meanwhile goes out with it or after it. */
	queued: boolean;
	writing: boolean;
}

export function createEventRecorder(client: Client, options: { clock: Clock }): EventRecorder {
	return new CorrelatingRecorder(client, options.clock);
}

class CorrelatingRecorder implements EventRecorder {
	readonly #client: Client;
	readonly #clock: Clock;
	readonly #tokens = new Recent<{ count: number; sinceMs: number }>(remembered);
	readonly #similar = new Recent<{ messages: Set<string>; lastMs: number }>(remembered);
	readonly #series = new Recent<Series>(remembered);
	readonly #queue: Series[] = [];
	#flushing: (() => void)[] = [];
	#writing = 0;
	/** Names of Events end in the time in nanoseconds; this tells those of one millisecond apart, also from other recorders'. */
	#sequence: number;

	constructor(client: Client, clock: Clock) {
		this.#client = client;
		this.#clock = clock;
		this.#sequence = Math.floor(clock.random() * nanosecondsPerMs);
	}

	record(event: EventToRecord): void {
		const nowMs = this.#clock.now();
		const reference = referenceTo(event.regarding, event.fieldPath);
		const about = [
			event.component,
			event.host,
			reference.kind,
			reference.namespace,
			reference.name,
			reference.uid,
		].join("|");
		if (!this.#allowed(`${about}|${event.fieldPath ?? ""}`, nowMs)) return;
		const group = `${about}|${event.fieldPath ?? ""}|${event.type}|${event.reason}`;
		const combined = this.#isCombined(group, event.message, nowMs);
		const message = combined ? `(combined from similar events): ${event.message}` : event.message;
		const key = combined ? group : `${group}|${event.message}`;
		let series = this.#series.get(key);
		if (series === undefined || nowMs - series.lastMs > sameWithinMs) {
			series = this.#newSeries(event, reference, nowMs);
			this.#series.set(key, series);
		}
		series.count++;
		series.lastMs = nowMs;
		series.message = message;
		this.#enqueue(series);
	}

	flush(): Promise<void> {
		if (this.#queue.length === 0 && this.#writing === 0) return Promise.resolve();
		return new Promise((resolve) => this.#flushing.push(resolve));
	}

	#allowed(about: string, nowMs: number): boolean {
		let tokens = this.#tokens.get(about);
		if (tokens === undefined) {
			tokens = { count: burst, sinceMs: nowMs };
			this.#tokens.set(about, tokens);
		}
		tokens.count = Math.min(burst, tokens.count + (nowMs - tokens.sinceMs) / refillMs);
		tokens.sinceMs = nowMs;
		if (tokens.count < 1) return false;
		tokens.count--;
		return true;
	}

	#isCombined(group: string, message: string, nowMs: number): boolean {
		let similar = this.#similar.get(group);
		if (similar === undefined || nowMs - similar.lastMs > sameWithinMs) {
			similar = { messages: new Set(), lastMs: nowMs };
			this.#similar.set(group, similar);
		}
		similar.lastMs = nowMs;
		if (similar.messages.size < similarLimit) similar.messages.add(message);
		return similar.messages.size >= similarLimit;
	}

	#newSeries(event: EventToRecord, reference: ObjectReference, nowMs: number): Series {
		return {
			draft: {
				metadata: {
					name: this.#newName(reference.name, nowMs),
					// Events about objects without a namespace live in the default one.
					namespace: reference.namespace || "default",
				},
				involvedObject: reference,
				reason: event.reason,
				type: event.type,
				source: { component: event.component, ...(event.host === undefined ? {} : { host: event.host }) },
				firstTimestamp: timestamp(nowMs),
				reportingComponent: event.component,
				reportingInstance: event.host ?? "",
			},
			count: 0,
			lastMs: nowMs,
			message: "",
			written: false,
			queued: false,
			writing: false,
		};
	}

	#newName(name = "unknown", nowMs: number): string {
		const nanoseconds =
			BigInt(Math.floor(nowMs)) * BigInt(nanosecondsPerMs) + BigInt(this.#sequence++ % nanosecondsPerMs);
		return `${name}.${nanoseconds.toString(16)}`;
	}

	#enqueue(series: Series): void {
		if (series.queued || this.#queue.length >= queueLimit) return;
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
				this.#pump();
			};
			// An Event that cannot be written is given up.
			this.#write(series).then(next, next);
		}
		if (this.#writing > 0) return;
		const flushed = this.#flushing;
		this.#flushing = [];
		for (const resolve of flushed) resolve();
	}

	async #write(series: Series): Promise<void> {
		for (let attempt = 1; ; attempt++) {
			const { count, message } = series;
			const changes = { count, message, lastTimestamp: timestamp(series.lastMs) };
			try {
				if (series.written) {
					const { namespace, name } = series.draft.metadata;
					await this.#client.patch(events, { namespace, name }, { type: "merge", patch: changes });
				} else {
					await this.#client.create(events, { ...series.draft, ...changes });
				}
				series.written = true;
				return;
			} catch (error) {
				if (isReason(error, "AlreadyExists")) {
					// After a try whose answer was lost it is this one; else another recorder's, which is to stay as it is.
					if (attempt > 1) series.written = true;
					else series.draft.metadata.name = this.#newName(series.draft.involvedObject?.name, series.lastMs);
				}
				// Events expire; one that goes on begins anew.
				else if (isReason(error, "NotFound") && series.written) series.written = false;
				else if (attempt >= attempts || isReason(error, "Forbidden", "Invalid", "NotFound", "BadRequest")) throw error;
				else await this.#clock.sleep(1000 * attempt * (0.5 + this.#clock.random()));
				if (attempt > attempts) throw error;
			}
		}
	}
}

function referenceTo(regarding: KubeObject | ObjectReference, fieldPath: string | undefined): ObjectReference {
	const path = fieldPath === undefined ? {} : { fieldPath };
	if (!("metadata" in regarding)) return { ...regarding, ...path };
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
