/** What is wrong with the conditions of flow control's kinds. */
import type { Cause } from "../../core/errors.ts";
import { duplicate, required } from "../../core/validation/field-errors.ts";

export function conditionsProblems(conditions: readonly { type?: string }[] = []): Cause[] {
	const seen = new Set<string>();
	return conditions.flatMap(({ type = "" }, index) => {
		const at = `status.conditions[${index}].type`;
		const causes = seen.has(type) ? [duplicate(at, type)] : [];
		seen.add(type);
		return type === "" ? [...causes, required(at, "must not be empty")] : causes;
	});
}
