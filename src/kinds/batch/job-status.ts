/**
 * Validates the status of a Job and its transitions (KEP-4368): whichever controller runs the Job, readers rely on
 * these rules. Only changes are checked, so that a status from before these rules can still be fixed.
 */

import { semanticEqual } from "../../core/equal.ts";
import type { Cause } from "../../core/errors.ts";
import { parseTimestamp } from "../../core/time/clock.ts";
import { nonNegative } from "../../core/validation/field-checks.ts";
import { duplicate, invalidValue, required } from "../../core/validation/field-errors.ts";
import type { Job, JobStatus } from "../generated/types.ts";
import { firstCommonIndex, parseIndexes } from "./job-indexes.ts";

/** A status, the previous one, and the parts that have changed. */
interface Change {
	job: Job;
	status: JobStatus;
	old: JobStatus;
	indexed: boolean;
	changed(...fields: (keyof JobStatus)[]): boolean;
	/** Whether one of the conditions has become true or is no longer true. */
	turned(...types: string[]): boolean;
}

export function validateJobStatus(job: Job, oldJob: Job): Cause[] {
	const { status = {} } = job;
	const { status: old = {} } = oldJob;
	const change: Change = {
		job,
		status,
		old,
		indexed: job.spec.completionMode === "Indexed",
		changed: (...fields) => fields.some((field) => !semanticEqual(status[field], old[field])),
		turned: (...types) => types.some((type) => holds(status, type) !== holds(old, type)),
	};
	return [
		...counts(status),
		...conditions(change),
		...ending(change),
		...indexes(change),
		...readiness(change),
		...criteria(change),
		...transitions(change),
	];
}

function holds({ conditions = [] }: JobStatus, type: string, value = "True"): boolean {
	return conditions.some((condition) => condition.type === type && condition.status === value);
}

function isFinished(status: JobStatus): boolean {
	return holds(status, "Complete") || holds(status, "Failed");
}

function counts(status: JobStatus): Cause[] {
	const fields = ["active", "succeeded", "failed", "ready", "terminating"] as const;
	const causes = fields.flatMap((field) => nonNegative(status[field], `status.${field}`));
	const seen = new Set<string>();
	for (const list of ["succeeded", "failed"] as const) {
		for (const [place, uid] of (status.uncountedTerminatedPods?.[list] ?? []).entries()) {
			const path = `status.uncountedTerminatedPods.${list}[${place}]`;
			if (uid === "") causes.push(invalidValue(path, uid, "must not be empty"));
			else if (seen.has(uid)) causes.push(duplicate(path, uid));
			seen.add(uid);
		}
	}
	return causes;
}

/** Conditions that exclude or require each other. */
function conditions({ status, turned }: Change): Cause[] {
	const complete = holds(status, "Complete");
	const failed = holds(status, "Failed");
	const failing = holds(status, "FailureTarget");
	const rules: [boolean, string][] = [
		[turned("Complete", "Failed") && complete && failed, "cannot set Complete=True and Failed=true conditions"],
		[
			turned("Complete", "FailureTarget") && complete && failing,
			"cannot set Complete=True and FailureTarget=true conditions",
		],
		[
			turned("Failed", "FailureTarget") && failed && !failing,
			"cannot set Failed=True condition without the FailureTarget=true condition",
		],
		[
			turned("Complete", "SuccessCriteriaMet") && complete && !holds(status, "SuccessCriteriaMet"),
			"cannot set Complete=True condition without the SuccessCriteriaMet=true condition",
		],
	];
	return broken(rules);
}

function broken(rules: readonly (readonly [boolean, string])[]): Cause[] {
	return rules.flatMap(([isBroken, message]) => (isBroken ? [wrongConditions(message)] : []));
}

function wrongConditions(message: string): Cause {
	return { reason: "FieldValueInvalid", message: `Invalid value: ${message}`, field: "status.conditions" };
}

/** Fields that require a finished Job, or are required by one. */
function ending({ job, status, old, changed, turned }: Change): Cause[] {
	const { startTime, completionTime, active = 0, terminating = 0, uncountedTerminatedPods: uncounted } = status;
	const complete = holds(status, "Complete");
	const finished = isFinished(status);
	const finishing = finished !== isFinished(old);
	const causes: Cause[] = [];
	if (turned("Complete") || changed("completionTime")) {
		const what = "cannot set completionTime when there is no Complete=True condition";
		if (completionTime !== undefined && !complete)
			causes.push(invalidValue("status.completionTime", completionTime, what));
		if (completionTime === undefined && complete)
			causes.push(required("status.completionTime", "completionTime is required for Complete jobs"));
	}
	if (changed("startTime", "completionTime") && startTime !== undefined && completionTime !== undefined) {
		if (parseTimestamp(completionTime) < parseTimestamp(startTime))
			causes.push(
				invalidValue("status.completionTime", completionTime, "completionTime cannot be set before startTime"),
			);
	}
	if (!finished) return causes;
	if ((finishing || changed("active")) && active > 0)
		causes.push(invalidValue("status.active", active, "active>0 is invalid for finished job"));
	// A Job without work finishes without a start.
	const never = job.spec.suspend === true && job.spec.completions === 0;
	if ((finishing || changed("startTime")) && startTime === undefined && !never)
		causes.push(required("status.startTime", "startTime is required for finished job"));
	const uncountedCount = (uncounted?.succeeded?.length ?? 0) + (uncounted?.failed?.length ?? 0);
	if ((finishing || changed("uncountedTerminatedPods")) && uncountedCount > 0) {
		const what = "uncountedTerminatedPods needs to be empty for finished job";
		causes.push(invalidValue("status.uncountedTerminatedPods", uncounted, what));
	}
	if ((finishing || changed("terminating")) && terminating > 0)
		causes.push(invalidValue("status.terminating", terminating, "terminating>0 is invalid for finished job"));
	return causes;
}

function indexes({ job, status, indexed, changed }: Change): Cause[] {
	const { completions, backoffLimitPerIndex } = job.spec;
	const { completedIndexes = "", failedIndexes } = status;
	const causes: Cause[] = [];
	const completed = parseIndexes(completedIndexes, completions ?? 0);
	if (typeof completed === "string" && completions !== undefined && changed("completedIndexes")) {
		const what = `error parsing completedIndexes: ${completed}`;
		causes.push(invalidValue("status.completedIndexes", completedIndexes, what));
	}
	const failed = parseIndexes(failedIndexes ?? "", completions ?? 0);
	if (typeof failed === "string" && backoffLimitPerIndex !== undefined && changed("failedIndexes"))
		causes.push(invalidValue("status.failedIndexes", failedIndexes, `error parsing failedIndexes: ${failed}`));
	if (changed("completedIndexes") && completedIndexes !== "" && !indexed) {
		const what = "cannot set non-empty completedIndexes when non-indexed completion mode";
		causes.push(invalidValue("status.completedIndexes", completedIndexes, what));
	}
	if (changed("failedIndexes") && failedIndexes !== undefined && backoffLimitPerIndex === undefined) {
		const what = "cannot set non-null failedIndexes when backoffLimitPerIndex is null";
		causes.push(invalidValue("status.failedIndexes", failedIndexes, what));
	}
	if (typeof completed === "string" || typeof failed === "string") return causes;
	const both = changed("completedIndexes", "failedIndexes") ? firstCommonIndex(completed, failed) : undefined;
	if (both !== undefined) {
		const what = `failedIndexes and completedIndexes overlap at index: ${both}`;
		causes.push(invalidValue("status.failedIndexes", failedIndexes, what));
	}
	return causes;
}

function readiness({ status, changed }: Change): Cause[] {
	const { ready, active = 0 } = status;
	if (!changed("ready", "active") || ready === undefined || ready <= active) return [];
	return [invalidValue("status.ready", ready, "cannot set more ready pods than active")];
}

/** Fields that require a success, by the success policy or by the number of completions. */
function criteria({ job, status }: Change): Cause[] {
	const met = holds(status, "SuccessCriteriaMet");
	return broken([
		[met && holds(status, "Failed"), "cannot set SuccessCriteriaMet=True and Failed=true conditions"],
		[met && holds(status, "FailureTarget"), "cannot set SuccessCriteriaMet=True and FailureTarget=true conditions"],
		[
			job.spec.successPolicy !== undefined && !met && holds(status, "Complete"),
			"cannot set Complete=True for Job with SuccessPolicy unless SuccessCriteriaMet=True",
		],
	]);
}

/** A finished Job remains finished, and counters do not decrease. */
function transitions({ job, status, old, indexed, changed }: Change): Cause[] {
	const causes: Cause[] = [];
	for (const type of ["Failed", "Complete", "FailureTarget"])
		if (holds(old, type) && !holds(status, type))
			causes.push(wrongConditions(`cannot disable the terminal ${type}=True condition`));
	const { failed = 0, succeeded = 0, completionTime } = status;
	if (failed < (old.failed ?? 0))
		causes.push(invalidValue("status.failed", failed, "cannot decrease the failed counter"));
	// Indexed Jobs whose indexes all run at once may have been scaled down.
	const mayShrink = indexed && job.spec.completions === job.spec.parallelism;
	if (succeeded < (old.succeeded ?? 0) && !mayShrink)
		causes.push(invalidValue("status.succeeded", succeeded, "cannot decrease the succeeded counter"));
	if (completionTime !== undefined && old.completionTime !== undefined && changed("completionTime"))
		causes.push(invalidValue("status.completionTime", completionTime, "completionTime cannot be mutated"));
	const resumed = holds(old, "Suspended") && holds(status, "Suspended", "False");
	if (old.startTime !== undefined && changed("startTime") && job.spec.suspend !== true && !resumed)
		causes.push(required("status.startTime", "startTime cannot be removed for unsuspended job"));
	if (holds(old, "SuccessCriteriaMet") && !holds(status, "SuccessCriteriaMet"))
		causes.push(wrongConditions("cannot disable the SuccessCriteriaMet=True condition"));
	if (holds(old, "Complete") && !holds(old, "SuccessCriteriaMet") && holds(status, "SuccessCriteriaMet"))
		causes.push(wrongConditions("cannot set SuccessCriteriaMet=True for Job already has Complete=true conditions"));
	return causes;
}
