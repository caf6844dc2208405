import { plainColumns } from "./columns.ts";
import type { ServiceAccount } from "./generated/types.ts";
import type { Kind } from "./kind.ts";

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
	selectableFields: [],
	columns: plainColumns,
};
