/** Options of a deletion, from the query and the body (`meta/v1 DeleteOptions`). */
import { type ApiError, invalid } from "../../../core/errors.ts";
import { integerOf, isTrue } from "../../../core/selection/query.ts";
import { shown } from "../../../core/shown.ts";
import type { Context } from "../../server/server.ts";
import { readObjectBody } from "../../wire/body.ts";
import { dryRunProblems, dryRunValues } from "./write-options.ts";

const deleteOptions = { group: "meta.k8s.io", kind: "DeleteOptions" };

export type Propagation = "Background" | "Foreground" | "Orphan";

export interface DeleteOptions {
	gracePeriodSeconds: number | undefined;
	propagation: Propagation | undefined;
	/** UID that the object must have. */
	uid: string | undefined;
	resourceVersion: string | undefined;
	dryRun: boolean;
}

/** @throws ApiError BadRequest, Invalid */
export function deleteOptionsOf(context: Context): DeleteOptions {
	return parseDeleteOptions(readObjectBody(context.request).value, context.request.query);
}

/**
 * @param value a DeleteOptions, or undefined
 * @throws ApiError BadRequest, Invalid
 */
export function parseDeleteOptions(value: unknown, query: URLSearchParams): DeleteOptions {
	// A value that is not an object sets no options.
	const body = (typeof value === "object" && value !== null ? value : {}) as Record<string, unknown>;
	const preconditions = (body["preconditions"] ?? {}) as Record<string, unknown>;
	const orphans = body["orphanDependents"] ?? booleanOf(query.get("orphanDependents"));
	const policy = body["propagationPolicy"] ?? query.get("propagationPolicy") ?? undefined;
	if (orphans !== undefined && orphans !== null && policy !== undefined && policy !== null)
		throw optionsInvalid("propagationPolicy", policy, "orphanDependents and deletionPropagation cannot be both set");
	const grace = body["gracePeriodSeconds"] ?? integerOf(query.get("gracePeriodSeconds"));
	if (typeof grace === "number" && grace < 0 && grace !== -1)
		throw optionsInvalid("gracePeriodSeconds", grace, "must be greater than or equal to 0");
	const dryRun = [...(Array.isArray(body["dryRun"]) ? body["dryRun"].map(String) : []), ...dryRunValues(query)];
	const dryRunCauses = dryRunProblems(dryRun);
	if (dryRunCauses.length > 0) throw invalid(deleteOptions, "", dryRunCauses);
	return {
		gracePeriodSeconds: typeof grace === "number" ? grace : undefined,
		propagation: propagationOf(policy, orphans),
		uid: textOf(preconditions["uid"]),
		resourceVersion: textOf(preconditions["resourceVersion"]),
		dryRun: dryRun.length > 0,
	};
}

function propagationOf(policy: unknown, orphans: unknown): Propagation | undefined {
	if (policy === "Background" || policy === "Foreground" || policy === "Orphan") return policy;
	if (policy !== undefined && policy !== null)
		throw optionsInvalid("propagationPolicy", policy, 'supported values: "Background", "Foreground", "Orphan"');
	if (typeof orphans !== "boolean") return undefined;
	return orphans ? "Orphan" : "Background";
}

function textOf(value: unknown): string | undefined {
	return typeof value === "string" ? value : undefined;
}

function booleanOf(text: string | null): boolean | undefined {
	return text === null || text === "" ? undefined : isTrue(text);
}

function optionsInvalid(field: string, value: unknown, why: string): ApiError {
	return invalid(deleteOptions, "", [
		{ reason: "FieldValueInvalid", message: `Invalid value: ${shown(value)}: ${why}`, field },
	]);
}
