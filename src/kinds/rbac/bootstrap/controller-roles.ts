/** The roles of controllers for workloads, and the bindings of all controllers. */
import type { PolicyRule } from "../../generated/types.ts";
import { clusterRole, coreRule, eventsRule, read, rule } from "./make.ts";

const workloads = ["apps", "extensions"];

/** Rules by controller, with the suffix of its role's name: `system:controller:…`. */
export const workloadControllers: Readonly<Record<string, PolicyRule[]>> = {
	"cronjob-controller": [
		rule(["batch"], ["cronjobs"], ["get", "list", "update", "watch"]),
		rule(["batch"], ["jobs"], ["create", "delete", "get", "list", "patch", "update", "watch"]),
		rule(["batch"], ["cronjobs/status"], ["update"]),
		rule(["batch"], ["cronjobs/finalizers"], ["update"]),
		coreRule(["pods"], ["delete", "list", "watch"]),
		eventsRule,
	],
	"daemon-set-controller": [
		rule(workloads, ["daemonsets"], read),
		rule(workloads, ["daemonsets/status"], ["update"]),
		rule(workloads, ["daemonsets/finalizers"], ["update"]),
		coreRule(["nodes"], ["list", "watch"]),
		coreRule(["pods"], ["create", "delete", "list", "patch", "watch"]),
		coreRule(["pods/binding"], ["create"]),
		rule(["apps"], ["controllerrevisions"], ["create", "delete", "get", "list", "patch", "update", "watch"]),
		eventsRule,
	],
	"deployment-controller": [
		rule(workloads, ["deployments"], ["get", "list", "update", "watch"]),
		rule(workloads, ["deployments/status"], ["update"]),
		rule(workloads, ["deployments/finalizers"], ["update"]),
		rule(workloads, ["replicasets"], ["create", "delete", "get", "list", "patch", "update", "watch"]),
		coreRule(["pods"], ["get", "list", "update", "watch"]),
		eventsRule,
	],
	"disruption-controller": [
		rule(workloads, ["deployments"], read),
		rule(workloads, ["replicasets"], read),
		coreRule(["replicationcontrollers"], read),
		rule(["policy"], ["poddisruptionbudgets"], read),
		rule(["apps"], ["statefulsets"], read),
		rule(["policy"], ["poddisruptionbudgets/status"], ["update"]),
		coreRule(["pods/status"], ["patch", "update"]),
		rule(["*"], ["*/scale"], ["get"]),
		eventsRule,
	],
	"horizontal-pod-autoscaler": [
		rule(["autoscaling"], ["horizontalpodautoscalers"], read),
		rule(["autoscaling"], ["horizontalpodautoscalers/status"], ["update"]),
		rule(["*"], ["*/scale"], ["get", "update"]),
		coreRule(["pods"], ["list", "watch"]),
		rule(["metrics.k8s.io"], ["pods"], ["list", "watch"]),
		rule(["custom.metrics.k8s.io"], ["*"], read),
		rule(["external.metrics.k8s.io"], ["*"], read),
		eventsRule,
	],
	"job-controller": [
		rule(["batch"], ["jobs"], ["get", "list", "patch", "update", "watch"]),
		rule(["batch"], ["jobs/status"], ["update"]),
		rule(["batch"], ["jobs/finalizers"], ["update"]),
		coreRule(["pods"], ["create", "delete", "list", "patch", "watch"]),
		eventsRule,
	],
	"replicaset-controller": [
		rule(workloads, ["replicasets"], ["get", "list", "update", "watch"]),
		rule(workloads, ["replicasets/status"], ["update"]),
		rule(workloads, ["replicasets/finalizers"], ["update"]),
		coreRule(["pods"], ["create", "delete", "list", "patch", "watch"]),
		eventsRule,
	],
	"replication-controller": [
		coreRule(["replicationcontrollers"], ["get", "list", "update", "watch"]),
		coreRule(["replicationcontrollers/status"], ["update"]),
		coreRule(["replicationcontrollers/finalizers"], ["update"]),
		coreRule(["pods"], ["create", "delete", "list", "patch", "watch"]),
		eventsRule,
	],
	"resource-claim-controller": [
		coreRule(["pods"], read),
		coreRule(["pods/finalizers"], ["update"]),
		rule(["resource.k8s.io"], ["resourceclaims"], ["create", "delete", ...read]),
		rule(["resource.k8s.io"], ["resourceclaims", "resourceclaims/status"], ["patch", "update"]),
		coreRule(["pods/status"], ["patch", "update"]),
		eventsRule,
		rule(["resource.k8s.io"], ["resourceclaims/binding"], ["patch", "update"]),
	],
	"device-taint-eviction-controller": [
		coreRule(["pods"], ["delete", ...read]),
		coreRule(["pods/status"], ["patch", "update"]),
		rule(["resource.k8s.io"], ["resourceclaims"], read),
		rule(["resource.k8s.io"], ["resourceslices"], read),
		rule(["resource.k8s.io"], ["deviceclasses"], read),
		eventsRule,
	],
	"statefulset-controller": [
		coreRule(["pods"], ["list", "watch"]),
		rule(["apps"], ["statefulsets"], read),
		rule(["apps"], ["statefulsets/status"], ["update"]),
		rule(["apps"], ["statefulsets/finalizers"], ["update"]),
		coreRule(["pods"], ["create", "delete", "get", "patch", "update"]),
		rule(["apps"], ["controllerrevisions"], ["create", "delete", "get", "list", "patch", "update", "watch"]),
		coreRule(["persistentvolumeclaims"], ["create", ...read]),
		coreRule(["persistentvolumeclaims"], ["delete", "update"]),
		coreRule(["pods/finalizers"], ["update"]),
		eventsRule,
	],
	"ttl-after-finished-controller": [rule(["batch"], ["jobs"], ["delete", ...read]), eventsRule],
};

/** The ClusterRoles of controllers. */
export function controllerRoles(controllers: Readonly<Record<string, PolicyRule[]>>) {
	return Object.entries(controllers).map(([name, rules]) => clusterRole(`system:controller:${name}`, rules));
}
