/**
 * Roles of the parts of a cluster that upstream does not have, or has in another form: each says why. A controller
 * whose role upstream does not suffice here has a second one, `coxswain:controller:NAME`, so that upstream's stays as
 * it is.
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

/** Accounts in kube-system that are no controllers'. */
export const clusterAccounts = {
	cox: "cox",
	dns: "coredns",
	eventRecorder: "event-recorder",
	metrics: "metrics-server",
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
	// One recorder writes the Events of all controllers and of the scheduler, so that what repeats itself is counted in
	// one place.
	"coxswain:event-recorder": { account: clusterAccounts.eventRecorder, rules: [eventsRule] },
	// Agents are reached through the API server only, and its proxy does not distinguish paths.
	"coxswain:metrics-server": {
		account: clusterAccounts.metrics,
		rules: [coreRule(["nodes"], read), coreRule(["nodes/proxy"], ["get"])],
	},
	// The API server's metrics of all objects: names and states, but no contents.
	"coxswain:kube-state-metrics": { account: clusterAccounts.stateMetrics, rules: [pathRule(["/metrics/workloads"])] },
	// `cox up` waits until nodes are Ready and pods can be made, and labels nodes; `cox node rm` takes a node and its
	// pods away.
	"coxswain:cox": {
		account: clusterAccounts.cox,
		rules: [
			coreRule(["nodes"], ["delete", "patch", ...read]),
			coreRule(["serviceaccounts"], ["list", "watch"]),
			coreRule(["pods"], ["delete", "list"]),
			coreRule(["pods/status"], ["patch"]),
		],
	},
	// Hundreds of nodes in one process share one watch of each ConfigMap and Secret that their pods name. Only where
	// nodes are simulated is anybody this user.
	"coxswain:simulated-nodes": {
		account: clusterAccounts.simulatedNodes,
		rules: [coreRule(["configmaps", "secrets"], ["list", "watch"])],
	},
	// Reads the Secrets that policies name, each in the policy's namespace, and the ends of logs. It lists no Secret.
	"coxswain:controller:notification-controller": {
		account: clusterAccounts.notifications,
		rules: [
			coreRule(["secrets"], ["get"]),
			rule(["history.coxswain.io"], ["runs/log"], ["get"]),
			rule(["notify.coxswain.io"], ["notificationpolicies/status"], ["patch"]),
		],
	},
	// Makes Deployments of pods in namespaces that ask for it; upstream has no such controller.
	"coxswain:controller:kubectl-run-controller": {
		account: "kubectl-run-controller",
		rules: [rule(["apps"], ["deployments"], ["create"]), coreRule(["pods"], ["delete"])],
	},
	// Upstream's API server does these two by itself, and may do everything.
	"coxswain:controller:service-address-controller": {
		account: "service-address-controller",
		rules: [rule(["networking.k8s.io"], ["ipaddresses"], ["create", "delete"])],
	},
	"coxswain:controller:flow-schema-controller": {
		account: "flow-schema-controller",
		rules: [rule(["flowcontrol.apiserver.k8s.io"], ["flowschemas/status"], ["update"])],
	},
	// Lets pods go that waited for other workloads, and says what they wait for; upstream has no such controller.
	"coxswain:controller:workload-order-controller": {
		account: "workload-order-controller",
		rules: [
			coreRule(["pods", "pods/status"], ["patch"]),
			rule(["apps"], ["controllerrevisions", "replicasets"], ["patch"]),
			rule(["batch"], ["jobs"], ["patch"]),
		],
	},
	// Patches where upstream's controllers update: the same rights by another verb, for changes of single fields that
	// should not fail because another client changed another one.
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
