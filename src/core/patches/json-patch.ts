/** JSON Patch, RFC 6902. */
import { sameJson } from "../equal.ts";
import { ApiError } from "../errors.ts";
import { deepCopy, setField } from "../object.ts";
import { shortened, shown } from "../shown.ts";
import { type Weight, weigh } from "../text/json-limits.ts";
import { badPatch, doesNotApply } from "./errors.ts";
import { isObject, type JsonObject } from "./schema.ts";

/** As upstream limits them, so that one request cannot keep the server busy. */
const operationLimit = 10_000;
/** What all copies of a patch may add, in bytes; upstream's limit. Each may copy what the one before it made. */
const copyLimitBytes = 3 * 1024 * 1024;
/** Items of lists that all operations together may move to make or to fill a gap. */
const shiftLimit = 50_000_000;

/**
 * The document after all operations, in order. Neither the document nor the operations are changed.
 * @param operations the parsed patch, of any shape: it is checked here
 * @throws ApiError BadRequest when the patch is malformed, Invalid when an operation does not apply
 */
export function applyJsonPatch(document: unknown, operations: unknown): unknown {
	if (!Array.isArray(operations)) throw badPatch("error decoding patch: a JSON patch is a list of operations");
	if (operations.length > operationLimit)
		throw new ApiError(
			"RequestEntityTooLarge",
			`The allowed maximum operations in a JSON patch is ${operationLimit}, got ${operations.length}`,
		);
	// The holder makes the whole document a value like any other, so that the path "" needs no special case.
	const holder: JsonObject = { document: deepCopy(document) };
	const work: Work = { copied: { valueCount: 0, byteCount: 0 }, shifted: 0 };
	for (const operation of operations) {
		if (!isObject(operation)) throw badPatch("error decoding patch: an operation is an object");
		apply(holder, operation, work);
	}
	// Values of a few operations may stand in each other.
	weigh(holder["document"]);
	return holder["document"];
}

/** What the operations of a patch have done so far, of that which is not bounded by the size of the patch. */
interface Work {
	copied: Weight;
	shifted: number;
}

function apply(holder: JsonObject, operation: JsonObject, work: Work): void {
	const path = pointer(operation, "path");
	const value = () => {
		if (!Object.hasOwn(operation, "value"))
			throw badPatch(`error decoding patch: ${nameOf(operation)} operation without a value`);
		return deepCopy(operation["value"]);
	};
	switch (operation["op"]) {
		case "add":
			add(holder, path, value(), "add", work);
			break;
		case "remove":
			remove(holder, path, "remove", work);
			break;
		case "replace":
			replace(holder, path, value());
			break;
		case "move": {
			const from = pointer(operation, "from");
			if (path.length > from.length && from.every((part, index) => part === path[index]))
				throw doesNotApply("move operation does not apply: a value cannot be moved into itself");
			add(holder, path, remove(holder, from, "move", work), "move", work);
			break;
		}
		case "copy": {
			const original = read(holder, pointer(operation, "from"), "copy");
			const { byteCount } = weigh(original, work.copied);
			if (byteCount > copyLimitBytes)
				throw doesNotApply(
					`Unable to complete the copy, the accumulated size increase of copy is ${byteCount}, exceeding the limit ${copyLimitBytes}`,
				);
			add(holder, path, deepCopy(original), "copy", work);
			break;
		}
		case "test":
			test(holder, path, value());
			break;
		default:
			throw badPatch(`error decoding patch: unexpected kind of operation: ${shown(operation["op"])}`);
	}
}

function nameOf({ op }: JsonObject): string {
	return typeof op === "string" ? shortened(op) : shown(op);
}

/** Parts of a JSON pointer (RFC 6901), below the holder. */
function pointer(operation: JsonObject, field: "path" | "from"): string[] {
	const text = operation[field];
	if (typeof text !== "string" || (text !== "" && !text.startsWith("/")))
		throw badPatch(`error decoding patch: ${nameOf(operation)} operation with an invalid ${field}: ${shown(text)}`);
	const parts = text.split("/").slice(1);
	return ["document", ...parts.map((part) => part.replaceAll("~1", "/").replaceAll("~0", "~"))];
}

function text(path: readonly string[]): string {
	return path
		.slice(1)
		.map((part) => `/${part.replaceAll("~", "~0").replaceAll("/", "~1")}`)
		.join("");
}

/** The object or list that has, or is to have, the last part of the path. */
function parent(holder: JsonObject, path: readonly string[], op: string): JsonObject | unknown[] {
	let at: unknown = holder;
	for (const part of path.slice(0, -1)) at = child(at, part);
	if (Array.isArray(at) || isObject(at)) return at;
	throw doesNotApply(`${op} operation does not apply: doc is missing path: "${text(path)}": missing value`);
}

function child(container: unknown, part: string): unknown {
	if (Array.isArray(container)) return /^(0|[1-9]\d*)$/.test(part) ? container[Number(part)] : undefined;
	return isObject(container) && Object.hasOwn(container, part) ? container[part] : undefined;
}

function has(container: JsonObject | unknown[], part: string): boolean {
	if (Array.isArray(container)) return /^(0|[1-9]\d*)$/.test(part) && Number(part) < container.length;
	return Object.hasOwn(container, part);
}

function last(path: readonly string[]): string {
	return path[path.length - 1] ?? "";
}

function read(holder: JsonObject, path: readonly string[], op: string): unknown {
	const container = parent(holder, path, op);
	if (!has(container, last(path)))
		throw doesNotApply(`${op} operation does not apply: doc is missing path: "${text(path)}": missing value`);
	return child(container, last(path));
}

function add(holder: JsonObject, path: readonly string[], value: unknown, op: string, work: Work): void {
	const container = parent(holder, path, op);
	const part = last(path);
	if (!Array.isArray(container)) {
		setField(container, part, value);
		return;
	}
	const index = part === "-" ? container.length : Number(part);
	if (!(part === "-" || /^(0|[1-9]\d*)$/.test(part)) || index > container.length)
		throw doesNotApply(
			`${op} operation does not apply: error in add for path: '${text(path)}': invalid index: ${part}`,
		);
	shift(container.length - index, work);
	container.splice(index, 0, value);
}

function shift(itemCount: number, work: Work): void {
	work.shifted += itemCount;
	if (work.shifted > shiftLimit)
		throw doesNotApply(`the operations move more than ${shiftLimit} items of lists to other positions`);
}

function remove(holder: JsonObject, path: readonly string[], op: string, work: Work): unknown {
	const container = parent(holder, path, op);
	const part = last(path);
	if (!has(container, part))
		throw doesNotApply(
			`${op} operation does not apply: error in remove for path: '${text(path)}': ` +
				`Unable to remove nonexistent key: ${part}: missing value`,
		);
	const value = child(container, part);
	if (Array.isArray(container)) {
		shift(container.length - Number(part), work);
		container.splice(Number(part), 1);
	} else delete container[part];
	return value;
}

function replace(holder: JsonObject, path: readonly string[], value: unknown): void {
	const container = parent(holder, path, "replace");
	const part = last(path);
	if (!has(container, part))
		throw doesNotApply(`replace operation does not apply: doc is missing key: ${text(path)}: missing value`);
	if (Array.isArray(container)) container[Number(part)] = value;
	else setField(container, part, value);
}

/** A missing value passes the test for null, as in upstream's implementation. */
function test(holder: JsonObject, path: readonly string[], value: unknown): void {
	let at: unknown = holder;
	for (const part of path) at = child(at, part);
	if (!sameJson(at ?? null, value)) throw doesNotApply(`testing value ${text(path)} failed: test failed`);
}
