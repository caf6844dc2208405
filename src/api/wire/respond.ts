/** Responses with objects. Bytes are created on demand; clients in the process receive the object. */
import { ApiError, messageOf, type Status } from "../../core/errors.ts";
import type { ApiResponse } from "../../core/exchange.ts";
import { deepFreeze } from "../../core/object.ts";
import type { Encoded } from "../cache/cached.ts";

export type ObjectResponse = Extract<ApiResponse, { type: "object" }>;

const json = "application/json";

/** An object whose bytes exist already, or will be shared. */
export function encodedResponse(encoded: Encoded, status = 200): ObjectResponse {
	return {
		type: "object",
		status,
		headers: { "content-type": json },
		object: encoded.object,
		bytes: () => encoded.bytes,
	};
}

/** Any other value; the pipeline encodes it as the client wants it. */
export function objectResponse(object: unknown, status = 200): ObjectResponse {
	const response = jsonResponse(object, status);
	response.isUnencoded = true;
	return response;
}

/** A value that is to be in JSON. */
export function jsonResponse(object: unknown, status = 200): ObjectResponse {
	let bytes: Buffer | undefined;
	return {
		type: "object",
		status,
		headers: { "content-type": json },
		object: deepFreeze(object),
		bytes: () => {
			bytes ??= Buffer.from(`${JSON.stringify(object)}\n`);
			return bytes;
		},
	};
}

export function textResponse(text: string, status = 200, type = "text/plain; charset=utf-8"): ApiResponse {
	const bytes = Buffer.from(text);
	return { type: "object", status, headers: { "content-type": type }, object: text, bytes: () => bytes };
}

export interface ListParts {
	apiVersion: string;
	/** Of the list: `PodList`. */
	kind: string;
	metadata: { resourceVersion: string; continue?: string; remainingItemCount?: number };
	items: readonly Encoded[];
}

/** A list: its bytes are the objects' bytes, joined. */
export function listResponse(list: ListParts): ObjectResponse {
	const { apiVersion, kind, metadata, items } = list;
	let object: unknown;
	return {
		type: "object",
		status: 200,
		headers: { "content-type": json },
		get object() {
			object ??= listObject(list);
			return object;
		},
		bytes: () => listBytes(JSON.stringify({ kind, apiVersion, metadata }), items),
	};
}

/** The list as a value. */
export function listObject({ apiVersion, kind, metadata, items }: ListParts): object {
	return Object.freeze({
		apiVersion,
		kind,
		metadata: Object.freeze(metadata),
		items: Object.freeze(items.map((item) => item.object)),
	});
}

const comma = Buffer.from(",");
const closing = Buffer.from("]}\n");

function listBytes(head: string, items: readonly Encoded[]): Uint8Array[] {
	const parts: Uint8Array[] = [Buffer.from(`${head.slice(0, -1)},"items":[`)];
	let first = true;
	for (const item of items) {
		if (!first) parts.push(comma);
		first = false;
		parts.push(item.bytes);
	}
	parts.push(closing);
	return parts;
}

/** The response for a thrown value. */
export function errorResponse(error: unknown): ApiResponse {
	if (error instanceof ApiError) {
		const response = objectResponse(error.toStatus(), error.code);
		const retry = error.details?.retryAfterSeconds;
		if (retry !== undefined && retry > 0) response.headers["retry-after"] = String(retry);
		return response;
	}
	const message = messageOf(error);
	return objectResponse(new ApiError("InternalError", `Internal error occurred: ${message}`).toStatus(), 500);
}

/** `Status` of something that went well, such as a deletion. */
export function successStatus(details: Status["details"]): Status {
	return { kind: "Status", apiVersion: "v1", metadata: {}, status: "Success", details, code: 200 };
}
