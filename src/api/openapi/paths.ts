/** Answers to requests for `/openapi/…`: forms, ETags, addresses that last. */
import type { ApiRequest, ApiResponse } from "../../core/exchange.ts";
import { objectResponse } from "../wire/respond.ts";
import { type OpenApi, type OpenApiDocument, protobufV2 } from "./openapi.ts";

/** @returns undefined for a path that has no document */
export async function openApiAt(
	documents: OpenApi,
	path: string,
	request: ApiRequest,
): Promise<ApiResponse | undefined> {
	if (path === "/openapi/v2") {
		const document = await documents.v2();
		const protobuf = (request.headers["accept"] ?? "").includes("proto-openapi.spec.v2");
		return answer(document, request, protobuf ? { type: protobufV2, bytes: document.protobuf } : undefined);
	}
	if (path === "/openapi/v3") return objectResponse(await documents.v3Index());
	if (!path.startsWith("/openapi/v3/")) return undefined;
	const document = await documents.v3(path.slice("/openapi/v3/".length));
	if (document === undefined) return undefined;
	const hash = request.query.get("hash");
	if (hash === null) return answer(document, request);
	if (hash !== document.hash) return moved(`${path}?hash=${document.hash}`);
	const response = answer(document, request);
	// The address has the hash in it: what is there never changes.
	response.headers["cache-control"] = "public, immutable";
	return response;
}

interface Form {
	type: string;
	bytes(): Uint8Array;
}

function answer(
	document: OpenApiDocument,
	request: ApiRequest,
	form: Form = { type: "application/json", bytes: document.json },
): ApiResponse {
	const headers = { "content-type": form.type, etag: document.etag, vary: "Accept" };
	const tags = request.headers["if-none-match"]?.split(",") ?? [];
	if (tags.some((tag) => tag.trim().replace(/^W\//, "") === document.etag))
		return { type: "object", status: 304, headers, object: undefined, bytes: () => new Uint8Array() };
	return {
		type: "object",
		status: 200,
		headers,
		get object() {
			// Only clients in this process read it.
			return JSON.parse(Buffer.from(document.json()).toString());
		},
		bytes: form.bytes,
	};
}

function moved(location: string): ApiResponse {
	return { type: "object", status: 301, headers: { location }, object: undefined, bytes: () => new Uint8Array() };
}
