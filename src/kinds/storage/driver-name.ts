import type { Cause } from "../../core/errors.ts";
import { invalidEach, required, tooLongValue } from "../../core/validation/field-errors.ts";
import { dnsSubdomainProblems } from "../../core/validation/names.ts";

const longest = 63;

/** The name of a driver of volumes or devices, such as `dra.example.com`; capitals are allowed. */
export function driverName(name: string | undefined, path: string): Cause[] {
	if (!name) return [required(path)];
	const causes = invalidEach(path, name, dnsSubdomainProblems(name.toLowerCase()));
	return name.length > longest ? [tooLongValue(path, longest), ...causes] : causes;
}
