/** Server-side apply: a manager states all that it wants, and owns exactly that (KEP-555). */
import { ApiError, type Cause, firstOf } from "../errors.ts";
import { deepCopy, type ManagedFieldsEntry } from "../object.ts";
import { checkJsonBytes } from "../text/json-limits.ts";
import { compare } from "./differences.ts";
import { badPatch } from "./errors.ts";
import { difference, equal, type FieldSet, intersection, isEmpty, paths, union, unionOf } from "./field-set.ts";
import { disown, entriesOf, entryOf, inOrder, ownable, rootField, setOf, type Writer } from "./managed-fields.ts";
import { isObject, type JsonObject, own, type Schemas } from "./schema.ts";
import { fieldsOf, merge, prune } from "./typed.ts";

export interface Apply extends Writer {
	/** The stored object in the version that is applied; undefined when there is none. */
	live: JsonObject | undefined;
	/** What the manager wants, decoded by the same type. */
	config: JsonObject;
	/** Take fields over from other managers that want other values. */
	force: boolean;
}

/** Represents the writer of an object before its fields were tracked. */
const beforeFirstApply = "before-first-apply";
const lastAppliedAnnotation = "kubectl.kubernetes.io/last-applied-configuration";

/**
 * The object after the apply, with its managedFields; may be changed by the caller. Defaults are not filled in: what
 * they add has no owner. An apply that changes nothing returns an equal object, managedFields included.
 * @throws ApiError Conflict when other managers own fields to be changed and `force` is not set, BadRequest when the
 * configuration is not one
 */
export function serverSideApply(apply: Apply): JsonObject {
	const { live, schemas, manager } = apply;
	const field = rootField(apply);
	const config = { ...apply.config };
	for (const name of apply.resetFields ?? []) delete config[name];
	const given = isObject(config["metadata"]) ? own(config["metadata"], "managedFields") : undefined;
	if (Array.isArray(given) && given.length > 0) throw badPatch("metadata.managedFields must be nil");

	const entries = trackedEntries(apply);
	const mine = entries.find((entry) => isApplyBy(entry, apply));
	const others = entries.filter((entry) => entry !== mine);
	const wanted = fieldsOf(config, field, schemas, "");
	const last = mine && setOf(mine);
	// The type is an object's, and merging objects gives an object.
	let merged = merge(live ?? {}, config, field, schemas) as JsonObject;
	if (last !== undefined && !isEmpty(last))
		merged = prune(merged, last, union(wanted, unionOf(others.map(setOf))), field, schemas);

	const found = compare(ownable(live ?? {}, apply), ownable(merged, apply), field, schemas);
	const conflicts = others
		.map((entry) => ({ entry, set: intersection(setOf(entry), found.changed) }))
		.filter(({ set }) => !isEmpty(set));
	if (conflicts.length > 0 && !apply.force && !lastAppliedByKubectl(apply, conflicts)) throw conflictError(conflicts);

	const owned = fieldsOf(ownable(config, apply), field, schemas);
	const unchanged = mine !== undefined && equal(setOf(mine), owned) && mine.apiVersion === apply.apiVersion;
	const entry = unchanged ? mine : entryOf({ ...apply, manager }, "Apply", owned);
	if (manager === "kubectl") merged = withLastApplied(merged, config);
	return withEntries(merged, [...others.map((other) => disown(other, found)), entry]);
}

/**
 * The object merged with a configuration, as an apply does, but without owners of fields.
 * @throws ApiError BadRequest when the configuration names an item of a list twice, or without its keys
 */
export function mergeConfiguration(object: object, config: JsonObject, typeName: string, schemas: Schemas): JsonObject {
	const field = rootField({ typeName });
	fieldsOf(config, field, schemas, "");
	// Objects are plain records, and merging objects gives an object.
	return merge(object as JsonObject, config, field, schemas) as JsonObject;
}

function withEntries(object: JsonObject, entries: readonly ManagedFieldsEntry[]): JsonObject {
	const copy = deepCopy(object);
	const kept = inOrder(entries.filter((entry) => !isEmpty(setOf(entry))));
	copy["metadata"] = { ...(isObject(copy["metadata"]) ? copy["metadata"] : {}), managedFields: deepCopy(kept) };
	return copy;
}

/** The entries of the live object. An object without any was written by someone all the same. */
function trackedEntries(apply: Apply): readonly ManagedFieldsEntry[] {
	if (apply.live === undefined) return [];
	const entries = entriesOf(apply.live);
	if (entries.length > 0) return entries;
	const { subresource: _, ...writer } = apply;
	const all = compare({}, ownable(apply.live, { resetFields: [] }), rootField(apply), apply.schemas).changed;
	return isEmpty(all) ? [] : [entryOf({ ...writer, manager: beforeFirstApply }, "Update", all)];
}

/** An applier is the same whatever version it applies. */
function isApplyBy(entry: ManagedFieldsEntry, apply: Apply): boolean {
	return (
		entry.operation === "Apply" &&
		entry.manager === apply.manager &&
		(entry.subresource ?? "") === (apply.subresource ?? "")
	);
}

/** An object's annotation of kubectl, on either side, records what kubectl has applied. */
function withLastApplied(merged: JsonObject, config: JsonObject): JsonObject {
	const metadata = merged["metadata"];
	const annotations = isObject(metadata) ? metadata["annotations"] : undefined;
	if (!isObject(metadata) || !isObject(annotations) || own(annotations, lastAppliedAnnotation) === undefined)
		return merged;
	const applied = deepCopy(config);
	const given = isObject(applied["metadata"]) ? applied["metadata"]["annotations"] : undefined;
	if (isObject(given)) delete given[lastAppliedAnnotation];
	const text = `${JSON.stringify(applied)}\n`;
	return { ...merged, metadata: { ...metadata, annotations: { ...annotations, [lastAppliedAnnotation]: text } } };
}

interface Conflict {
	entry: ManagedFieldsEntry;
	set: FieldSet;
}

/** Whether kubectl only takes over what it had itself applied on the client's side, as its annotation tells. */
function lastAppliedByKubectl(apply: Apply, conflicts: readonly Conflict[]): boolean {
	if (apply.manager !== "kubectl" || !isObject(apply.live?.["metadata"])) return false;
	const annotations = apply.live["metadata"]["annotations"];
	const text = isObject(annotations) ? own(annotations, lastAppliedAnnotation) : undefined;
	if (typeof text !== "string") return false;
	let lastApplied: unknown;
	try {
		checkJsonBytes(Buffer.from(text));
		lastApplied = JSON.parse(text);
	} catch {
		return false;
	}
	if (!isObject(lastApplied) || lastApplied["apiVersion"] !== apply.apiVersion) return false;
	// What has changed since is no longer kubectl's.
	const differences = compare(apply.live, lastApplied, rootField(apply), apply.schemas);
	const fields = fieldsOf(lastApplied, rootField(apply), apply.schemas);
	const allowed = difference(difference(fields, differences.changed), differences.removed);
	return conflicts.every(({ set }) => equal(intersection(set, allowed), set));
}

function conflictError(conflicts: readonly Conflict[]): ApiError {
	const sorted = conflicts.toSorted((a, b) => (nameOf(a.entry) < nameOf(b.entry) ? -1 : 1));
	const all: Cause[] = sorted.flatMap(({ entry, set }) =>
		paths(set).map((field) => ({ reason: "FieldManagerConflict", message: `conflict with ${nameOf(entry)}`, field })),
	);
	const causes = firstOf(all, "FieldManagerConflict");
	const [only] = causes;
	if (causes.length === 1 && only !== undefined)
		return new ApiError("Conflict", `Apply failed with 1 conflict: ${only.message}: ${only.field}`, { causes });
	const texts = sorted.map(({ entry, set }) =>
		[`conflicts with ${nameOf(entry)}:`, ...paths(set).map((path) => `- ${path}`)].join("\n"),
	);
	return new ApiError("Conflict", `Apply failed with ${all.length} conflicts: ${texts.join("\n")}`, { causes });
}

/** `"kubectl-edit" using apps/v1`, and an applier by its name alone. */
function nameOf({ manager, operation, subresource, apiVersion }: ManagedFieldsEntry): string {
	const name = subresource === undefined ? `"${manager}"` : `"${manager}" with subresource "${subresource}"`;
	return operation === "Update" ? `${name} using ${apiVersion}` : name;
}
