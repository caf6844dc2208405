import { stringType } from "../../types/type.ts";
import { transformsFirst } from "../costs.ts";
import { type FunctionDeclaration, global } from "../function.ts";

/** A key as a part of a JSON pointer, for the paths of JSON patches. */
function escapeKey(key: string): string {
	return key.replace(/[~/]/g, (sign) => (sign === "~" ? "~0" : "~1"));
}

export const jsonPatch: readonly FunctionDeclaration[] = [
	{
		name: "jsonpatch.escapeKey",
		...transformsFirst(),
		overloads: [global("string_jsonpatch_escapeKey_string", [stringType], stringType, escapeKey)],
	},
];
