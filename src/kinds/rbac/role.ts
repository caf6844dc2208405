import { createdAtColumn, nameColumn } from "../engine/columns.ts";
import type { Kind } from "../engine/kind.ts";
import type { Role } from "../generated/types.ts";
import { validateRules } from "./subjects.ts";

export const roles: Kind<Role> = {
	group: "rbac.authorization.k8s.io",
	version: "v1",
	kind: "Role",
	plural: "roles",
	singular: "role",
	shortNames: [],
	categories: [],
	namespaced: true,
	schema: "Role",
	subresources: {},
	hasGeneration: false,
	nameRule: "pathSegment",
	selectableFields: [],
	columns: [nameColumn, createdAtColumn],

	validate: ({ rules }) => validateRules(rules, true),
};
