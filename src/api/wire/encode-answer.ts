/** Answers in another encoding than JSON, where that is not chosen before: of actions, of discovery, of failures. */
import { ApiError } from "../../core/errors.ts";
import type { ApiResponse } from "../../core/exchange.ts";
import { isRecord } from "../../core/object.ts";
import { yamlLibrary } from "../../core/text/yaml-library.ts";
import { type Encoding, offers, protobufType } from "./negotiate.ts";
import { protobufBytes } from "./protobuf-answers.ts";
import { type ObjectResponse, objectResponse } from "./respond.ts";

/** What nobody has encoded yet, as the client accepts it; a failure that he can read in no way stays JSON. */
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

/** Writing YAML takes a hundred times as long as JSON, which is YAML, too: so a long answer is written. */
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
