/** Printer columns of custom resources (`additionalPrinterColumns`), and the fields that selectors may name. */

import type { KubeObject } from "../../core/object.ts";
import { humanDuration } from "../../core/time/age.ts";
import { parseTimestamp } from "../../core/time/clock.ts";
import { nameColumn } from "../engine/columns.ts";
import type { Column, SelectableField } from "../engine/kind.ts";
import type { CustomResourceColumnDefinition } from "../generated/types.ts";
import { type JsonPath, parseJsonPath } from "./json-path.ts";
import { numberText } from "./schema/numbers.ts";

const age: CustomResourceColumnDefinition = {
	name: "Age",
	type: "date",
	description: "Time since the object was created.",
	jsonPath: ".metadata.creationTimestamp",
};

/** The name, and then those of the definition; without any, the age. */
export function customColumns(definitions: readonly CustomResourceColumnDefinition[] = []): Column<KubeObject>[] {
	const columns = definitions.length === 0 ? [age] : definitions;
	return [nameColumn, ...columns.map(customColumn)];
}

function customColumn(definition: CustomResourceColumnDefinition): Column<KubeObject> {
	const { name, type, format, priority = 0, jsonPath } = definition;
	const path = lazyPath(jsonPath);
	return {
		name,
		// One of the five, as definitions are checked.
		type: type as Column<KubeObject>["type"],
		...(format !== undefined && { format }),
		description: definition.description ?? `Custom resource definition column (in JSONPath format): ${jsonPath}`,
		priority,
		cell: (object, nowMs) => {
			const [value] = path(object);
			return value === undefined ? null : cellOf(value, type, nowMs);
		},
	};
}

/** Parsed when the first row is printed; an invalid path finds nothing. */
function lazyPath(text: string): JsonPath {
	let path: JsonPath | undefined;
	return (object) => {
		if (path === undefined) {
			try {
				path = parseJsonPath(text);
			} catch {
				path = () => [];
			}
		}
		return path(object);
	};
}

type Cell = ReturnType<Column<KubeObject>["cell"]>;

function cellOf(value: unknown, type: string, nowMs: number): Cell {
	switch (type) {
		case "string":
			return textOf(value);
		case "integer":
			return typeof value === "number" ? Math.trunc(value) : null;
		case "number":
			return typeof value === "number" ? value : null;
		case "boolean":
			return typeof value === "boolean" ? value : null;
		case "date":
			return typeof value === "string" ? ageOf(value, nowMs) : null;
		default:
			return null;
	}
}

/** As Go prints a value. */
function textOf(value: unknown): string {
	if (value === null) return "<no value>";
	if (typeof value === "number") return numberText(value);
	return typeof value === "object" ? JSON.stringify(value) : String(value);
}

function ageOf(time: string, nowMs: number): string {
	if (time === "" || time === "null") return "<unknown>";
	const isTime = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[-+]\d\d:\d\d)$/.test(time);
	const epochMs = isTime ? parseTimestamp(time) : Number.NaN;
	return Number.isNaN(epochMs) ? "<invalid>" : humanDuration(nowMs - epochMs);
}

/** @param fields paths such as `.spec.color`, which lead through objects to a scalar */
export function selectableFields(fields: readonly { jsonPath: string }[] = []): SelectableField<KubeObject>[] {
	return fields.map(({ jsonPath }) => {
		const path = lazyPath(jsonPath);
		return {
			path: jsonPath.replace(/^\./, ""),
			value: (object) => {
				const [value] = path(object);
				return value === undefined || value === null ? "" : textOf(value);
			},
		};
	});
}
