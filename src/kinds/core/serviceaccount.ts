import { plainColumns } from "../engine/columns.ts";
import type { Kind } from "../engine/kind.ts";
import type { ServiceAccount } from "../generated/types.ts";

export const serviceAccounts: Kind<ServiceAccount> = {
	group: "",
	version: "v1",
	kind: "ServiceAccount",
	plural: "serviceaccounts",
	singular: "serviceaccount",
	shortNames: ["sa"],
	categories: [],
	namespaced: true,
	schema: "ServiceAccount",
	subresources: {},
	hasGeneration: false,
	nameRule: "dnsSubdomain",
	returnsDeleted: true,
	selectableFields: [],
	columns: plainColumns,
};
