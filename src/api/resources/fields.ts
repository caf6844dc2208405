/** The fields of objects that selectors may name. */
import { ApiError } from "../../core/errors.ts";
import type { KubeObject } from "../../core/object.ts";
import { type FieldSelector, fieldSelector, parseFieldSelector } from "../../core/selection/field-selector.ts";
import { parseLabelSelector, type Selector } from "../../core/selection/selector.ts";
import type { Kind, ServedVersion } from "../../kinds/engine/kind.ts";
import { objectKey } from "../cache/keys.ts";
import type { WatchScope } from "../cache/watchers.ts";

/** Which objects of a kind a list or watch is about. */
export interface Selection {
	namespace: string | undefined;
	labels: Selector;
	fields: FieldSelector;
	/** True when every object of the namespace is selected. */
	everything: boolean;
	/** Metadata decides, which is the same in all versions. */
	onlyMetadata: boolean;
	matches(object: KubeObject): boolean;
	/** The narrowest index of watchers that sees all of it. */
	scope: WatchScope;
	/** The one name selected, where a selector says so. */
	name: string | undefined;
}

/**
 * @param served the version that the client speaks, when it is not the stored one
 * @throws ApiError BadRequest when a selector cannot be read or names a field the kind does not offer
 */
export function selectionOf(
	{ kind, served, namespace }: { kind: Kind; served?: ServedVersion | undefined; namespace: string | undefined },
	query: URLSearchParams,
	name?: string,
): Selection {
	const labels = parseLabelSelector(query.get("labelSelector") ?? "");
	const fields = storedNames(parseFieldSelector(query.get("fieldSelector") ?? ""), served);
	for (const { path } of fields.requirements) {
		if (fieldOf(kind, path) !== undefined) continue;
		const why =
			kind.selectableFields.length === 0
				? `"${path}" is not a known field selector: only "metadata.name", "metadata.namespace"`
				: `field label not supported: ${path}`;
		throw new ApiError("BadRequest", why);
	}
	const named =
		name ?? fields.requirements.find(({ path, operator }) => path === "metadata.name" && operator === "=")?.value;
	const matches = (object: KubeObject) =>
		(name === undefined || object.metadata.name === name) &&
		labels.matches(object.metadata.labels) &&
		(fields.everything || fields.matches((path) => fieldOf(kind, path)?.(object) ?? ""));
	const everything = labels.everything && fields.everything && name === undefined;
	return {
		namespace,
		labels,
		fields,
		everything,
		onlyMetadata: fields.requirements.every(({ path }) => path.startsWith("metadata.")),
		matches,
		scope: scopeOf(kind, namespace, fields, named),
		name: named,
	};
}

/** @throws ApiError BadRequest for a field that the version does not know by this name */
function storedNames(fields: FieldSelector, served: ServedVersion | undefined): FieldSelector {
	const names = served?.selectableFields;
	if (names === undefined || fields.everything) return fields;
	const requirements = fields.requirements.map((requirement) => {
		const path = names[requirement.path];
		if (path === undefined) throw new ApiError("BadRequest", `field label not supported: ${requirement.path}`);
		return { ...requirement, path };
	});
	return fieldSelector(requirements);
}

function scopeOf(
	kind: Kind,
	namespace: string | undefined,
	fields: FieldSelector,
	name: string | undefined,
): WatchScope {
	if (name !== undefined && (namespace !== undefined || !kind.namespaced))
		return { by: "key", key: objectKey(kind, namespace, name) };
	for (const { path, operator, value } of fields.requirements) {
		// A phase says little; a node's name picks few of many.
		if (path !== "spec.nodeName" || operator !== "=" || value === "") continue;
		const fieldValue = fieldOf(kind, path);
		if (fieldValue !== undefined) return { by: "field", path, fieldValue, value };
	}
	return namespace === undefined ? { by: "all" } : { by: "namespace", namespace };
}

function fieldOf(kind: Kind, path: string): ((object: KubeObject) => string) | undefined {
	if (path === "metadata.name") return (object) => object.metadata.name;
	if (path === "metadata.namespace") {
		// Kinds that list their fields list this one only where it says something.
		const isKnown = kind.namespaced || kind.selectableFields.length === 0;
		return isKnown ? (object) => object.metadata.namespace ?? "" : undefined;
	}
	return kind.selectableFields.find((field) => field.path === path)?.value;
}
