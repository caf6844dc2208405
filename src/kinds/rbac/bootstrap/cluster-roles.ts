/**
 * Roles of components that upstream does not have, or has in another form, each with its reason. A controller that
 * needs more than upstream's role has a second one, `coxswain:controller:NAME`, so that upstream's is unchanged.
 */
import type { Draft } from "../../../core/object.ts";
import type { ClusterRole, ClusterRoleBinding, PolicyRule } from "../../generated/types.ts";
import {
	clusterBinding,
	clusterRole,
	coreRule,
	eventsRule,
	group,
	pathRule,
	read,
	rule,
	systemAccount,
} from "./make.ts";

/** Accounts in kube-system that do not belong to controllers. */
export const clusterAccounts = {
	cox: "cox",
	dns: "coredns",
	eventRecorder: "event-recorder",
	ingress: "ingress-controller",
	metrics: "metrics-server",
	networkPolicies: "network-policies",
	notifications: "notification-controller",
	simulatedNodes: "simulated-nodes",
	stateMetrics: "kube-state-metrics",
} as const;

/** Role → account and rules. */
const roles: Readonly<Record<string, { account: string; rules: PolicyRule[] }>> = {
	// As in CoreDNS' own manifest.
	"system:coredns": {
		account: clusterAccounts.dns,
		rules: [
			coreRule(["endpoints", "namespaces", "pods", "services"], ["list", "watch"]),
			rule(["discovery.k8s.io"], ["endpointslices"], ["list", "watch"]),
		],
	},
	// One recorder writes the Events of all controllers and of the scheduler, so that repetitions are counted in one
	// place.
	"coxswain:event-recorder": { account: clusterAccounts.eventRecorder, rules: [eventsRule] },
	// Agents are only accessible through the API server, whose proxy does not distinguish paths.
	"coxswain:metrics-server": {
		account: clusterAccounts.metrics,
		rules: [coreRule(["nodes"], read), coreRule(["nodes/proxy"], ["get"])],
	},
	// Each node enforces network policies for its pods: labels and addresses of the others decide who may reach them.
	"coxswain:network-policies": {
		account: clusterAccounts.networkPolicies,
		rules: [
			coreRule(["namespaces", "pods"], ["list", "watch"]),
			rule(["networking.k8s.io"], ["networkpolicies"], ["list", "watch"]),
			eventsRule,
		],
	},
	// Serves Ingresses. The server passes on the certificates that they name: this process reads what anybody sends, and
	// sees no other Secrets.
	"coxswain:ingress-controller": {
		account: clusterAccounts.ingress,
		rules: [
			coreRule(["services"], ["list", "watch"]),
			rule(["discovery.k8s.io"], ["endpointslices"], ["list", "watch"]),
			rule(["networking.k8s.io"], ["ingressclasses", "ingresses"], ["list", "watch"]),
			rule(["networking.k8s.io"], ["ingresses/status"], ["patch"]),
			eventsRule,
		],
	},
	// The API server's metrics of all objects: names and states, but no contents.
	"coxswain:kube-state-metrics": { account: clusterAccounts.stateMetrics, rules: [pathRule(["/metrics/workloads"])] },
	// `cox up` waits until nodes are Ready and pods can be created, and labels nodes; `cox node rm` removes a node and
	// its pods.
	"coxswain:cox": {
		account: clusterAccounts.cox,
		rules: [
			coreRule(["nodes"], ["delete", "patch", ...read]),
			coreRule(["serviceaccounts"], ["list", "watch"]),
			coreRule(["pods"], ["delete", "list"]),
			coreRule(["pods/status"], ["patch"]),
		],
	},
	// Hundreds of nodes in one process share one watch of each ConfigMap and Secret that their pods name. This user only
	// exists with simulated nodes.
	"coxswain:simulated-nodes": {
		account: clusterAccounts.simulatedNodes,
		rules: [coreRule(["configmaps", "secrets"], ["list", "watch"])],
	},
	// Reads the Secrets that policies name, each in the policy's namespace, and the ends of logs. It may not list
	// Secrets.
	"coxswain:controller:notification-controller": {
		account: clusterAccounts.notifications,
		rules: [
			coreRule(["secrets"], ["get"]),
			rule(["history.coxswain.io"], ["runs/log"], ["get"]),
			rule(["notify.coxswain.io"], ["notificationpolicies/status"], ["patch"]),
		],
	},
	// Creates Deployments for pods in namespaces that request it; upstream has no such controller.
	"coxswain:controller:kubectl-run-controller": {
		account: "kubectl-run-controller",
		rules: [rule(["apps"], ["deployments"], ["create"]), coreRule(["pods"], ["delete"])],
	},
	// Upstream's API server does these two itself, without restrictions.
	"coxswain:controller:service-address-controller": {
		account: "service-address-controller",
		rules: [rule(["networking.k8s.io"], ["ipaddresses"], ["create", "delete"])],
	},
	"coxswain:controller:flow-schema-controller": {
		account: "flow-schema-controller",
		rules: [rule(["flowcontrol.apiserver.k8s.io"], ["flowschemas/status"], ["update"])],
	},
	// Releases pods that waited for other workloads, and reports what they wait for; upstream has no such controller.
	"coxswain:controller:workload-order-controller": {
		account: "workload-order-controller",
		rules: [
			coreRule(["pods", "pods/status"], ["patch"]),
			rule(["apps"], ["controllerrevisions", "replicasets"], ["patch"]),
			rule(["batch"], ["jobs"], ["patch"]),
		],
	},
	// Patches instead of upstream's updates: the same rights with another verb, for changes of single fields that should
	// not fail because another client changed another one.
	"coxswain:controller:persistent-volume-binder": {
		account: "persistent-volume-binder",
		rules: [
			coreRule(
				["persistentvolumeclaims", "persistentvolumeclaims/status", "persistentvolumes", "persistentvolumes/status"],
				["patch"],
			),
		],
	},
	"coxswain:controller:deployment-controller": {
		account: "deployment-controller",
		rules: [rule(["apps"], ["deployments"], ["patch"])],
	},
	"coxswain:controller:statefulset-controller": {
		account: "statefulset-controller",
		rules: [coreRule(["persistentvolumeclaims"], ["patch"])],
	},
	"coxswain:controller:horizontal-pod-autoscaler": {
		account: "horizontal-pod-autoscaler",
		rules: [rule(["*"], ["*/scale"], ["patch"])],
	},
};

export const ownClusterRoles: readonly Draft<ClusterRole>[] = Object.entries(roles).map(([name, { rules }]) =>
	clusterRole(name, rules),
);

export const ownClusterRoleBindings: readonly Draft<ClusterRoleBinding>[] = [
	...Object.entries(roles).map(([name, { account }]) => clusterBinding(name, [systemAccount(account)])),
	clusterBinding("coxswain:monitoring", [group("system:monitoring")], "coxswain:kube-state-metrics"),
];
