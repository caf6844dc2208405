import type { Cause } from "../../core/errors.ts";
import { invalidValue, tooLongValue } from "../../core/validation/field-errors.ts";

const mostParameters = 512;
const longestParameters = 256 * 1024;

/** What a driver is told of a class. The limit of their number is worded as upstream's, as if it were one of bytes. */
export function parameterProblems(parameters: Readonly<Record<string, string>> = {}, path: string): Cause[] {
	const entries = Object.entries(parameters);
	if (entries.length > mostParameters) return [tooLongValue(path, mostParameters)];
	const causes: Cause[] = [];
	let bytes = 0;
	for (const [key, value] of entries) {
		if (key === "") causes.push(invalidValue(path, key, "field can not be empty."));
		bytes += Buffer.byteLength(key) + Buffer.byteLength(value);
	}
	return bytes > longestParameters ? [...causes, tooLongValue(path, longestParameters)] : causes;
}
