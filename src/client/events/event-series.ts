/**
 * Combines Events: repetitions are counted, similar Events are combined, and the rate per object is limited (the rules
 * of upstream's event correlator).
 */
import type { KubeObject } from "../../core/object.ts";
import type { ObjectReference } from "../../kinds/generated/types.ts";
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

/** One Event object that is, or will be, in the store. */
export interface Series {
	/** The message before similar ones were combined: a repetition belongs to the same series. */
	readonly original: string;
	message: string;
	count: number;
	readonly firstMs: number;
	lastMs: number;
}

/** Series of one type and reason. */
interface Group<S> {
	readonly type: string;
	readonly reason: string;
	lastMs: number;
	/** One per message. */
	series: readonly S[];
	/** The series for all further messages, once there are too many. */
	combined: S | undefined;
}

/** The state for an object, or a part of it. */
interface Subject<S> {
	/** Remaining Events of the object's burst. */
	tokens: number;
	sinceMs: number;
	groups: readonly Group<S>[];
}

/**
 * Lists of subjects and groups have few items, and there are thousands: they are created on demand, as long as
 * necessary.
 */
const none: readonly never[] = [];

/** Per object and source: a burst of this many Events, then one in five minutes. */
const burst = 25;
const refillMs = 300_000;
/** Events that repeat within this time are one. */
const sameWithinMs = 600_000;
/** The number of Events that differ only in their message before they are combined. */
const similarLimit = 10;
const rememberedSubjects = 4096;

export class EventCorrelator<S extends Series> {
	readonly #subjects = new Recent<Subject<S>>(rememberedSubjects);
	readonly #begin: (original: string, nowMs: number) => S;

	/** @param begin creates a series without Events */
	constructor(begin: (original: string, nowMs: number) => S) {
		this.#begin = begin;
	}

	/** The series of the Event, which is counted in it; undefined if there were too many about the object. */
	add(event: EventToRecord, about: ObjectReference, nowMs: number): S | undefined {
		const subject = this.#subject(event, about, nowMs);
		if (!takeToken(subject, nowMs)) return undefined;
		const series = this.#seriesOf(subject, event, nowMs);
		series.count++;
		series.lastMs = nowMs;
		return series;
	}

	#subject({ component, host = "", fieldPath = "" }: EventToRecord, about: ObjectReference, nowMs: number): Subject<S> {
		const { kind, namespace = "", name, uid } = about;
		const key = `${uid}|${fieldPath}|${component}|${host}|${kind}|${namespace}|${name}`;
		let subject = this.#subjects.get(key);
		if (subject === undefined) {
			subject = { tokens: burst, sinceMs: nowMs, groups: none };
			this.#subjects.set(key, subject);
		}
		return subject;
	}

	#seriesOf(subject: Subject<S>, { type, reason, message }: EventToRecord, nowMs: number): S {
		let group = subject.groups.find((known) => known.type === type && known.reason === reason);
		if (group === undefined) {
			group = { type, reason, lastMs: nowMs, series: none, combined: undefined };
			subject.groups = subject.groups.concat(group);
		} else if (nowMs - group.lastMs > sameWithinMs) {
			group.series = none;
			group.combined = undefined;
		}
		group.lastMs = nowMs;
		const known = group.series.findIndex((series) => series.original === message);
		if (group.combined !== undefined || (known < 0 && group.series.length === similarLimit - 1)) {
			group.combined ??= this.#begin(message, nowMs);
			group.combined.message = `(combined from similar events): ${message}`;
			return group.combined;
		}
		const series = group.series[known];
		if (series !== undefined && nowMs - series.lastMs <= sameWithinMs) return series;
		const begun = this.#begin(message, nowMs);
		group.series = known < 0 ? group.series.concat(begun) : group.series.with(known, begun);
		return begun;
	}
}

function takeToken(subject: { tokens: number; sinceMs: number }, nowMs: number): boolean {
	subject.tokens = Math.min(burst, subject.tokens + (nowMs - subject.sinceMs) / refillMs);
	subject.sinceMs = nowMs;
	if (subject.tokens < 1) return false;
	subject.tokens--;
	return true;
}
