import { expect, test } from "vitest";
import type { Cause } from "../core/errors.ts";
import type { KubeObject } from "../core/object.ts";
import { deepCopy, deepFreeze } from "../core/object.ts";
import { seededRandom } from "../core/time/clock.ts";
import { schemasOf, schemasOfAll } from "./builtin-schemas.ts";
import { catalog } from "./catalog.ts";
import type { Kind, ServedVersion } from "./engine/kind.ts";
import { apiVersionOf } from "./engine/kind.ts";
import type { FieldSchema } from "./engine/type-schema.ts";
import { decode } from "./schema.ts";

const context = { now: "2026-01-01T00:00:00Z", requester: { name: "ann", groups: ["a"] } };
const random = seededRandom(7);
const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T;

/** Random texts, numbers and structures of the right type, with random fields missing. */
function randomValue(type: string, depth: number): unknown {
	switch (type) {
		case "string":
			return pick([
				"",
				"a",
				"web-0",
				"Not Valid!",
				"a/b",
				"10.0.0.1",
				"RollingUpdate",
				"In",
				"Exists",
				"Always",
				"x".repeat(300),
			]);
		case "int32":
		case "int64":
			return pick([-1, 0, 1, 80, 70_000, 2 ** 31 - 1]);
		case "number":
			return 1.5;
		case "boolean":
			return random() < 0.5;
		case "quantity":
			return pick(["0", "-1", "100m", "1Gi", "1.5", 3]);
		case "intOrString":
			return pick([0, 1, "25%", "http", "150%"]);
		case "time":
			return "2026-01-01T00:00:00Z";
		case "microTime":
			return "2026-01-01T00:00:00.000000Z";
		case "bytes":
			return pick(["", "YQ=="]);
		case "any":
			return pick([{}, { a: 1 }]);
		default:
			return randomObject(type, depth);
	}
}

const schemas = schemasOfAll(catalog);

function randomObject(type: string, depth: number): unknown {
	const object: Record<string, unknown> = {};
	for (const [name, field] of Object.entries(schemas.type(type) ?? {}))
		if (name !== "managedFields" && random() < (depth > 7 ? 0.05 : depth < 2 ? 0.9 : 0.35))
			object[name] = randomField(field, depth + 1);
	return object;
}

function randomField(field: FieldSchema, depth: number): unknown {
	if (field.of === undefined) return randomValue(field.type, depth);
	const items = Array.from({ length: Math.floor(random() * 3) }, () => randomValue(field.type, depth));
	if (field.of === "array") return items;
	const entries = items.map((item) => [pick(["a", "b.c/d", "cpu", "memory", ""]), item] as const);
	return Object.fromEntries(field.of === "map" ? entries : entries.map(([key, item]) => [key, [item]]));
}

/** The processing of an object by the server. */
function create(kind: Kind, served: ServedVersion | undefined, sent: unknown): { object: KubeObject; causes: Cause[] } {
	const { object, problems, unknownFields } = decode(sent, served?.schema ?? kind.schema, schemasOf(kind));
	expect(problems).toEqual([]);
	expect(unknownFields).toEqual([]);
	object.apiVersion = apiVersionOf(served ?? kind);
	object.kind = kind.kind;
	object.metadata.name ||= "thing";
	object.metadata.uid = "5d8c";
	object.metadata.creationTimestamp = context.now;
	served?.toStorage(object);
	kind.setDefaults?.(object);
	kind.prepareForCreate?.(object, context);
	kind.warnings?.(object);
	return { object, causes: kind.validate?.(object) ?? [] };
}

// Objects that only the cluster writes never come from a client.
const cases = catalog
	.filter(({ readOnly }) => !readOnly)
	.flatMap((kind) =>
		[undefined, ...(kind.servedAs ?? [])].map((served) => ({
			kind,
			served,
			name: `${apiVersionOf(served ?? kind)} ${kind.kind}`,
		})),
	);

for (const { kind, served, name } of cases) {
	test(`${name}: no object of the right types breaks defaults, validation, updates or tables`, () => {
		let previous: KubeObject | undefined;
		for (let round = 0; round < 40; round++) {
			const sent = round === 0 ? {} : randomObject(served?.schema ?? kind.schema, 0);
			const { object, causes } = create(kind, served, sent);
			for (const cause of causes) expect(cause).toMatchObject({ reason: /^FieldValue/, field: /./, message: /./ });
			const stored = deepFreeze(deepCopy(object));
			for (const column of kind.columns) column.cell(stored, 1_800_000_000_000);
			for (const field of kind.selectableFields) expect(typeof field.value(stored)).toBe("string");
			kind.gracePeriodSeconds?.(stored, undefined);
			if (previous !== undefined) {
				kind.prepareForUpdate?.(object, previous, context);
				kind.validateUpdate?.(object, previous);
				kind.prepareForStatusUpdate?.(object, previous, context);
				kind.validateStatusUpdate?.(object, previous);
			}
			served?.fromStorage(deepCopy(stored));
			previous = stored;
		}
	});

	test(`${name}: an update that changes nothing is no change`, () => {
		for (let round = 0; round < 20; round++) {
			const { object } = create(kind, served, round === 0 ? {} : randomObject(served?.schema ?? kind.schema, 0));
			const stored = deepFreeze(deepCopy(object));
			const again = decode(deepCopy(stored), kind.schema).object;
			kind.setDefaults?.(again);
			kind.prepareForUpdate?.(again, stored, context);
			expect(kind.validateUpdate?.(again, stored) ?? []).toEqual([]);
		}
	});
}
