/**
 * What is wrong with a field, in the form and words that Kubernetes clients expect (`metav1.StatusCause`). Validators
 * collect these; `invalid` in errors.ts makes an answer of them.
 */
import type { Cause } from "../errors.ts";
import { shown } from "../shown.ts";

function detailed(body: string, detail: string): string {
	return detail === "" ? body : `${body}: ${detail}`;
}

export function required(field: string, detail = ""): Cause {
	return { reason: "FieldValueRequired", message: detailed("Required value", detail), field };
}

export function invalidValue(field: string, value: unknown, detail: string): Cause {
	return { reason: "FieldValueInvalid", message: detailed(`Invalid value: ${shown(value)}`, detail), field };
}

/** @param supported in the order in which the message lists them (upstream: sorted) */
export function notSupported(field: string, value: unknown, supported: readonly string[]): Cause {
	return notAmongListed(field, value, listOfSupported(supported));
}

/** The same for many values: the list of what is supported is written once. */
export function notAmongListed(field: string, value: unknown, list: string): Cause {
	return { reason: "FieldValueNotSupported", message: `Unsupported value: ${shown(value)}${list}`, field };
}

export function listOfSupported(supported: readonly string[]): string {
	const list = supported.map((item) => JSON.stringify(item)).join(", ");
	return supported.length === 0 ? "" : `: supported values: ${list}`;
}

export function duplicate(field: string, value: unknown): Cause {
	return { reason: "FieldValueDuplicate", message: `Duplicate value: ${shown(value)}`, field };
}

export function forbidden(field: string, detail: string): Cause {
	return { reason: "FieldValueForbidden", message: detailed("Forbidden", detail), field };
}

export function notFoundValue(field: string, value: unknown, detail = ""): Cause {
	return { reason: "FieldValueNotFound", message: detailed(`Not found: ${shown(value)}`, detail), field };
}

export function tooLongValue(field: string, limitBytes: number): Cause {
	const unit = limitBytes === 1 ? "byte" : "bytes";
	return { reason: "FieldValueTooLong", message: `Too long: may not be more than ${limitBytes} ${unit}`, field };
}

export function tooMany(field: string, count: number, limit: number): Cause {
	return {
		reason: "FieldValueTooMany",
		message: `Too many: ${count}: must have at most ${limit} ${limit === 1 ? "item" : "items"}`,
		field,
	};
}

/** A value of the wrong JSON type: found by decoding, before any validator runs. */
export function typeInvalid(field: string, detail: string): Cause {
	return { reason: "FieldValueTypeInvalid", message: detail, field };
}

/** One `Invalid value` for each problem that a check of core/validation/names.ts found. */
export function invalidEach(field: string, value: unknown, problems: readonly string[]): Cause[] {
	return problems.map((problem) => invalidValue(field, value, problem));
}
