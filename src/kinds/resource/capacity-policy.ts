/** How much of a shared device's capacity a request may consume (`requestPolicy`). Amounts are quantities. */
import type { Cause } from "../../core/errors.ts";
import { addQuantities, compareQuantities, formatQuantity, quantityNano } from "../../core/quantity.ts";
import { duplicate, forbidden, invalidValue, required, tooMany } from "../../core/validation/field-errors.ts";
import type { CapacityRequestPolicy, CapacityRequestPolicyRange } from "../generated/types.ts";
import { limits } from "./limits.ts";

/** @param capacity of the device */
export function policyProblems(capacity: string, policy: CapacityRequestPolicy, path: string): Cause[] {
	const { validValues = [], validRange, default: standard } = policy;
	if (validValues.length > 0 && validRange !== undefined)
		return [
			forbidden(
				path,
				'exactly one policy can be specified, cannot specify "validValues" and "validRange" at the same time',
			),
		];
	if (validValues.length > 0)
		return standard === undefined
			? [required(`${path}.default`, "required when validValues is defined")]
			: valuesProblems(standard, capacity, validValues, `${path}.validValues`);
	if (validRange === undefined) return [];
	return standard === undefined
		? [required(`${path}.default`, "required when validRange is defined")]
		: rangeProblems(standard, capacity, validRange, `${path}.validRange`);
}

function valuesProblems(standard: string, capacity: string, values: readonly string[], path: string): Cause[] {
	const causes: Cause[] = [];
	for (const [index, value] of values.entries()) {
		const before = values[index - 1];
		if (before !== undefined && compareQuantities(before, value) > 0)
			causes.push(invalidValue(`${path}[${index}]`, value, "values must be sorted in ascending order"));
	}
	if (values.length > limits.validValues) causes.push(tooMany(path, values.length, limits.validValues));
	else {
		const seen = new Set<bigint>();
		for (const [index, value] of values.entries()) {
			if (compareQuantities(value, capacity) > 0)
				causes.push(invalidValue(`${path}[${index}]`, value, `option is larger than capacity value: ${capacity}`));
			if (seen.has(quantityNano(value))) causes.push(duplicate(`${path}[${index}]`, value));
			seen.add(quantityNano(value));
		}
	}
	if (!values.some((value) => compareQuantities(value, standard) === 0))
		causes.push(invalidValue(path, standard, "default value is not valid according to the requestPolicy"));
	return causes;
}

function rangeProblems(standard: string, capacity: string, range: CapacityRequestPolicyRange, path: string): Cause[] {
	const { min, max, step } = range;
	if (min === undefined) return [required(`${path}.min`, "required when validRange is defined")];
	const causes: Cause[] = [];
	const must = (holds: boolean, field: string, value: string, problem: string) => {
		if (!holds) causes.push(invalidValue(`${path}.${field}`, value, problem));
	};
	const atMost = (a: string, b: string) => compareQuantities(a, b) <= 0;
	must(atMost(min, capacity), "min", min, `min is larger than capacity value: ${capacity}`);
	must(atMost(min, standard), "default", standard, `default is less than min: ${min}`);
	if (max !== undefined) {
		must(atMost(min, max), "max", min, `min is larger than max: ${max}`);
		must(atMost(max, capacity), "max", max, `max is larger than capacity value: ${capacity}`);
		must(atMost(standard, max), "default", standard, `default is more than max: ${max}`);
	}
	if (step === undefined) return causes;
	if (quantityNano(step) <= 0n) return [...causes, invalidValue(`${path}.step`, step, "must be greater than zero")];
	const second = addQuantities(min, step);
	must(atMost(second, capacity), "step", step, `one step ${second} is larger than capacity value: ${capacity}`);
	for (const value of max === undefined ? [standard] : [standard, max])
		must(isStep(value, min, step), "step", value, `value is not a multiple of a given step (${step}) from (${min})`);
	return causes;
}

function isStep(value: string, min: string, step: string): boolean {
	return (quantityNano(value) - quantityNano(min)) % quantityNano(step) === 0n;
}

/**
 * What a request consumes of a capacity, by its policy.
 * @param wanted undefined: as the policy says, or all of it
 * @returns a quantity, or undefined when the policy forbids the amount
 */
export function consumedAmount(
	wanted: string | undefined,
	capacity: string,
	policy: CapacityRequestPolicy | undefined,
): string | undefined {
	if (policy === undefined) return wanted ?? capacity;
	const amount = wanted ?? policy.default;
	if (amount === undefined) return capacity;
	const { validValues = [], validRange } = policy;
	if (validValues.length > 0) return validValues.find((value) => compareQuantities(amount, value) <= 0);
	return validRange === undefined ? amount : roundedUp(amount, validRange);
}

function roundedUp(amount: string, { min, max, step }: CapacityRequestPolicyRange): string | undefined {
	let value = compareQuantities(amount, min) < 0 ? min : amount;
	if (step !== undefined && value !== min) {
		const [low, size] = [quantityNano(min), quantityNano(step)];
		const steps = (quantityNano(value) - low + size - 1n) / size;
		value = formatQuantity(low + steps * size, "binary");
	}
	return max === undefined || compareQuantities(value, max) <= 0 ? value : undefined;
}
