/** JSON Merge Patch, RFC 7386. */
import { deepCopy, setField } from "../object.ts";
import { isObject, type JsonObject, own } from "./schema.ts";

/**
 * The document after the patch: null takes a field away, objects merge, all else replaces. Nothing given is changed.
 */
export function applyMergePatch(document: unknown, patch: unknown): unknown {
	if (!isObject(patch)) return deepCopy(patch);
	const result: JsonObject = isObject(document) ? { ...document } : {};
	for (const key of Object.keys(patch)) {
		if (patch[key] === null) delete result[key];
		else setField(result, key, applyMergePatch(own(result, key), patch[key]));
	}
	return result;
}
