import { expect, test } from "vitest";
import type { KubeObject } from "../../core/object.ts";
import { configMaps } from "../../kinds/core/configmap.ts";
import type { Kind } from "../../kinds/engine/kind.ts";
import { renderTable } from "./tables.ts";

const object: KubeObject = {
	apiVersion: "v1",
	kind: "ConfigMap",
	metadata: {
		name: "one",
		namespace: "default",
		uid: "1",
		resourceVersion: "5",
		creationTimestamp: "2026-01-01T00:00:00Z",
	},
};
const plain: Kind = { ...configMaps, columns: [] } as Kind;
const nowMs = Date.UTC(2026, 0, 1, 0, 5);

test("a kind without columns is shown with name and creation time", () => {
	const table = renderTable(plain, [object], { nowMs, resourceVersion: "7" });
	expect(table).toMatchObject({
		kind: "Table",
		apiVersion: "meta.k8s.io/v1",
		metadata: { resourceVersion: "7" },
		columnDefinitions: [
			{ name: "Name", type: "string", format: "name", priority: 0 },
			{ name: "Created At", type: "date", format: "", priority: 0 },
		],
		rows: [
			{
				cells: ["one", "2026-01-01T00:00:00Z"],
				object: { kind: "PartialObjectMetadata", apiVersion: "meta.k8s.io/v1", metadata: object.metadata },
			},
		],
	});
});

test("cells are computed by the kind's columns at the given time", () => {
	const kind: Kind = {
		...plain,
		columns: [{ name: "At", type: "integer", description: "", priority: 1, cell: (_, now) => now }],
	};
	expect(renderTable(kind, [object], { nowMs }).rows[0]?.cells).toEqual([nowMs]);
});

test("rows carry nothing, the metadata or the whole object, as asked", () => {
	const row = (includeObject: "None" | "Metadata" | "Object") =>
		renderTable(plain, [object], { nowMs, includeObject, version: "v1beta1" }).rows[0];
	expect(row("None")).toEqual({ cells: ["one", "2026-01-01T00:00:00Z"] });
	expect(row("Object")?.object).toBe(object);
	expect(row("Metadata")?.object).toEqual({
		kind: "PartialObjectMetadata",
		apiVersion: "meta.k8s.io/v1beta1",
		metadata: object.metadata,
	});
});

test("later events of a watch leave the column definitions out", () => {
	expect(renderTable(plain, [object], { nowMs, columnDefinitions: false }).columnDefinitions).toBeNull();
});
