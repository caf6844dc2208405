import { createdAtColumn, nameColumn } from "../engine/columns.ts";
import type { Kind } from "../engine/kind.ts";
import type { ClusterRole } from "../generated/types.ts";
import { validateRules } from "./subjects.ts";

export const clusterRoles: Kind<ClusterRole> = {
	group: "rbac.authorization.k8s.io",
	version: "v1",
	kind: "ClusterRole",
	plural: "clusterroles",
	singular: "clusterrole",
	shortNames: [],
	categories: [],
	namespaced: false,
	schema: "ClusterRole",
	subresources: {},
	hasGeneration: false,
	nameRule: "pathSegment",
	selectableFields: [],
	columns: [nameColumn, createdAtColumn],

	validate: ({ rules }) => validateRules(rules, false),
};
