/** successPolicy: the Job succeeds before all of its indexes do (KEP-3998). */
import { IndexSet } from "./indexes.ts";
import type { ResolvedSpec } from "./resolved-spec.ts";

/** The message of the first rule that is met. */
export function successMessage(resolved: ResolvedSpec, succeeded: IndexSet): string | undefined {
	const { successRules, completions = 0 } = resolved;
	if (successRules === undefined || succeeded.size === 0) return undefined;
	for (const [place, { succeededIndexes, succeededCount }] of successRules.entries()) {
		const message = `Matched rules at index ${place}`;
		if (succeededIndexes === undefined) {
			if (succeededCount !== undefined && succeeded.size >= succeededCount) return message;
			continue;
		}
		const wanted = IndexSet.parse(succeededIndexes, completions);
		if (succeeded.common(wanted) >= (succeededCount ?? wanted.size)) return message;
	}
	return undefined;
}
