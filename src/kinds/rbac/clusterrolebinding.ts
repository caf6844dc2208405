import type { Kind } from "../engine/kind.ts";
import type { ClusterRoleBinding } from "../generated/types.ts";
import { bindingColumns, setBindingDefaults, validateBinding, validateBindingUpdate } from "./subjects.ts";

export const clusterRoleBindings: Kind<ClusterRoleBinding> = {
	group: "rbac.authorization.k8s.io",
	version: "v1",
	kind: "ClusterRoleBinding",
	plural: "clusterrolebindings",
	singular: "clusterrolebinding",
	shortNames: [],
	categories: [],
	namespaced: false,
	schema: "ClusterRoleBinding",
	subresources: {},
	hasGeneration: false,
	nameRule: "pathSegment",
	selectableFields: [],
	columns: bindingColumns(),

	setDefaults: setBindingDefaults,
	validate: (binding) => validateBinding(binding, ["ClusterRole"]),
	validateUpdate: validateBindingUpdate,
};
