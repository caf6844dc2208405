/** Decoding with the built-in types. */
import { builtinSchemas } from "./builtin-schemas.ts";
import { type Decoded, type DecodeOptions, decode as decodeAs } from "./engine/decode.ts";
import type { Schemas } from "./engine/type-schema.ts";

export type { Decoded, DecodeOptions };

/** Like `decode` in engine/; by default with the types that every API server has. */
export function decode(
	value: unknown,
	typeName: string,
	schemas: Schemas = builtinSchemas,
	options?: DecodeOptions,
): Decoded {
	return decodeAs(value, typeName, schemas, options);
}
