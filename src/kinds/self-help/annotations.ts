/**
 * Annotations by which workloads help themselves: what upstream does not do, where a user asks for it (docs/self-help.md). An
 * annotation that is absent costs nothing and changes nothing.
 */

import { durationMs } from "../../core/duration.ts";
import type { Cause } from "../../core/errors.ts";
import { invalidValue, notSupported } from "../../core/field-errors.ts";
import type { KubeObject } from "../../core/object.ts";
import type { CronJob } from "../generated/types.ts";

const domain = "coxswain.io/";

/** A StatefulSet replaces a pod of an outdated revision that never served. */
export const recoverAnnotation = "coxswain.io/recover-rollout";
/** A StatefulSet's claims grow with its volumeClaimTemplates. */
export const growAnnotation = "coxswain.io/grow-claims";

/** A CronJob's runs start up to so much later, each by its own delay. */
export const jitterAnnotation = "coxswain.io/jitter";
/** `once`: a CronJob runs once in the hour that clocks repeat, and for the hour that they skip. */
export const clockChangesAnnotation = "coxswain.io/clock-changes";
/** `all`: a CronJob makes up for every run that was missed, not for the last alone. */
export const catchUpAnnotation = "coxswain.io/catch-up";
/** Who started a run by hand. */
export const startedByAnnotation = "coxswain.io/started-by";

/** What is wrong with a value, with the path of its field. */
type Check = (value: string, path: string) => Cause[];

const oneOf = (values: readonly string[]): Check => {
	return (value, path) => (values.includes(value) ? [] : [notSupported(path, value, values)]);
};

/** Kind → annotation → check of its value. */
const checks: Readonly<Record<string, Readonly<Record<string, Check>>>> = {
	StatefulSet: {
		[recoverAnnotation]: oneOf(["true", "false"]),
		[growAnnotation]: oneOf(["true", "false"]),
	},
	CronJob: {
		[jitterAnnotation]: jitter,
		[clockChangesAnnotation]: oneOf(["once", "as-they-come"]),
		[catchUpAnnotation]: oneOf(["all", "last"]),
	},
};

const longestJitterMs = 24 * 3_600_000;

function jitter(value: string, path: string): Cause[] {
	const wanted = "must be a duration of at most 24h, such as 30s or 10m";
	return readJitter(value) === undefined ? [invalidValue(path, value, wanted)] : [];
}

function readJitter(text: string): number | undefined {
	try {
		const ms = durationMs(text);
		return ms <= longestJitterMs ? ms : undefined;
	} catch {
		return undefined;
	}
}

/** The longest delay of a cron job's runs; 0 where none is asked for. */
export function jitterMs({ metadata }: CronJob): number {
	const text = metadata.annotations?.[jitterAnnotation];
	return text === undefined ? 0 : (readJitter(text) ?? 0);
}

/** Where one run takes the place of another there is nothing to make up for but the last. */
export function catchesUp({ metadata, spec }: CronJob): boolean {
	return metadata.annotations?.[catchUpAnnotation] === "all" && spec.concurrencyPolicy !== "Replace";
}

export function isAsked({ metadata }: { metadata: { annotations?: Record<string, string> } }, name: string): boolean {
	return metadata.annotations?.[name] === "true";
}

/**
 * What is wrong with annotations that an object has and `old` had not, or had with another value: what is stored already must not
 * keep anybody from changing something else.
 */
export function selfHelpProblems(object: KubeObject, old: KubeObject | undefined): Cause[] {
	const causes: Cause[] = [];
	for (const name in object.metadata.annotations) {
		if (!name.startsWith(domain)) continue;
		const value = object.metadata.annotations[name] ?? "";
		if (old?.metadata.annotations?.[name] === value) continue;
		const check = checks[object.kind]?.[name];
		if (check !== undefined) causes.push(...check(value, annotationPath(name)));
	}
	return causes;
}

export function annotationPath(name: string, within = "metadata"): string {
	return `${within}.annotations[${name}]`;
}
