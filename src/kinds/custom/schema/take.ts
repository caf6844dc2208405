/** What a client sent becomes a custom resource: unknown fields go, nulls and missing fields get their defaults. */
import { ApiError, type Cause } from "../../../core/errors.ts";
import { deepCopy, setField } from "../../../core/object.ts";
import { shown } from "../../../core/shown.ts";
import { mostValues, tooManyValues, type Weight, weigh } from "../../../core/text/json-limits.ts";
import { typeInvalid } from "../../../core/validation/field-errors.ts";
import { decodeMetadata } from "../../engine/metadata-type.ts";
import { type Path, pathText } from "./path.ts";
import type { SchemaNode } from "./schema-node.ts";

export interface Taken {
	/** Shares nothing with what was sent, and may be changed. */
	value: Record<string, unknown>;
	/** Metadata, apiVersion or kind of the wrong types; all else is for `check`. */
	problems: Cause[];
	/** Paths of what is in no schema, such as `spec.ports[0].x`, sorted; not in `value`. */
	unknownFields: string[];
}

export interface TakeOptions {
	/** Only part of an object, such as the configuration of a server-side apply: nothing is filled in. */
	partial?: boolean;
}

interface Context {
	readonly fills: boolean;
	readonly path: Path;
	readonly problems: Cause[];
	readonly unknownFields: string[];
	/** What defaults have added so far. */
	readonly filled: Weight;
}

/** Of all defaults in one object: each item of a list gets its own, however large. No object may be larger. */
const mostFilledBytes = 3 * 1024 * 1024;
/** More are not counted. */
const mostUnknownFields = 100;

/**
 * Takes a whole object, whose metadata is every object's.
 * @throws ApiError RequestEntityTooLarge when defaults would make much of little
 */
export function takeObject(
	value: Record<string, unknown>,
	root: SchemaNode,
	{ partial = false }: TakeOptions = {},
): Taken {
	const context: Context = { fills: !partial, path: [], problems: [], unknownFields: [], filled: nothing() };
	const result: Record<string, unknown> = {};
	takeFields(result, value, root, { keeps: root.preserves, hasMetadata: true }, context);
	context.unknownFields.sort();
	return { value: result, problems: context.problems, unknownFields: context.unknownFields };
}

/** Takes a value inside of an object, such as a default: of what it lacks nothing is reported. */
function takeValue(value: unknown, node: SchemaNode): unknown {
	return take(value, node, false, { fills: true, path: [], problems: [], unknownFields: [], filled: nothing() });
}

/** @param keeps what has no schema stays: items of a list are like the list in that */
function take(value: unknown, node: SchemaNode | undefined, keeps: boolean, context: Context): unknown {
	if (typeof value !== "object" || value === null) return value;
	const keepsUnknown = keeps || node?.preserves === true;
	if (node === undefined && keepsUnknown) return deepCopy(value);
	if (Array.isArray(value)) return takeItems(value, node?.items, keepsUnknown, context);
	const result: Record<string, unknown> = {};
	// Neither null nor a list.
	const fields = value as Record<string, unknown>;
	takeFields(result, fields, node, { keeps: keepsUnknown, hasMetadata: node?.isEmbedded === true }, context);
	return result;
}

function takeItems(
	items: readonly unknown[],
	node: SchemaNode | undefined,
	keeps: boolean,
	context: Context,
): unknown[] {
	const result: unknown[] = [];
	for (let index = 0; index < items.length; index++) {
		const item = items[index];
		if (item === null && context.fills && node?.nullable === false && node.hasDefault) {
			result.push(defaultOf(node, context));
			continue;
		}
		context.path.push(index);
		result.push(take(item, node, keeps, context));
		context.path.pop();
	}
	return result;
}

function takeFields(
	result: Record<string, unknown>,
	value: Record<string, unknown>,
	node: SchemaNode | undefined,
	{ keeps, hasMetadata }: { keeps: boolean; hasMetadata: boolean },
	context: Context,
): void {
	const { path } = context;
	for (const key in value) {
		const content = value[key];
		if (content === undefined) continue;
		if (hasMetadata && (key === "metadata" || key === "apiVersion" || key === "kind")) {
			path.push(key);
			takeMetaField(result, key, content, context);
			path.pop();
			continue;
		}
		let child = node?.field(key);
		if (child === undefined) {
			if (node?.schema.additionalProperties === undefined) {
				if (keeps) setField(result, key, deepCopy(content));
				else reportUnknown(key, context);
				continue;
			}
			child = node.values;
		}
		if (content === null && child?.nullable === false && context.fills) {
			if (child.hasDefault) setField(result, key, defaultOf(child, context));
		} else if (typeof content !== "object" || content === null) setField(result, key, content);
		else {
			path.push(key);
			setField(result, key, take(content, child, false, context));
			path.pop();
		}
	}
	if (!context.fills || node === undefined) return;
	for (const { name, node: field } of node.defaulted)
		if (!Object.hasOwn(result, name)) setField(result, name, defaultOf(field, context));
}

/** The metadata of an object, and of objects embedded in it, has the type ObjectMeta, whatever the schema says. */
function takeMetaField(result: Record<string, unknown>, key: string, content: unknown, context: Context): void {
	const where = pathText(context.path);
	const isRoot = context.path.length === 1;
	if (key !== "metadata") {
		if (typeof content === "string") result[key] = content;
		else if (!isRoot) refuse(where, `${where}: Invalid value: ${shown(content)}: must be a string`, context);
		return;
	}
	const { metadata, problems, unknownFields } = decodeMetadata(content);
	for (const field of unknownFields) addUnknown(`${where}.${field}`, context);
	const wrong = problems[0]?.message;
	if (wrong !== undefined)
		refuse(where, isRoot ? wrong : `${where}: Invalid value: ${shown(content)}: ${wrong}`, context);
	result[key] = metadata;
}

function refuse(field: string, message: string, { problems }: Context): void {
	problems.push(typeInvalid(field, message));
}

function reportUnknown(key: string, context: Context): void {
	context.path.push(key);
	addUnknown(pathText(context.path), context);
	context.path.pop();
}

function addUnknown(path: string, { unknownFields }: Context): void {
	if (unknownFields.length < mostUnknownFields) unknownFields.push(path);
}

/** A copy of a default, with the defaults of the fields in it. */
function defaultOf(node: SchemaNode, { filled }: Context): unknown {
	node.filledDefault ??= takeValue(node.schema.default, node);
	node.defaultWeight ??= weigh(node.filledDefault);
	filled.valueCount += node.defaultWeight.valueCount;
	filled.byteCount += node.defaultWeight.byteCount;
	if (filled.valueCount > mostValues) throw tooManyValues();
	if (filled.byteCount > mostFilledBytes)
		throw new ApiError("RequestEntityTooLarge", `Request entity too large: limit is ${mostFilledBytes}`, {});
	return deepCopy(node.filledDefault);
}

function nothing(): Weight {
	return { valueCount: 0, byteCount: 0 };
}

/** What a value of a schema, such as a default, has that the schema lacks, and which metadata in it is none. */
export function takenWhole(value: unknown, node: SchemaNode): Pick<Taken, "problems" | "unknownFields"> {
	const context: Context = { fills: false, path: [], problems: [], unknownFields: [], filled: nothing() };
	take(value, node, false, context);
	const { problems, unknownFields } = context;
	return { problems, unknownFields: unknownFields.filter((path) => !path.startsWith("metadata.")) };
}
