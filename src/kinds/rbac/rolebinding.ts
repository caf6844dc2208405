import type { Kind } from "../engine/kind.ts";
import type { RoleBinding } from "../generated/types.ts";
import { bindingColumns, setBindingDefaults, validateBinding, validateBindingUpdate } from "./subjects.ts";

export const roleBindings: Kind<RoleBinding> = {
	group: "rbac.authorization.k8s.io",
	version: "v1",
	kind: "RoleBinding",
	plural: "rolebindings",
	singular: "rolebinding",
	shortNames: [],
	categories: [],
	namespaced: true,
	schema: "RoleBinding",
	subresources: {},
	hasGeneration: false,
	nameRule: "pathSegment",
	selectableFields: [],
	columns: bindingColumns(),

	setDefaults: setBindingDefaults,
	validate: (binding) => validateBinding(binding, ["ClusterRole", "Role"]),
	validateUpdate: validateBindingUpdate,
};
