/** What the scale subresource reads, from the object itself. */
import type { KubeObject } from "../core/object.ts";
import { type LabelSelector, parseLabelSelector, type Selector, selectorFrom } from "../core/selector.ts";

/** The value at a path such as `.spec.replicas`. */
export function valueAt(object: KubeObject, path: string): unknown {
	let value: unknown = object;
	for (const part of path.split(".")) {
		if (part === "") continue;
		if (typeof value !== "object" || value === null) return undefined;
		// Checked to be an object just above.
		value = (value as Record<string, unknown>)[part];
	}
	return value;
}

/** The selector at a path: plain labels, a LabelSelector, or its text. Undefined when there is none. */
export function selectorAt(object: KubeObject, path: string | undefined): Selector | undefined {
	const value = path === undefined ? undefined : valueAt(object, path);
	if (typeof value === "string") return value === "" ? undefined : parseLabelSelector(value);
	if (typeof value !== "object" || value === null) return undefined;
	if ("matchLabels" in value || "matchExpressions" in value) return selectorFrom(value as LabelSelector);
	// ReplicationControllers have plain labels where others have a selector.
	return Object.keys(value).length === 0 ? undefined : selectorFrom({ matchLabels: value as Record<string, string> });
}
