/** Reads the bodies of requests: JSON, YAML and protobuf from the network, values from the same process. */
import { ApiError, isReason, messageOf } from "../../core/errors.ts";
import type { ApiRequest } from "../../core/exchange.ts";
import { checkJsonBytes } from "../../core/text/json-limits.ts";
import { wellFormed } from "../../core/validation/well-formed.ts";
import { duplicateFields } from "./duplicate-fields.ts";
import { decodeProtobuf } from "./protobuf/decode.ts";
import { readYaml } from "./yaml.ts";

/** Bodies may be this large; upstream's limit. */
export const largestBodyBytes = 3 * 1024 * 1024;

const protobuf = "application/vnd.kubernetes.protobuf";

export interface Body {
	/** Not to be modified: it may belong to the caller. */
	value: unknown;
	/** Fields that an object of JSON names twice, as paths; only known for bytes. */
	duplicateFields: readonly string[];
	/** The same of YAML, as complaints. */
	repeatedKeys?: readonly string[];
}

/** The media type of the body in lower case, without parameters. */
export function contentType(request: ApiRequest): string {
	const header = request.headers["content-type"];
	if (header === undefined || header === "") return "application/json";
	const end = header.indexOf(";");
	return (end < 0 ? header : header.slice(0, end)).trim().toLowerCase();
}

/**
 * @param kind what the object should be, for the message when the body cannot be read
 * @throws ApiError BadRequest, UnsupportedMediaType or RequestEntityTooLarge
 */
export function readObjectBody(request: ApiRequest, kind?: string): Body {
	const { body } = request;
	if (body === undefined) return { value: undefined, duplicateFields: [] };
	if ("object" in body) return { value: body.object, duplicateFields: [] };
	if (body.bytes.length === 0) return { value: undefined, duplicateFields: [] };
	try {
		return readBytes(request, body.bytes);
	} catch (error) {
		if (kind === undefined || !isReason(error, "BadRequest")) throw error;
		const why = `${error.message} (${beginning(body.bytes)})`;
		throw new ApiError("BadRequest", `the object provided is unrecognized (must be of type ${kind}): ${why}`);
	}
}

/** The first bytes of a body, as text where they may be JSON, as upstream shows them. */
function beginning(bytes: Uint8Array): string {
	const first = Buffer.from(bytes.subarray(0, 30));
	const rest = bytes.length > first.length ? " ..." : "";
	return `${first.toString(first[0] === 0x7b ? "utf8" : "hex")}${rest}`;
}

function readBytes(request: ApiRequest, bytes: Uint8Array): Body {
	const type = contentType(request);
	if (type === "application/json" || type === "*/*") return jsonBody(bytes, request.query);
	if (type === "application/yaml") return { ...readYaml(bytes), duplicateFields: [] };
	if (type === protobuf) return { value: decodeProtobuf(bytes), duplicateFields: [] };
	throw unsupportedMediaType(["application/json", "application/yaml", protobuf]);
}

function jsonBody(bytes: Uint8Array, query: URLSearchParams): Body {
	const { value, text } = parsed(bytes);
	if (query.get("fieldValidation") === "Ignore") return { value, duplicateFields: [] };
	return { value, duplicateFields: duplicateFields(text, value) };
}

/** For objects of which protobuf knows nothing. @throws ApiError UnsupportedMediaType */
export function refuseProtobuf(request: ApiRequest): void {
	if (contentType(request) === protobuf) throw unsupportedMediaType(["application/json", "application/yaml"]);
}

export function unsupportedMediaType(accepted: readonly string[]): ApiError {
	return new ApiError(
		"UnsupportedMediaType",
		`the body of the request was in an unknown format - accepted media types include: ${accepted.join(", ")}`,
		{},
	);
}

/** @throws ApiError BadRequest, RequestEntityTooLarge */
export function parseJson(bytes: Uint8Array): unknown {
	return parsed(bytes).value;
}

/** @throws ApiError as `parseJson` */
function parsed(bytes: Uint8Array): { value: unknown; text: string } {
	checkJsonBytes(bytes);
	try {
		const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString();
		return { value: wellFormed(JSON.parse(text), text), text };
	} catch (error) {
		throw new ApiError("BadRequest", `couldn't get version/kind; json parse error: ${goSyntaxError(error, bytes)}`);
	}
}

/** Words of Go's JSON decoder, which users and tests of clients know, for an error of ours. */
function goSyntaxError(error: unknown, bytes: Uint8Array): string {
	const message = messageOf(error);
	if (/end of JSON|Unterminated/i.test(message)) return "unexpected end of JSON input";
	const position = /position (\d+)/.exec(message);
	const token = position === null ? /^Unexpected token '(.)'/su.exec(message)?.[1] : undefined;
	if (token !== undefined) return `invalid character '${token}' looking for beginning of value`;
	const at = position === null ? 0 : Number(position[1]);
	const character = String.fromCharCode(bytes[at] ?? 0);
	const where = at === 0 ? "looking for beginning of value" : "after object key:value pair";
	return `invalid character '${character}' ${where}`;
}
