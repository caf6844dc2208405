/** Reads the fields of the scale subresource from the object itself. */
import type { KubeObject } from "../../core/object.ts";
import { valueAt } from "../../core/object-path.ts";
import { type LabelSelector, parseLabelSelector, type Selector, selectorFrom } from "../../core/selection/selector.ts";

/** The selector at a path: plain labels, a LabelSelector, or its text. Undefined if there is none. */
export function selectorAt(object: KubeObject, path: string | undefined): Selector | undefined {
	const value = path === undefined ? undefined : valueAt(object, path);
	if (typeof value === "string") return value === "" ? undefined : parseLabelSelector(value);
	if (typeof value !== "object" || value === null) return undefined;
	if ("matchLabels" in value || "matchExpressions" in value) return selectorFrom(value as LabelSelector);
	// ReplicationControllers have plain labels instead of a selector.
	return Object.keys(value).length === 0 ? undefined : selectorFrom({ matchLabels: value as Record<string, string> });
}
