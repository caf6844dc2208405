import { requiredText } from "../../core/field-checks.ts";
import { ageColumn, column, nameColumn } from "../columns.ts";
import type { CSIStorageCapacity } from "../generated/types.ts";
import type { Kind } from "../kind.ts";

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

	validate: ({ storageClassName }) => requiredText(storageClassName, "storageClassName"),
};
