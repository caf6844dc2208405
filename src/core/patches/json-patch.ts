/** JSON Patch, RFC 6902. */
import { ApiError } from "../errors.ts";
import { deepCopy } from "../object.ts";
import { badPatch, doesNotApply } from "./errors.ts";
import { isObject, type JsonObject, jsonEqual } from "./schema.ts";

/** As upstream limits them, so that one request cannot keep the server busy. */
const operationLimit = 10_000;

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
	// The holder makes the whole document a value like any other, so that a path of "" needs no cases of its own.
	const holder: JsonObject = { document: deepCopy(document) };
	for (const operation of operations) {
		if (!isObject(operation)) throw badPatch("error decoding patch: an operation is an object");
		apply(holder, operation);
	}
	return holder["document"];
}

function apply(holder: JsonObject, operation: JsonObject): void {
	const path = pointer(operation, "path");
	const value = () => {
		if (!Object.hasOwn(operation, "value"))
			throw badPatch(`error decoding patch: ${String(operation["op"])} operation without a value`);
		return deepCopy(operation["value"]);
	};
	switch (operation["op"]) {
		case "add":
			add(holder, path, value(), "add");
			break;
		case "remove":
			remove(holder, path, "remove");
			break;
		case "replace":
			replace(holder, path, value());
			break;
		case "move": {
			const from = pointer(operation, "from");
			if (path.length > from.length && from.every((part, index) => part === path[index]))
				throw doesNotApply("move operation does not apply: a value cannot be moved into itself");
			add(holder, path, remove(holder, from, "move"), "move");
			break;
		}
		case "copy":
			add(holder, path, deepCopy(read(holder, pointer(operation, "from"), "copy")), "copy");
			break;
		case "test":
			test(holder, path, value());
			break;
		default:
			throw badPatch(`error decoding patch: unexpected kind of operation: ${JSON.stringify(operation["op"])}`);
	}
}

/** Parts of a JSON pointer (RFC 6901), below the holder. */
function pointer(operation: JsonObject, field: "path" | "from"): string[] {
	const text = operation[field];
	if (typeof text !== "string" || (text !== "" && !text.startsWith("/")))
		throw badPatch(
			`error decoding patch: ${String(operation["op"])} operation with an invalid ${field}: ${JSON.stringify(text)}`,
		);
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

function add(holder: JsonObject, path: readonly string[], value: unknown, op: string): void {
	const container = parent(holder, path, op);
	const part = last(path);
	if (!Array.isArray(container)) {
		set(container, part, value, path, op);
		return;
	}
	const index = part === "-" ? container.length : Number(part);
	if (!(part === "-" || /^(0|[1-9]\d*)$/.test(part)) || index > container.length)
		throw doesNotApply(
			`${op} operation does not apply: error in add for path: '${text(path)}': invalid index: ${part}`,
		);
	container.splice(index, 0, value);
}

function set(container: JsonObject, part: string, value: unknown, path: readonly string[], op: string): void {
	if (part === "__proto__")
		throw doesNotApply(`${op} operation does not apply: "${text(path)}" is not the path of a field`);
	container[part] = value;
}

function remove(holder: JsonObject, path: readonly string[], op: string): unknown {
	const container = parent(holder, path, op);
	const part = last(path);
	if (!has(container, part))
		throw doesNotApply(
			`${op} operation does not apply: error in remove for path: '${text(path)}': ` +
				`Unable to remove nonexistent key: ${part}: missing value`,
		);
	const value = child(container, part);
	if (Array.isArray(container)) container.splice(Number(part), 1);
	else delete container[part];
	return value;
}

function replace(holder: JsonObject, path: readonly string[], value: unknown): void {
	const container = parent(holder, path, "replace");
	const part = last(path);
	if (!has(container, part))
		throw doesNotApply(`replace operation does not apply: doc is missing key: ${text(path)}: missing value`);
	if (Array.isArray(container)) container[Number(part)] = value;
	else set(container, part, value, path, "replace");
}

/** A missing value passes the test for null, as in upstream's implementation. */
function test(holder: JsonObject, path: readonly string[], value: unknown): void {
	let at: unknown = holder;
	for (const part of path) at = child(at, part);
	if (!jsonEqual(at ?? null, value)) throw doesNotApply(`testing value ${text(path)} failed: test failed`);
}
