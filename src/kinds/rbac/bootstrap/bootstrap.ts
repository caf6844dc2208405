/**
 * The initial roles and bindings of every cluster: those of Kubernetes v1.36 with its default features (Kubernetes
 * documentation, "Using RBAC Authorization", "Default roles and role bindings"), and those of this project.
 */
import type { Draft } from "../../../core/object.ts";
import type { ClusterRole, ClusterRoleBinding, Role, RoleBinding } from "../../generated/types.ts";
import { aggregatedRules } from "../aggregation.ts";
import { clusterControllers } from "./cluster-controller-roles.ts";
import { ownClusterRoleBindings, ownClusterRoles } from "./cluster-roles.ts";
import { controllerRoles, workloadControllers } from "./controller-roles.ts";
import { binding, clusterBinding, coreRule, eventsRule, group, read, role, rule, systemAccount, user } from "./make.ts";
import { nodeRoles } from "./node-roles.ts";
import { systemRoles } from "./system-roles.ts";
import { userRoles } from "./user-roles.ts";

const controllers = { ...workloadControllers, ...clusterControllers };
const authenticated = group("system:authenticated");
const controllerManager = user("system:kube-controller-manager");
const scheduler = user("system:kube-scheduler");

/** With the rules that aggregated roles gather, so that these roles grant something before any controller runs. */
export const bootstrapClusterRoles: readonly Draft<ClusterRole>[] = withAggregatedRules([
	...userRoles,
	...systemRoles,
	...nodeRoles,
	...controllerRoles(controllers),
	...ownClusterRoles,
]);

function withAggregatedRules(roles: readonly Draft<ClusterRole>[]): Draft<ClusterRole>[] {
	const rules = aggregatedRules(roles);
	return roles.map((role) => ({ ...role, rules: [...(rules.get(role) ?? role.rules ?? [])] }));
}

export const bootstrapClusterRoleBindings: readonly Draft<ClusterRoleBinding>[] = [
	clusterBinding("cluster-admin", [group("system:masters")]),
	clusterBinding("system:monitoring", [group("system:monitoring")]),
	clusterBinding("system:discovery", [authenticated]),
	clusterBinding("system:basic-user", [authenticated]),
	clusterBinding("system:public-info-viewer", [authenticated, group("system:unauthenticated")]),
	clusterBinding("system:node-proxier", [user("system:kube-proxy")]),
	clusterBinding("system:kube-controller-manager", [controllerManager]),
	clusterBinding("system:kube-dns", [systemAccount("kube-dns")]),
	clusterBinding("system:kube-scheduler", [scheduler]),
	clusterBinding("system:volume-scheduler", [scheduler]),
	clusterBinding("system:node", []),
	clusterBinding("system:service-account-issuer-discovery", [group("system:serviceaccounts")]),
	clusterBinding("system:cluster-trust-bundle-discovery", [group("system:serviceaccounts")]),
	...Object.keys(controllers).map((name) => clusterBinding(`system:controller:${name}`, [systemAccount(name)])),
	...ownClusterRoleBindings,
];

const leaderRules = [
	rule(["coordination.k8s.io"], ["leases"], ["create", "get", "list", "update", "watch"]),
	rule(["coordination.k8s.io"], ["leasecandidates"], ["create", "get", "list", "update", "watch"]),
];

export const bootstrapRoles: readonly Draft<Role>[] = [
	role("kube-public", "system:controller:bootstrap-signer", [
		coreRule(["configmaps"], read),
		coreRule(["configmaps"], ["update"], ["cluster-info"]),
		eventsRule,
	]),
	role("kube-system", "extension-apiserver-authentication-reader", [
		coreRule(["configmaps"], read, ["extension-apiserver-authentication"]),
	]),
	role("kube-system", "system::leader-locking-kube-controller-manager", leaderRules),
	role("kube-system", "system::leader-locking-kube-scheduler", leaderRules),
	role("kube-system", "system:controller:bootstrap-signer", [coreRule(["secrets"], read)]),
	role("kube-system", "system:controller:cloud-provider", [coreRule(["configmaps"], ["create", ...read])]),
	role("kube-system", "system:controller:token-cleaner", [coreRule(["secrets"], ["delete", ...read]), eventsRule]),
];

export const bootstrapRoleBindings: readonly Draft<RoleBinding>[] = [
	binding("kube-public", "system:controller:bootstrap-signer", [systemAccount("bootstrap-signer")]),
	binding(
		"kube-system",
		"system::extension-apiserver-authentication-reader",
		[controllerManager, scheduler],
		"extension-apiserver-authentication-reader",
	),
	binding("kube-system", "system::leader-locking-kube-controller-manager", [
		controllerManager,
		systemAccount("kube-controller-manager"),
		systemAccount("leader-election-controller"),
	]),
	binding("kube-system", "system::leader-locking-kube-scheduler", [scheduler, systemAccount("kube-scheduler")]),
	binding("kube-system", "system:controller:bootstrap-signer", [systemAccount("bootstrap-signer")]),
	binding("kube-system", "system:controller:cloud-provider", [systemAccount("cloud-provider")]),
	binding("kube-system", "system:controller:token-cleaner", [systemAccount("token-cleaner")]),
];
