/** Encodes responses that are not encoded yet: of actions, of discovery, failures. */
import { ApiError } from "../../core/errors.ts";
import type { ApiResponse } from "../../core/exchange.ts";
import { isRecord } from "../../core/object.ts";
import { yamlLibrary } from "../../core/text/yaml-library.ts";
import { type Encoding, offers, protobufType } from "./negotiate.ts";
import { protobufBytes } from "./protobuf-answers.ts";
import { type ObjectResponse, objectResponse } from "./respond.ts";

/** Encodes a response as the client accepts it; a failure stays JSON if the client accepts nothing else. */
export function encodeAnswer(response: ApiResponse, accept: string | undefined): ApiResponse {
	if (response.type !== "object" || response.isUnencoded !== true) return response;
	if (accept === undefined || accept === "application/json") return response;
	const { object } = response;
	if (!isRecord(object) || object["kind"] === undefined) return response;
	try {
		const offer = protobufBytes(object) === undefined ? offers.textual : offers.plain;
		return encodedAs(offer.format(accept).encoding, response);
	} catch (error) {
		if (response.status >= 400 || !(error instanceof ApiError)) return response;
		return objectResponse(error.toStatus(), error.code);
	}
}

/** An answer in JSON in another encoding, if it has a form in it. */
export function encodedAs(encoding: Encoding, response: ObjectResponse): ObjectResponse {
	if (encoding === "json") return response;
	if (encoding === "yaml") return asYaml(response);
	const { status, headers, object } = response;
	const bytes = isRecord(object) ? protobufBytes(object) : undefined;
	if (bytes === undefined) return response;
	return { type: "object", status, headers: { ...headers, "content-type": protobufType }, object, bytes };
}

/** Longer responses are sent as JSON, which is YAML, too: writing YAML takes a hundred times as long. */
const largestYamlBytes = 256 * 1024;

export function asYaml(response: ObjectResponse): ObjectResponse {
	return {
		type: "object",
		status: response.status,
		headers: { ...response.headers, "content-type": "application/yaml" },
		get object() {
			return response.object;
		},
		bytes: () => {
			const parts = response.bytes();
			let byteCount = 0;
			if (parts instanceof Uint8Array) byteCount = parts.length;
			else for (const part of parts) byteCount += part.length;
			if (byteCount > largestYamlBytes) return parts;
			return Buffer.from(yamlLibrary().stringify(response.object, { aliasDuplicateObjects: false }));
		},
	};
}
