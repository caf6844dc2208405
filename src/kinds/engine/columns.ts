/** Columns and cells that many kinds' tables share. */

import { type KubeObject, lookup } from "../../core/object.ts";
import { type LabelSelector, selectorFrom } from "../../core/selection/selector.ts";
import { humanDuration } from "../../core/time/age.ts";
import { parseTimestamp } from "../../core/time/clock.ts";
import type { PodTemplateSpec } from "../generated/types.ts";
import type { Column } from "./kind.ts";
import { hasUnknownOperator } from "./label-selector.ts";

type Cell<T extends KubeObject> = Column<T>["cell"];

/** A column that `kubectl get` always shows. */
export function column<T extends KubeObject>(
	name: string,
	description: string,
	cell: Cell<T>,
	type: Column<T>["type"] = "string",
): Column<T> {
	return { name, type, description, priority: 0, cell };
}

/** A column that only `kubectl get -o wide` shows. */
export function wideColumn<T extends KubeObject>(
	name: string,
	description: string,
	cell: Cell<T>,
	type: Column<T>["type"] = "string",
): Column<T> {
	return { name, type, description, priority: 1, cell };
}

export const nameColumn: Column<KubeObject> = {
	name: "Name",
	type: "string",
	format: "name",
	description: "Name of the object, unique among its kind and namespace.",
	priority: 0,
	cell: (object) => object.metadata.name,
};

export const ageColumn: Column<KubeObject> = {
	name: "Age",
	type: "string",
	description: "Time since the object was created.",
	priority: 0,
	cell: (object, nowMs) => since(object.metadata.creationTimestamp, nowMs),
};

/** For kinds whose tables show the creation time itself. */
export const createdAtColumn: Column<KubeObject> = {
	name: "Created At",
	type: "date",
	description: "Time at which the object was created.",
	priority: 0,
	cell: (object) => object.metadata.creationTimestamp,
};

/** Columns of kinds without columns of their own. */
export const plainColumns: readonly Column<KubeObject>[] = [nameColumn, ageColumn];

/** Time since a time: `5m`, or `<unknown>` if there is none. */
export function since(time: string | undefined, nowMs: number): string {
	return time === undefined ? "<unknown>" : humanDuration(nowMs - parseTimestamp(time));
}

/** Containers, images and selector of a workload, for `-o wide`. */
export function templateColumns<T extends KubeObject>(
	template: (object: T) => PodTemplateSpec | undefined,
	selector?: (object: T) => string,
): Column<T>[] {
	const containers = (object: T) => template(object)?.spec?.containers ?? [];
	const columns = [
		wideColumn<T>("Containers", "Names of the containers in the template.", (object) =>
			containers(object)
				.map((container) => container.name)
				.join(","),
		),
		wideColumn<T>("Images", "Images of the containers in the template.", (object) =>
			containers(object)
				.map((container) => container.image ?? "")
				.join(","),
		),
	];
	if (selector !== undefined) columns.push(wideColumn<T>("Selector", "Selects the pods of the workload.", selector));
	return columns;
}

/** `app=web,tier in (a,b)`, or `<none>` without requirements. */
export function selectorText(selector: LabelSelector | undefined): string {
	if (selector === undefined) return "<none>";
	if (hasUnknownOperator(selector)) return "<error>";
	return selectorFrom(selector).toString() || "<none>";
}

/** `a=1,b=2` sorted by key, or `<none>`. */
export function labelsText(labels: Readonly<Record<string, string>> | undefined): string {
	const pairs = Object.entries(labels ?? {})
		.sort(([left], [right]) => (left < right ? -1 : 1))
		.map(([key, value]) => `${key}=${value}`);
	return pairs.length === 0 ? "<none>" : pairs.join(",");
}

const accessModeNames: Readonly<Record<string, string>> = lookup({
	ReadWriteOnce: "RWO",
	ReadOnlyMany: "ROX",
	ReadWriteMany: "RWX",
	ReadWriteOncePod: "RWOP",
});

/** `RWO,ROX`: access modes of volumes, without duplicates, in upstream's order. */
export function accessModesText(modes: readonly string[] | undefined): string {
	return Object.keys(accessModeNames)
		.filter((mode) => modes?.includes(mode))
		.map((mode) => accessModeNames[mode])
		.join(",");
}
