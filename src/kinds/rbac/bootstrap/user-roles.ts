/** The roles for people: cluster-admin, admin, edit and view, and the roles that these three aggregate. */
import { aggregatedRole, clusterRole, coreRule, pathRule, rbacGroup, read, rule, write } from "./make.ts";

const toAdmin = "rbac.authorization.k8s.io/aggregate-to-admin";
const toEdit = "rbac.authorization.k8s.io/aggregate-to-edit";
const toView = "rbac.authorization.k8s.io/aggregate-to-view";

const clusterAdmin = clusterRole("cluster-admin", [rule(["*"], ["*"], ["*"]), pathRule(["*"], ["*"])]);

const adminRules = clusterRole(
	"system:aggregate-to-admin",
	[
		rule(["authorization.k8s.io"], ["localsubjectaccessreviews"], ["create"]),
		rule([rbacGroup], ["rolebindings", "roles"], [...write, ...read].sort()),
	],
	{ [toAdmin]: "true" },
);

/** Old names of workloads, in a group that is no longer served. */
const extensionsWorkloads = [
	"daemonsets",
	"deployments",
	"deployments/rollback",
	"deployments/scale",
	"ingresses",
	"networkpolicies",
	"replicasets",
	"replicasets/scale",
	"replicationcontrollers/scale",
];

const editRules = clusterRole(
	"system:aggregate-to-edit",
	[
		coreRule(["pods/attach", "pods/exec", "pods/portforward", "pods/proxy", "secrets", "services/proxy"], read),
		coreRule(["serviceaccounts"], ["impersonate"]),
		coreRule(["pods", "pods/attach", "pods/exec", "pods/portforward", "pods/proxy"], write),
		coreRule(["pods/eviction"], ["create"]),
		coreRule(
			[
				"configmaps",
				"events",
				"persistentvolumeclaims",
				"replicationcontrollers",
				"replicationcontrollers/scale",
				"secrets",
				"serviceaccounts",
				"services",
				"services/proxy",
			],
			write,
		),
		coreRule(["serviceaccounts/token"], ["create"]),
		rule(
			["apps"],
			[
				"daemonsets",
				"deployments",
				"deployments/rollback",
				"deployments/scale",
				"replicasets",
				"replicasets/scale",
				"statefulsets",
				"statefulsets/scale",
			],
			write,
		),
		rule(["autoscaling"], ["horizontalpodautoscalers"], write),
		rule(["batch"], ["cronjobs", "jobs"], write),
		rule(["extensions"], extensionsWorkloads, write),
		rule(["policy"], ["poddisruptionbudgets"], write),
		rule(["networking.k8s.io"], ["ingresses", "networkpolicies"], write),
		rule(["coordination.k8s.io"], ["leases"], [...write, ...read].sort()),
		rule(["resource.k8s.io"], ["resourceclaims", "resourceclaimtemplates"], write),
	],
	{ [toEdit]: "true" },
);

const viewRules = clusterRole(
	"system:aggregate-to-view",
	[
		coreRule(
			[
				"configmaps",
				"endpoints",
				"persistentvolumeclaims",
				"persistentvolumeclaims/status",
				"pods",
				"replicationcontrollers",
				"replicationcontrollers/scale",
				"serviceaccounts",
				"services",
				"services/status",
			],
			read,
		),
		coreRule(
			[
				"bindings",
				"events",
				"limitranges",
				"namespaces/status",
				"pods/log",
				"pods/status",
				"replicationcontrollers/status",
				"resourcequotas",
				"resourcequotas/status",
			],
			read,
		),
		// In a namespace, this means only that namespace.
		coreRule(["namespaces"], read),
		rule(["discovery.k8s.io"], ["endpointslices"], read),
		rule(
			["apps"],
			[
				"controllerrevisions",
				"daemonsets",
				"daemonsets/status",
				"deployments",
				"deployments/scale",
				"deployments/status",
				"replicasets",
				"replicasets/scale",
				"replicasets/status",
				"statefulsets",
				"statefulsets/scale",
				"statefulsets/status",
			],
			read,
		),
		rule(["autoscaling"], ["horizontalpodautoscalers", "horizontalpodautoscalers/status"], read),
		rule(["batch"], ["cronjobs", "cronjobs/status", "jobs", "jobs/status"], read),
		rule(
			["extensions"],
			[
				"daemonsets",
				"daemonsets/status",
				"deployments",
				"deployments/scale",
				"deployments/status",
				"ingresses",
				"ingresses/status",
				"networkpolicies",
				"replicasets",
				"replicasets/scale",
				"replicasets/status",
				"replicationcontrollers/scale",
			],
			read,
		),
		rule(["policy"], ["poddisruptionbudgets", "poddisruptionbudgets/status"], read),
		rule(["networking.k8s.io"], ["ingresses", "ingresses/status", "networkpolicies"], read),
		rule(["resource.k8s.io"], ["resourceclaims", "resourceclaims/status", "resourceclaimtemplates"], read),
	],
	{ [toView]: "true" },
);

/** As in the manifests of metrics-server: users who may read pods may read their usage. */
const metricsReader = clusterRole(
	"system:aggregated-metrics-reader",
	[rule(["metrics.k8s.io"], ["nodes", "pods"], read)],
	{ [toAdmin]: "true", [toEdit]: "true", [toView]: "true" },
);

/** Users who may view pods and their logs may also view runs and NotificationPolicies. */
const runReader = clusterRole(
	"coxswain:aggregate-to-view",
	[
		rule(["history.coxswain.io"], ["runs", "runs/log"], read),
		rule(["notify.coxswain.io"], ["notificationpolicies", "notificationpolicies/status"], read),
	],
	{ [toView]: "true" },
);

/**
 * Users who may change workloads may also configure notifications; sending logs requires the right to read them (see
 * admission).
 */
const policyWriter = clusterRole(
	"coxswain:aggregate-to-edit",
	[rule(["notify.coxswain.io"], ["notificationpolicies"], write)],
	{ [toEdit]: "true" },
);

export const userRoles = [
	clusterAdmin,
	aggregatedRole("admin", toAdmin),
	aggregatedRole("edit", toEdit, { [toAdmin]: "true" }),
	aggregatedRole("view", toView, { [toEdit]: "true" }),
	adminRules,
	editRules,
	viewRules,
	metricsReader,
	runReader,
	policyWriter,
];
