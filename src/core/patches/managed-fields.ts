/** Who set which field: `metadata.managedFields`, kept for every write (KEP-555). */
import { sameJson } from "../equal.ts";
import type { KubeObject, ManagedFieldsEntry } from "../object.ts";
import { type Account, accountOf, type Entry, shared, type Transition } from "./accounts.ts";
import { compareObjects, type Unowned } from "./differences.ts";
import { difference, equal, type FieldSet, isEmpty, union } from "./field-set.ts";
import { type Differences, differencesOf, mark, type Recorder, TokenList } from "./recorded.ts";
import { type FieldSchema, isObject, type JsonObject, own, type Schemas } from "./schema.ts";
import { Trail } from "./trails.ts";

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

/** Entries of updates beyond this many are joined. */
const updaterLimit = 10;
const ancientChanges = "ancient-changes";
const ofMetadata: ReadonlySet<string> = new Set([
	"name",
	"namespace",
	"creationTimestamp",
	"selfLink",
	"uid",
	"clusterName",
	"generation",
	"managedFields",
	"resourceVersion",
]);
const ofEveryObject = ["apiVersion", "kind", "metadata"];
const nothingReset: readonly string[] = [];
const unownedBy = new WeakMap<readonly string[], Unowned>();

function unowned({ resetFields = nothingReset }: Pick<Writer, "resetFields">): Unowned {
	let found = unownedBy.get(resetFields);
	if (found === undefined) {
		found = { top: new Set([...ofEveryObject, ...resetFields]), metadata: ofMetadata };
		unownedBy.set(resetFields, found);
	}
	return found;
}

/**
 * The managed fields after a create, an update or a patch. The object is compared as it is after defaulting and before
 * the server adds its own (uid, creationTimestamp and the like have no owner).
 * @param live the stored object; undefined for a create
 * @param updated its own managedFields count where it has some, for those may be edited; `[{}]` takes all away
 * @returns the very list that was stored when the write changes no field; none when there was none before an update
 */
export function trackUpdate(
	live: JsonObject | undefined,
	updated: JsonObject,
	writer: Writer,
): readonly ManagedFieldsEntry[] {
	const before = entriesBefore(live, updated, writer);
	const entries = shared(before);
	// For an existing object, it is unknown who wrote which field: only an apply begins an account.
	if (entries.length === 0 && live !== undefined) return before;
	const account = accountOf(entries);
	const record = (recorder: Recorder) =>
		compareObjects(recorder, live ?? {}, updated, rootField(writer), writer.schemas, unowned(writer));
	if (account === undefined) {
		const recorder = new TokenList();
		record(recorder);
		return shared(afterUpdate(entries, differencesOf(recorder.tokens), writer));
	}
	const trail = new Trail(account.form.trails, account.keys);
	trail.put(writer.manager);
	trail.put(writer.apiVersion);
	trail.put(writer.subresource ?? mark.end);
	const start = trail.step;
	record(trail);
	if (trail.step === start) return before;
	const { learnt } = trail.step;
	if (learnt !== undefined) return followed(account, learnt, trail.keys, entries, writer.time);
	const found = differencesOf(trail.step.since(start), trail.keys);
	const after = shared(afterUpdate(entries, found, writer));
	// Which entries are joined depends on their times.
	if (entries.length < updaterLimit)
		trail.step.learnt = transition(account, after, trail.keys, isEmpty(found.changed) ? undefined : writer);
	return after;
}

/** The entries after a write that was seen before. */
function followed(
	{ form, keys, entries }: Account,
	{ form: nextForm, ...next }: Transition,
	changedKeys: readonly string[],
	list: readonly ManagedFieldsEntry[],
	time: string,
): readonly ManagedFieldsEntry[] {
	const nextKeys = next.keys === undefined ? keys : next.keys.map((number) => changedKeys[number] ?? "");
	let isSame = form === nextForm && nextKeys === keys;
	const nextEntries: Entry[] = [];
	for (let index = 0; index < next.sets.length; index++) {
		const setOwner = entries[next.sets[index] ?? -1];
		const entryTime = entries[next.times[index] ?? -1]?.time ?? time;
		const isKept = setOwner !== undefined && setOwner.time === entryTime;
		if (!isKept) isSame = false;
		nextEntries.push(isKept ? setOwner : nextForm.entry(index, entryTime, nextKeys));
	}
	return isSame ? list : nextForm.list(nextEntries, nextKeys);
}

/**
 * What is learnt from a write; undefined where there is nothing to be learnt.
 * @param owner who owns now what has changed
 */
function transition(
	before: Account,
	list: readonly ManagedFieldsEntry[],
	changedKeys: readonly string[],
	owner: Writer | undefined,
): Transition | undefined {
	const after = accountOf(list);
	if (after === undefined) return undefined;
	const keys = after.keys.map((key) => changedKeys.indexOf(key));
	const keepsKeys = keys.length === before.keys.length && keys.every((number, index) => number === index);
	const previous = after.entries.map((entry) => before.entries.findIndex((old) => isSameWriter(old, entry)));
	return {
		form: after.form,
		keys: keepsKeys ? undefined : keys,
		sets: previous.map((from, index) => {
			const [old, entry] = [before.entries[from], after.entries[index]];
			return old !== undefined && entry !== undefined && equal(old.fieldsV1, entry.fieldsV1) ? from : -1;
		}),
		times: previous.map((from, index) => {
			const entry = after.entries[index];
			return owner !== undefined && entry !== undefined && isUpdateBy(entry, owner) ? -1 : from;
		}),
	};
}

/** By the rules, whatever was seen before. */
function afterUpdate(
	entries: readonly ManagedFieldsEntry[],
	found: Differences,
	writer: Writer,
): readonly ManagedFieldsEntry[] {
	const isChanged = !isEmpty(found.changed);
	if (!isChanged && isEmpty(found.removed)) return entries;
	const mine = isChanged ? entries.find((entry) => isUpdateBy(entry, writer)) : undefined;
	const after = entries
		.filter((entry) => entry !== mine)
		.map((entry) => disown(entry, found))
		.filter((entry) => !isEmpty(setOf(entry)));
	if (isChanged) {
		const kept = mine === undefined ? undefined : difference(setOf(mine), found.removed);
		const set = kept === undefined ? found.changed : union(kept, found.changed);
		after.push(entryOf(writer, "Update", set));
	}
	return inOrder(capped(after));
}

export function rootField(writer: Pick<Writer, "typeName">): FieldSchema {
	return { type: writer.typeName };
}

/** The object without the fields that no manager owns and those that this operation does not touch. */
export function ownable(object: JsonObject, { resetFields = [] }: Pick<Writer, "resetFields">): JsonObject {
	const { apiVersion: _, kind: __, metadata, ...rest } = object;
	for (const field of resetFields) delete rest[field];
	if (!isObject(metadata)) return rest;
	const left: JsonObject = { ...metadata };
	for (const field of ofMetadata) delete left[field];
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
	if (!Array.isArray(given) || given.length === 0 || sameJson(given, stored)) return stored;
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
	return accountOf(entries) !== undefined || entries.every(isEntry) ? entries : entries.filter(isEntry);
}

export function setOf(entry: ManagedFieldsEntry): FieldSet {
	// `isEntry` has checked the form of every entry that gets here.
	return (entry.fieldsV1 ?? {}) as FieldSet;
}

export function entryOf(writer: Writer, operation: "Apply" | "Update", set: FieldSet): ManagedFieldsEntry {
	const { manager, apiVersion, time, subresource } = writer;
	const entry: ManagedFieldsEntry = { manager, operation, apiVersion, time, fieldsType: "FieldsV1", fieldsV1: set };
	if (subresource !== undefined) entry.subresource = subresource;
	return entry;
}

/** The account of an object that has been read becomes one that shares what it can with those of other objects. */
export function shareAccount({ metadata }: KubeObject): void {
	const { managedFields } = metadata;
	if (managedFields?.every(isEntry)) metadata.managedFields = shared(managedFields);
}

function isUpdateBy(entry: ManagedFieldsEntry, writer: Writer): boolean {
	return isSameWriter(entry, { ...writer, operation: "Update" });
}

function isSameWriter(one: ManagedFieldsEntry, other: Omit<ManagedFieldsEntry, "time">): boolean {
	return (
		one.operation === other.operation &&
		one.manager === other.manager &&
		one.apiVersion === other.apiVersion &&
		(one.subresource ?? "") === (other.subresource ?? "")
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
 * Joins the oldest updates, those of one version with each other, until there are no more of them than may be: the list
 * stays bounded whatever managers are named.
 */
function capped(entries: readonly ManagedFieldsEntry[]): readonly ManagedFieldsEntry[] {
	if (entries.length <= updaterLimit) return entries;
	const updates = inOrder(entries.filter((entry) => entry.operation === "Update"));
	let excess = updates.length - updaterLimit;
	const oldest = new Map<string, ManagedFieldsEntry>();
	const left = new Set(entries);
	for (const entry of updates) {
		if (excess <= 0) break;
		const version = entry.apiVersion ?? "";
		const older = oldest.get(version);
		if (older === undefined) {
			oldest.set(version, entry);
			continue;
		}
		const { subresource: _, ...newer } = entry;
		const joined = { ...newer, manager: ancientChanges, fieldsV1: union(setOf(older), setOf(entry)) };
		left.delete(older);
		left.delete(entry);
		left.add(joined);
		oldest.set(version, joined);
		excess--;
	}
	return Array.from(left);
}
