/** The roles of nodes, of components that run on every node, and of clients of a node's agent. */
import { clusterRole, coreRule, eventsRule, read, rule } from "./make.ts";

export const nodeRoles = [
	// Has no binding: the Node authorizer grants this, restricted to the node's objects.
	clusterRole("system:node", [
		rule(["authentication.k8s.io"], ["tokenreviews"], ["create"]),
		rule(["authorization.k8s.io"], ["localsubjectaccessreviews", "subjectaccessreviews"], ["create"]),
		coreRule(["services"], read),
		coreRule(["nodes"], ["create", ...read]),
		coreRule(["nodes/status"], ["patch", "update"]),
		coreRule(["nodes"], ["patch", "update"]),
		coreRule(["events"], ["create", "patch", "update"]),
		coreRule(["pods"], read),
		coreRule(["pods"], ["create", "delete"]),
		coreRule(["pods/status"], ["patch", "update"]),
		coreRule(["pods/eviction"], ["create"]),
		coreRule(["configmaps", "secrets"], read),
		coreRule(["persistentvolumeclaims", "persistentvolumes"], ["get"]),
		coreRule(["endpoints"], ["get"]),
		rule(["certificates.k8s.io"], ["certificatesigningrequests"], ["create", ...read]),
		rule(["certificates.k8s.io"], ["clustertrustbundles"], read),
		rule(["coordination.k8s.io"], ["leases"], ["create", "delete", "get", "patch", "update"]),
		rule(["storage.k8s.io"], ["volumeattachments"], ["get"]),
		coreRule(["serviceaccounts/token"], ["create"]),
		coreRule(["persistentvolumeclaims/status"], ["get", "patch", "update"]),
		rule(["storage.k8s.io"], ["csidrivers"], read),
		rule(["storage.k8s.io"], ["csinodes"], ["create", "delete", "get", "patch", "update"]),
		rule(["node.k8s.io"], ["runtimeclasses"], read),
		rule(["resource.k8s.io"], ["resourceclaims"], ["get"]),
		rule(["resource.k8s.io"], ["resourceslices"], ["deletecollection"]),
		coreRule(["serviceaccounts"], ["get"]),
	]),
	clusterRole("system:node-bootstrapper", [
		rule(["certificates.k8s.io"], ["certificatesigningrequests"], ["create", ...read]),
	]),
	clusterRole("system:node-problem-detector", [
		coreRule(["nodes"], ["get"]),
		coreRule(["nodes/status"], ["patch"]),
		eventsRule,
	]),
	clusterRole("system:node-proxier", [
		coreRule(["endpoints", "services"], ["list", "watch"]),
		coreRule(["nodes"], read),
		eventsRule,
		rule(["networking.k8s.io"], ["servicecidrs"], ["list", "watch"]),
		rule(["discovery.k8s.io"], ["endpointslices"], ["list", "watch"]),
	]),
	clusterRole("system:kubelet-api-admin", [
		coreRule(["nodes"], read),
		coreRule(["nodes"], ["proxy"]),
		coreRule(["nodes/log", "nodes/metrics", "nodes/proxy", "nodes/stats"], ["*"]),
		coreRule(["nodes/configz", "nodes/healthz", "nodes/pods"], ["*"]),
	]),
];
