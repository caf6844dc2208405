import { semanticEqual } from "../../core/equal.ts";
import type { Cause } from "../../core/errors.ts";
import { forbidden, invalidEach, invalidValue, tooLongValue } from "../../core/validation/field-errors.ts";
import { configKeyProblems } from "../../core/validation/names.ts";
import { ageColumn, column, nameColumn } from "../engine/columns.ts";
import type { Kind } from "../engine/kind.ts";
import type { ConfigMap } from "../generated/types.ts";

const limitBytes = 1024 * 1024;

export const configMaps: Kind<ConfigMap> = {
	group: "",
	version: "v1",
	kind: "ConfigMap",
	plural: "configmaps",
	singular: "configmap",
	shortNames: ["cm"],
	categories: [],
	namespaced: true,
	schema: "ConfigMap",
	subresources: {},
	hasGeneration: false,
	nameRule: "dnsSubdomain",
	selectableFields: [],
	columns: [
		nameColumn,
		column(
			"Data",
			"Number of entries.",
			({ data, binaryData }) => Object.keys(data ?? {}).length + Object.keys(binaryData ?? {}).length,
			"integer",
		),
		ageColumn,
	],

	validate({ data = {}, binaryData = {} }) {
		const causes: Cause[] = [];
		let bytes = 0;
		for (const [key, value] of Object.entries(data)) {
			causes.push(...invalidEach(`data[${key}]`, key, configKeyProblems(key)));
			if (Object.hasOwn(binaryData, key))
				causes.push(invalidValue(`data[${key}]`, key, "duplicate of key present in binaryData"));
			bytes += Buffer.byteLength(value);
		}
		for (const [key, value] of Object.entries(binaryData)) {
			causes.push(...invalidEach(`binaryData[${key}]`, key, configKeyProblems(key)));
			bytes += Buffer.byteLength(value, "base64");
		}
		// Upstream's message names no field, because all entries together are too long.
		if (bytes > limitBytes) causes.push(tooLongValue("[]", limitBytes));
		return causes;
	},
	validateUpdate: (next, old) => (old.immutable === true ? frozenFields(next, old, ["data", "binaryData"]) : []),
};

/** Fields that a client may not change in an object with `immutable: true`, including that one. */
export function frozenFields<T extends { immutable?: boolean }>(
	next: T,
	old: T,
	fields: readonly (keyof T)[],
): Cause[] {
	const causes: Cause[] = [];
	if (next.immutable !== true) causes.push(forbidden("immutable", "field is immutable when `immutable` is set"));
	for (const field of fields)
		if (!semanticEqual(next[field], old[field]))
			causes.push(forbidden(String(field), "field is immutable when `immutable` is set"));
	return causes;
}
