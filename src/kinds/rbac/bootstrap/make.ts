/** Functions for writing roles and bindings concisely. */
import type { Draft } from "../../../core/object.ts";
import type {
	ClusterRole,
	ClusterRoleBinding,
	PolicyRule,
	RbacSubject,
	Role,
	RoleBinding,
} from "../../generated/types.ts";

export const rbacGroup = "rbac.authorization.k8s.io";

/** The value `false` prevents the cluster from adding missing rules or subjects to a role or binding at startup. */
export const autoUpdateAnnotation = "rbac.authorization.kubernetes.io/autoupdate";

export const read = ["get", "list", "watch"];
export const write = ["create", "delete", "deletecollection", "patch", "update"];

const core = "";

/** A rule for resources of the core group. */
export function coreRule(resources: string[], verbs: string[], resourceNames?: string[]): PolicyRule {
	return rule([core], resources, verbs, resourceNames);
}

export function rule(apiGroups: string[], resources: string[], verbs: string[], resourceNames?: string[]): PolicyRule {
	return { verbs, apiGroups, resources, ...(resourceNames && { resourceNames }) };
}

/** Read access to paths that are not resources. */
export function pathRule(nonResourceURLs: string[], verbs = ["get"]): PolicyRule {
	return { verbs, nonResourceURLs };
}

/** Nearly every controller records Events. */
export const eventsRule = rule([core, "events.k8s.io"], ["events"], ["create", "patch", "update"]);

function defaults(labels?: Record<string, string>) {
	return {
		annotations: { [autoUpdateAnnotation]: "true" },
		labels: { "kubernetes.io/bootstrapping": "rbac-defaults", ...labels },
	};
}

export function clusterRole(name: string, rules: PolicyRule[], labels?: Record<string, string>): Draft<ClusterRole> {
	return { metadata: { name, ...defaults(labels) }, rules };
}

/** A role that aggregates the rules of all roles with a label. */
export function aggregatedRole(name: string, label: string, labels?: Record<string, string>): Draft<ClusterRole> {
	const aggregationRule = { clusterRoleSelectors: [{ matchLabels: { [label]: "true" } }] };
	return { metadata: { name, ...defaults(labels) }, aggregationRule };
}

export function role(namespace: string, name: string, rules: PolicyRule[]): Draft<Role> {
	return { metadata: { name, namespace, ...defaults() }, rules };
}

export const user = (name: string): RbacSubject => ({ kind: "User", apiGroup: rbacGroup, name });
export const group = (name: string): RbacSubject => ({ kind: "Group", apiGroup: rbacGroup, name });
export const systemAccount = (name: string): RbacSubject => ({
	kind: "ServiceAccount",
	name,
	namespace: "kube-system",
});

/** Grants the ClusterRole with the same name, or the given one. */
export function clusterBinding(name: string, subjects: RbacSubject[], roleName = name): Draft<ClusterRoleBinding> {
	return {
		metadata: { name, ...defaults() },
		roleRef: { apiGroup: rbacGroup, kind: "ClusterRole", name: roleName },
		...(subjects.length > 0 && { subjects }),
	};
}

/** Grants a Role of the namespace. */
export function binding(namespace: string, name: string, subjects: RbacSubject[], roleName = name): Draft<RoleBinding> {
	return {
		metadata: { name, namespace, ...defaults() },
		roleRef: { apiGroup: rbacGroup, kind: "Role", name: roleName },
		subjects,
	};
}
