/** `meta.k8s.io/v1 Table`: what `kubectl get` prints, computed by the server from the kind's columns. */
import type { KubeObject } from "../../core/object.ts";
import type { Column, Kind } from "../../kinds/engine/kind.ts";

export type IncludeObject = "None" | "Metadata" | "Object";

export interface TableOptions {
	/** Epoch milliseconds from which ages are counted. */
	nowMs: number;
	/** What each row carries of its object: nothing, a PartialObjectMetadata, or all of it. Default Metadata. */
	includeObject?: IncludeObject;
	/** `v1beta1` for the clients that ask for nothing newer. */
	version?: "v1" | "v1beta1";
	/** List metadata, for the table of a list. */
	resourceVersion?: string;
	continue?: string;
	remainingItemCount?: number;
	/** False for all but the first event of a watch: clients keep the columns they know. */
	columnDefinitions?: boolean;
}

export interface Table {
	kind: "Table";
	apiVersion: string;
	metadata: { resourceVersion?: string; continue?: string; remainingItemCount?: number };
	columnDefinitions: readonly object[] | null;
	rows: { cells: (string | number | boolean | null)[]; object?: unknown }[];
}

/** One row for each object, in order. The objects are not copied. */
export function renderTable<T extends KubeObject>(
	kind: Pick<Kind<T>, "columns">,
	objects: readonly T[],
	options: TableOptions,
): Table {
	const columns = kind.columns.length === 0 ? plainColumns : kind.columns;
	const apiVersion = `meta.k8s.io/${options.version ?? "v1"}`;
	return {
		kind: "Table",
		apiVersion,
		metadata: listMetadata(options),
		columnDefinitions: options.columnDefinitions === false ? null : columns.map(definition),
		rows: objects.map((object) => ({
			cells: columns.map((column) => column.cell(object, options.nowMs)),
			...rowObject(object, options.includeObject ?? "Metadata", apiVersion),
		})),
	};
}

/** For kinds that name no columns. */
const plainColumns: readonly Column<KubeObject>[] = [
	{
		name: "Name",
		type: "string",
		format: "name",
		description: "The object's name, unique among its kind and namespace.",
		priority: 0,
		cell: (object) => object.metadata.name,
	},
	{
		name: "Created At",
		type: "date",
		description: "When the server created the object, in UTC.",
		priority: 0,
		cell: (object) => object.metadata.creationTimestamp,
	},
];

function definition<T extends KubeObject>({ name, type, format, description, priority }: Column<T>): object {
	return { name, type, format: format ?? "", description, priority };
}

function listMetadata(options: TableOptions): Table["metadata"] {
	return {
		...(options.resourceVersion !== undefined && { resourceVersion: options.resourceVersion }),
		...(options.continue !== undefined && { continue: options.continue }),
		...(options.remainingItemCount !== undefined && { remainingItemCount: options.remainingItemCount }),
	};
}

function rowObject(object: KubeObject, include: IncludeObject, apiVersion: string): { object?: unknown } {
	if (include === "None") return {};
	if (include === "Object") return { object };
	return { object: { kind: "PartialObjectMetadata", apiVersion, metadata: object.metadata } };
}
