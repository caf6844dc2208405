import type { Cause } from "../../core/errors.ts";
import { duplicate, invalidValue } from "../../core/validation/field-errors.ts";
import { limits } from "./limits.ts";
import { each } from "./lists.ts";
import { labelKey } from "./names.ts";

interface Conditions {
	bindingConditions?: string[];
	bindingFailureConditions?: string[];
}

/** Conditions of a device that must be, or must not be, before a pod with it is bound. */
export function bindingProblems(device: Conditions, path: string): Cause[] {
	const { bindingConditions: wanted = [], bindingFailureConditions: failing = [] } = device;
	const [wantedPath, failingPath] = [`${path}.bindingConditions`, `${path}.bindingFailureConditions`];
	const causes = [
		...each(wanted, limits.bindingConditions, wantedPath, labelKey),
		...each(failing, limits.bindingConditions, failingPath, labelKey),
		...repeated(wanted, wantedPath),
		...repeated(failing, failingPath),
	];
	for (const [index, type] of failing.entries())
		if (wanted.includes(type))
			causes.push(
				invalidValue(
					`${failingPath}[${index}]`,
					type,
					"bindingFailureConditions must not overlap with bindingConditions",
				),
			);
	if (wanted.length === 0 && failing.length > 0)
		causes.push(invalidValue(wantedPath, wanted, "bindingConditions are required to use bindingFailureConditions"));
	if (failing.length === 0 && wanted.length > 0)
		causes.push(invalidValue(failingPath, failing, "bindingFailureConditions are required to use bindingConditions"));
	return causes;
}

function repeated(types: readonly string[], path: string): Cause[] {
	return types.flatMap((type, index) => (types.indexOf(type) < index ? [duplicate(`${path}[${index}]`, type)] : []));
}
