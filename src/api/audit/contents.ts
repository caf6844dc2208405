/** Bodies of requests and responses, for the audit log. */

import type { ApiRequest, ApiResponse } from "../../core/exchange.ts";
import { isRecord } from "../../core/object.ts";
import { contentType, parseJson, readObjectBody } from "../wire/body.ts";
import { parseYaml } from "../wire/yaml.ts";

/** Longer contents are omitted: the cost of a record must be in proportion to the request. */
const contentLimitBytes = 1024 * 1024;

/** `tooLong`: the contents are omitted. */
export type Contents = { value: unknown } | "tooLong" | undefined;

/** The body of the request; undefined if it is empty or cannot be read. */
export function sentContents(request: ApiRequest): Contents {
	const { body } = request;
	if (body === undefined) return undefined;
	if ("object" in body) return body.object === undefined ? undefined : { value: body.object };
	if (body.bytes.length === 0) return undefined;
	if (body.bytes.length > contentLimitBytes) return "tooLong";
	try {
		const type = contentType(request);
		if (type === "application/apply-patch+yaml") return { value: parseYaml(body.bytes) };
		return { value: type.endsWith("patch+json") ? parseJson(body.bytes) : readObjectBody(request).value };
	} catch {
		return undefined;
	}
}

/** The body of the response. */
export function answeredContents(response: ApiResponse): Contents {
	if (response.type !== "object" || response.object === undefined) return undefined;
	const bytes = response.bytes();
	let byteCount = 0;
	if (bytes instanceof Uint8Array) byteCount = bytes.length;
	else for (const part of bytes) byteCount += part.length;
	return byteCount > contentLimitBytes ? "tooLong" : { value: response.object };
}

/** The object, or the objects of the list, without managedFields. */
export function withoutManagedFields(value: unknown): unknown {
	if (!isRecord(value)) return value;
	const { metadata, items, rows } = value;
	const changed: Record<string, unknown> = { ...value };
	if (isRecord(metadata) && metadata["managedFields"] !== undefined) {
		const { managedFields: _, ...rest } = metadata;
		changed["metadata"] = rest;
	}
	if (Array.isArray(items)) changed["items"] = items.map(withoutManagedFields);
	if (Array.isArray(rows))
		changed["rows"] = rows.map((row: unknown) =>
			isRecord(row) ? { ...row, object: withoutManagedFields(row["object"]) } : row,
		);
	return changed;
}
