import type { Cause } from "../../core/errors.ts";
import { requiredText, subdomainName } from "../../core/validation/field-checks.ts";
import { duplicate, invalidEach } from "../../core/validation/field-errors.ts";
import { qualifiedNameProblems } from "../../core/validation/names.ts";
import { ageColumn, column, nameColumn } from "../engine/columns.ts";
import type { Kind } from "../engine/kind.ts";
import type { CSINode } from "../generated/types.ts";

export const csiNodes: Kind<CSINode> = {
	group: "storage.k8s.io",
	version: "v1",
	kind: "CSINode",
	plural: "csinodes",
	singular: "csinode",
	shortNames: [],
	categories: [],
	namespaced: false,
	schema: "CSINode",
	subresources: {},
	hasGeneration: false,
	nameRule: "dnsSubdomain",
	returnsDeleted: true,
	selectableFields: [],
	columns: [
		nameColumn,
		column("Drivers", "Number of drivers on the node.", ({ spec }) => spec?.drivers?.length ?? 0, "integer"),
		ageColumn,
	],

	validate({ spec }) {
		const causes: Cause[] = [];
		const seen = new Set<string>();
		for (const [index, { name, nodeID, topologyKeys = [] }] of (spec?.drivers ?? []).entries()) {
			const at = `spec.drivers[${index}]`;
			causes.push(...subdomainName(name, `${at}.name`), ...requiredText(nodeID, `${at}.nodeID`));
			if (seen.has(name)) causes.push(duplicate(`${at}.name`, name));
			seen.add(name);
			for (const key of topologyKeys)
				causes.push(...invalidEach(`${at}.topologyKeys`, key, qualifiedNameProblems(key)));
		}
		return causes;
	},
};
