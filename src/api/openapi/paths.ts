/** Answers to requests for `/openapi/…`: forms, ETags, addresses that last. */
import type { ApiRequest, ApiResponse } from "../../core/exchange.ts";
import { acceptedType } from "../wire/negotiate.ts";
import { objectResponse } from "../wire/respond.ts";
import type { Dialect } from "./dialect.ts";
import type { OpenApi, OpenApiDocument } from "./openapi.ts";

const json = "application/json";
/** Newer servers write with `.` what older clients ask for with `@`. */
const protobufOf = (dialect: Dialect, mark = ".") =>
	`application/com.github.proto-openapi.spec.${dialect}${mark}v1.0+protobuf`;

/** @returns undefined for a path that has no document */
export async function openApiAt(
	documents: OpenApi,
	path: string,
	request: ApiRequest,
): Promise<ApiResponse | undefined> {
	if (path === "/openapi/v2") return answer(await documents.v2(), request, "v2");
	if (path === "/openapi/v3") return objectResponse(await documents.v3Index());
	if (!path.startsWith("/openapi/v3/")) return undefined;
	const document = await documents.v3(path.slice("/openapi/v3/".length));
	if (document === undefined) return undefined;
	const hash = request.query.get("hash");
	if (hash === null) return answer(document, request, "v3");
	if (hash !== document.hash) return moved(`${path}?hash=${document.hash}`);
	const response = answer(document, request, "v3");
	// The address has the hash in it: what is there never changes.
	response.headers["cache-control"] = "public, immutable";
	return response;
}

/** @throws ApiError NotAcceptable */
function answer(document: OpenApiDocument, request: ApiRequest, dialect: Dialect): ApiResponse {
	const offered: [string, ...string[]] = [json, protobufOf(dialect), protobufOf(dialect, "@")];
	const isJson = acceptedType(request.headers["accept"], offered) === json;
	const type = isJson ? json : protobufOf(dialect);
	const headers = { "content-type": type, etag: document.etag, vary: "Accept" };
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
		bytes: isJson ? document.json : document.protobuf,
	};
}

function moved(location: string): ApiResponse {
	return { type: "object", status: 301, headers: { location }, object: undefined, bytes: () => new Uint8Array() };
}
