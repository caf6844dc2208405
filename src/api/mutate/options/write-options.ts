/** Query parameters of writes. */
import { type Cause, invalid } from "../../../core/errors.ts";
import {
	forbidden,
	invalidValue,
	notSupported,
	required,
	tooLongValue,
} from "../../../core/validation/field-errors.ts";
import type { Context } from "../../server/server.ts";
import { contentType } from "../../wire/body.ts";

const optionsKinds: Readonly<Record<string, string>> = {
	create: "CreateOptions",
	update: "UpdateOptions",
	patch: "PatchOptions",
};
const longestManagerBytes = 128;
const unprintable = /[^\P{C}]|[^\P{Z}\u{20}]/gu;

/**
 * Checks the query parameters of a write (`meta/v1` CreateOptions, UpdateOptions, PatchOptions). Other requests pass.
 * @throws ApiError Invalid
 */
export function checkWriteOptions({ request, info }: Context): void {
	const kind = optionsKinds[info.verb];
	if (kind === undefined) return;
	const { query } = request;
	const causes: Cause[] = [];
	const manager = query.get("fieldManager") ?? "";
	if (kind === "PatchOptions") {
		// In any encoding: one that is not supported is rejected as such, and clients then try another.
		if (contentType(request).startsWith("application/apply-patch+")) {
			if (manager === "") causes.push(required("fieldManager", "is required for apply patch"));
		} else if (query.has("force")) causes.push(forbidden("force", "may not be specified for non-apply patch"));
	}
	causes.push(...managerProblems(manager), ...dryRunProblems(dryRunValues(query)));
	const validation = query.get("fieldValidation") ?? "";
	const validations = ["", "Ignore", "Strict", "Warn"];
	if (!validations.includes(validation)) causes.push(notSupported("fieldValidation", validation, validations));
	if (causes.length > 0) throw invalid({ group: "meta.k8s.io", kind }, "", causes);
}

function managerProblems(manager: string): Cause[] {
	const causes: Cause[] = [];
	if (manager === "") return causes;
	if (Buffer.byteLength(manager) > longestManagerBytes) causes.push(tooLongValue("fieldManager", longestManagerBytes));
	if (manager.search(unprintable) >= 0)
		causes.push(invalidValue("fieldManager", manager, "must be of characters that can be printed"));
	return causes;
}

export function dryRunProblems(values: readonly string[]): Cause[] {
	if (values.every((value) => value === "All")) return [];
	return [notSupported("dryRun", values, ["All"])];
}

export function dryRunValues(query: URLSearchParams): string[] {
	if (query.size === 0) return [];
	return query.getAll("dryRun").filter((value) => value !== "");
}

/** @param query has been checked */
export function isDryRun(query: URLSearchParams): boolean {
	return dryRunValues(query).length > 0;
}

/** The manager for managedFields: `fieldManager`, or the printable part of the User-Agent before its first slash. */
export function fieldManagerOf({ request }: Context): string {
	const given = request.query.size === 0 ? null : request.query.get("fieldManager");
	if (given !== null && given !== "") return given;
	const agent = request.headers["user-agent"] ?? "";
	const end = agent.indexOf("/");
	const name = end < 0 ? agent : agent.slice(0, end);
	return (plainName.test(name) ? name : printable(name)) || "unknown";
}

const plainName = /^[ -~]{0,128}$/;

function printable(name: string): string {
	let text = "";
	for (const character of name.replace(unprintable, "")) {
		if (Buffer.byteLength(text + character) > longestManagerBytes) break;
		text += character;
	}
	return text;
}
