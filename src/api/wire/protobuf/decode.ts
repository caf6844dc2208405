/**
 * Decodes objects in protobuf into their JSON values. kubectl sends protobuf when it generates an object (`kubectl create
 * deployment`); components of Kubernetes always do.
 */
import { ApiError } from "../../../core/errors.ts";
import { WireReader } from "../../../core/protobuf/wire-reader.ts";
import { wireTypes } from "../../../core/protobuf/wire-types.ts";
import { weigh } from "../../../core/text/json-limits.ts";
import { magic } from "./envelope.ts";
import { type Fields, messageDecoder } from "./message-decoder.ts";
import { typeOf } from "./types.ts";

const first = 8 + wireTypes.bytes;
const second = 16 + wireTypes.bytes;

/** @throws ApiError BadRequest, RequestEntityTooLarge */
export function decodeProtobuf(bytes: Uint8Array): Fields {
	if (bytes.length < magic.length || magic.compare(bytes, 0, magic.length) !== 0)
		throw new ApiError(
			"BadRequest",
			"provided data does not appear to be a protobuf message, expected prefix 6b3873 00",
		);
	const reader = new WireReader(bytes.subarray(magic.length));
	let apiVersion = "";
	let kind = "";
	let raw: { start: number; end: number } | undefined;
	// runtime.Unknown: a type, and the bytes of an object of the type.
	for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
		if (tag === first) {
			const outerEnd = reader.enterLeaf();
			for (let inner = reader.tag(); inner !== 0; inner = reader.tag()) {
				if (inner === first) apiVersion = reader.text();
				else if (inner === second) kind = reader.text();
				else reader.skip(inner, 2);
			}
			reader.leaveLeaf(outerEnd);
		} else if (tag === second) raw = reader.mark();
		else reader.skip(tag, 2);
	}
	const object: Fields = { apiVersion, kind };
	const type = typeOf(apiVersion, kind);
	if (type === undefined)
		throw new ApiError(
			"BadRequest",
			`no kind "${kind}" is registered for version "${apiVersion}" in protobuf; send JSON`,
		);
	const decoder = messageDecoder(type);
	if (raw !== undefined) {
		reader.revisit(raw);
		decoder.readInto(reader, object);
	}
	// Free-form values in it are JSON.
	weigh(object);
	return object;
}
