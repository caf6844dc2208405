import { expect, test } from "vitest";
import { typesModule } from "./generate.ts";
import { definition, ships } from "./testing/ships.ts";

test("types say what a schema says", () => {
	const text = typesModule(ships);
	for (const line of [
		"export interface Ship extends KubeObject {",
		'\tapiVersion: "a.example.com/v1";',
		" * A ship.",
		"\tport: number | string;",
		"\t/** How it moves. */",
		'\tmode: "sail" | "steam" | "";',
		"\tcrew?: ShipSpecCrewItem[];",
		"\tcargo?: { [key: string]: number };",
		"\tholds?: { [key: string]: ShipSpecHoldsValue };",
		"\tnote?: string | null;",
		'\ttags?: ("a" | "b")[];',
		"\traw?: { [key: string]: unknown };",
		"\tany?: unknown;",
		"\t[field: string]: unknown;",
		"\ttemplate?: ShipSpecTemplate;",
		'\t"odd-name"?: boolean;',
		"export interface ShipV1beta1 extends KubeObject {",
		"export const shipsV1beta1 = customResource<ShipV1beta1>({",
		"export interface Ship2 extends KubeObject {",
		"\tnamespaced: true,",
		"\tstatus: true,",
	])
		expect(text.split("\n")).toContain(line);
	expect(text).not.toContain("v1alpha1");
});

test("a definition without what types need is refused by name", () => {
	const { object, source } = definition("a.example.com", []);
	expect(() => typesModule([{ source, object: { ...object, spec: {} } }])).toThrow(
		"ships.yaml: ships.a.example.com: spec.names is missing",
	);
});
