/** Who set which field: `metadata.managedFields`, kept for every write (KEP-555). */
import type { ManagedFieldsEntry } from "../object.ts";
import { difference, type FieldSet, isEmpty, sorted, union, unionOf } from "./field-set.ts";
import { type FieldSchema, isObject, type JsonObject, own, type Schemas } from "./schema.ts";
import { compare, type Differences } from "./typed.ts";

/** Who writes what, for both ways of writing. */
export interface Writer {
	/** Name of the field manager, as the request gives it or its user agent says. */
	manager: string;
	/** Version in which the object was written: `apps/v1`. */
	apiVersion: string;
	/** `status`, `scale`, …; absent for the object itself. */
	subresource?: string;
	/** RFC 3339. */
	time: string;
	/** Type of the object, in `schemas`. */
	typeName: string;
	schemas: Schemas;
	/** Fields at the top of the object that this way of writing leaves as they are: `["status"]`, or `["spec"]`. */
	resetFields?: readonly string[];
}

/** Entries beyond this many, besides those of subresources and appliers, are joined into one. */
const updaterLimit = 10;
const ancientChanges = "ancient-changes";
const unowned = [
	"name",
	"namespace",
	"creationTimestamp",
	"selfLink",
	"uid",
	"clusterName",
	"generation",
	"managedFields",
	"resourceVersion",
];

/**
 * The managed fields after a create, an update or a patch. The object is compared as it is after defaulting and before
 * the server adds its own (uid, creationTimestamp and the like belong to nobody).
 * @param live the stored object; undefined for a create
 * @param updated its own managedFields count where it has some, for those may be edited; `[{}]` takes all away
 * @returns the very list that came in when the write changes no field
 */
export function trackUpdate(
	live: JsonObject | undefined,
	updated: JsonObject,
	writer: Writer,
): readonly ManagedFieldsEntry[] {
	const field = rootField(writer);
	const found = compare(ownable(live ?? {}, writer), ownable(updated, writer), field, writer.schemas);
	const entries = entriesBefore(live, updated, writer);
	if (isEmpty(found.changed) && isEmpty(found.removed)) return entries;
	const others = entries.filter((entry) => !isUpdateBy(entry, writer)).map((entry) => disown(entry, found));
	const mine = entries.find((entry) => isUpdateBy(entry, writer));
	const before = mine === undefined ? undefined : setOf(mine);
	const after = union(before === undefined ? {} : difference(before, found.removed), found.changed);
	const kept = mine !== undefined && before === after;
	const entry = kept ? mine : entryOf(writer, "Update", after);
	return inOrder(capped([...others, entry].filter((candidate) => !isEmpty(setOf(candidate)))));
}

export function rootField(writer: Pick<Writer, "typeName">): FieldSchema {
	return { type: writer.typeName };
}

/** The object without what nobody owns and without what this way of writing does not touch. */
export function ownable(object: JsonObject, { resetFields = [] }: Pick<Writer, "resetFields">): JsonObject {
	const { apiVersion: _, kind: __, metadata, ...rest } = object;
	for (const field of resetFields) delete rest[field];
	if (!isObject(metadata)) return rest;
	const left: JsonObject = { ...metadata };
	for (const field of unowned) delete left[field];
	return Object.keys(left).length === 0 ? rest : { ...rest, metadata: left };
}

function entriesBefore(
	live: JsonObject | undefined,
	updated: JsonObject,
	writer: Writer,
): readonly ManagedFieldsEntry[] {
	const stored = live === undefined ? [] : entriesOf(live);
	if (writer.subresource !== undefined) return stored;
	const given = isObject(updated["metadata"]) ? own(updated["metadata"], "managedFields") : undefined;
	if (!Array.isArray(given) || given.length === 0) return stored;
	if (given.length === 1 && isObject(given[0]) && Object.keys(given[0]).length === 0) return [];
	return given.every(isEntry) ? given : stored;
}

function isEntry(value: unknown): value is ManagedFieldsEntry {
	if (!isObject(value) || (value["operation"] !== "Apply" && value["operation"] !== "Update")) return false;
	return value["fieldsType"] === "FieldsV1" && isFieldSet(value["fieldsV1"] ?? {});
}

const edgeForm = /^(?:\.$|f:|[vk]:.|i:\d+$)/;

function isFieldSet(value: unknown): boolean {
	if (!isObject(value)) return false;
	return Object.keys(value).every((edge) => edgeForm.test(edge) && readable(edge) && isFieldSet(value[edge]));
}

function readable(edge: string): boolean {
	if (edge.startsWith("f:") || edge === ".") return true;
	try {
		const content: unknown = JSON.parse(edge.slice(2));
		return !edge.startsWith("k:") || isObject(content);
	} catch {
		return false;
	}
}

/** The valid entries of a stored object. */
export function entriesOf(object: JsonObject): readonly ManagedFieldsEntry[] {
	const metadata = object["metadata"];
	const entries = isObject(metadata) ? metadata["managedFields"] : undefined;
	if (!Array.isArray(entries)) return [];
	return entries.every(isEntry) ? entries : entries.filter(isEntry);
}

export function setOf(entry: ManagedFieldsEntry): FieldSet {
	// `isEntry` has checked the form of every entry that gets here.
	return (entry.fieldsV1 ?? {}) as FieldSet;
}

export function entryOf(writer: Writer, operation: "Apply" | "Update", set: FieldSet): ManagedFieldsEntry {
	return {
		manager: writer.manager,
		operation,
		apiVersion: writer.apiVersion,
		time: writer.time,
		fieldsType: "FieldsV1",
		fieldsV1: sorted(set),
		...(writer.subresource !== undefined && { subresource: writer.subresource }),
	};
}

function isUpdateBy(entry: ManagedFieldsEntry, writer: Writer): boolean {
	return (
		entry.operation === "Update" &&
		entry.manager === writer.manager &&
		entry.apiVersion === writer.apiVersion &&
		(entry.subresource ?? "") === (writer.subresource ?? "")
	);
}

/** The entry without what another manager has changed or removed. */
export function disown(entry: ManagedFieldsEntry, found: Differences): ManagedFieldsEntry {
	const before = setOf(entry);
	const after = difference(difference(before, found.changed), found.removed);
	return after === before ? entry : { ...entry, fieldsV1: after };
}

/** Appliers first, then by time and name: the order in which upstream stores them. */
export function inOrder(entries: readonly ManagedFieldsEntry[]): ManagedFieldsEntry[] {
	const rank = ({ operation, time, manager, apiVersion, subresource }: ManagedFieldsEntry) =>
		[operation, time, manager, apiVersion, subresource].map((part) => part ?? "");
	return entries.toSorted((a, b) => {
		const [one, other] = [rank(a), rank(b)];
		const index = one.findIndex((part, at) => part !== other[at]);
		return index < 0 ? 0 : (one[index] ?? "") < (other[index] ?? "") ? -1 : 1;
	});
}

/**
 * Joins the oldest updaters of a version into one entry, so that the list stays bounded whatever managers are named.
 */
function capped(entries: readonly ManagedFieldsEntry[]): readonly ManagedFieldsEntry[] {
	const updaters = entries.filter((entry) => entry.operation === "Update" && entry.subresource === undefined);
	if (updaters.length <= updaterLimit) return entries;
	const oldest = new Set(inOrder(updaters).slice(0, updaters.length - updaterLimit + 1));
	const byVersion = new Map<string, [ManagedFieldsEntry, ...ManagedFieldsEntry[]]>();
	for (const entry of oldest) {
		const group = byVersion.get(entry.apiVersion ?? "");
		if (group === undefined) byVersion.set(entry.apiVersion ?? "", [entry]);
		else group.push(entry);
	}
	const joined = Array.from(byVersion.values(), (group) => {
		const fieldsV1 = group.length === 1 ? setOf(group[0]) : sorted(unionOf(group.map(setOf)));
		return { ...group.at(-1), manager: ancientChanges, fieldsV1 };
	});
	return [...entries.filter((entry) => !oldest.has(entry)), ...joined];
}
