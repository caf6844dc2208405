import type { Cause } from "../../../core/errors.ts";
import { invalidValue, required } from "../../../core/validation/field-errors.ts";

/** A path inside the volume: relative, without `..`, and different from the names that atomic writes use. */
export function filePath(value: string | undefined, path: string): Cause[] {
	if (!value) return [required(path)];
	const causes: Cause[] = [];
	if (value.startsWith("/")) causes.push(invalidValue(path, value, "must be a relative path"));
	if (value.split("/").includes("..")) causes.push(invalidValue(path, value, "must not contain '..'"));
	else if (value.startsWith("..")) causes.push(invalidValue(path, value, "must not start with '..'"));
	return causes;
}
