import { immutable, nonNegativeQuantity } from "../../core/validation/field-checks.ts";
import { invalidEach } from "../../core/validation/field-errors.ts";
import { dnsSubdomainProblems } from "../../core/validation/names.ts";
import { ageColumn, column, nameColumn } from "../engine/columns.ts";
import type { Kind } from "../engine/kind.ts";
import { validateLabelSelector } from "../engine/label-selector.ts";
import type { CSIStorageCapacity } from "../generated/types.ts";

export const csiStorageCapacities: Kind<CSIStorageCapacity> = {
	group: "storage.k8s.io",
	version: "v1",
	kind: "CSIStorageCapacity",
	plural: "csistoragecapacities",
	singular: "csistoragecapacity",
	shortNames: [],
	categories: [],
	namespaced: true,
	schema: "CSIStorageCapacity",
	subresources: {},
	hasGeneration: false,
	nameRule: "dnsSubdomain",
	selectableFields: [],
	columns: [
		nameColumn,
		column("StorageClassName", "Class of storage.", ({ storageClassName }) => storageClassName),
		column("Capacity", "How much there is.", ({ capacity }) => capacity ?? "<unset>"),
		ageColumn,
	],

	validate: ({ storageClassName = "", capacity, nodeTopology }) => [
		...invalidEach("storageClassName", storageClassName, dnsSubdomainProblems(storageClassName)),
		...(capacity === undefined ? [] : nonNegativeQuantity(capacity, "capacity")),
		...(nodeTopology === undefined ? [] : validateLabelSelector(nodeTopology, "nodeTopology")),
	],
	validateUpdate: (next, old) => [
		...immutable(next.storageClassName, old.storageClassName, "storageClassName"),
		...immutable(next.nodeTopology, old.nodeTopology, "nodeTopology"),
	],
};
