/** The roles of controllers for the cluster itself: nodes, namespaces, volumes, certificates, accounts. */
import type { PolicyRule } from "../../generated/types.ts";
import { coreRule, eventsRule, rbacGroup, read, rule } from "./make.ts";

const certificates = "certificates.k8s.io";

/** Like `workloadControllers`. */
export const clusterControllers: Readonly<Record<string, PolicyRule[]>> = {
	"attachdetach-controller": [
		coreRule(["persistentvolumeclaims", "persistentvolumes"], ["list", "watch"]),
		coreRule(["nodes"], read),
		coreRule(["nodes/status"], ["patch", "update"]),
		coreRule(["pods"], ["list", "watch"]),
		eventsRule,
		rule(["storage.k8s.io"], ["volumeattachments"], ["create", "delete", ...read]),
		rule(["storage.k8s.io"], ["csidrivers"], read),
		rule(["storage.k8s.io"], ["csinodes"], read),
	],
	"certificate-controller": [
		rule([certificates], ["certificatesigningrequests"], ["delete", ...read]),
		rule([certificates], ["certificatesigningrequests/approval", "certificatesigningrequests/status"], ["update"]),
		rule([certificates], ["signers"], ["approve"], ["kubernetes.io/kube-apiserver-client-kubelet"]),
		rule(
			[certificates],
			["signers"],
			["sign"],
			[
				"kubernetes.io/kube-apiserver-client",
				"kubernetes.io/kube-apiserver-client-kubelet",
				"kubernetes.io/kubelet-serving",
				"kubernetes.io/legacy-unknown",
			],
		),
		rule(["authorization.k8s.io"], ["subjectaccessreviews"], ["create"]),
		eventsRule,
	],
	"clusterrole-aggregation-controller": [
		rule([rbacGroup], ["clusterroles"], ["escalate", "get", "list", "patch", "update", "watch"]),
	],
	"endpoint-controller": [
		coreRule(["pods", "services"], read),
		coreRule(["endpoints"], ["create", "delete", "get", "list", "update", "watch"]),
		coreRule(["endpoints/restricted"], ["create"]),
		eventsRule,
	],
	"endpointslice-controller": [
		coreRule(["nodes", "pods", "services"], read),
		coreRule(["services/finalizers"], ["update"]),
		rule(["discovery.k8s.io"], ["endpointslices"], ["create", "delete", "get", "list", "update", "watch"]),
		eventsRule,
	],
	"endpointslicemirroring-controller": [
		coreRule(["endpoints", "services"], read),
		coreRule(["services/finalizers"], ["update"]),
		coreRule(["endpoints/finalizers"], ["update"]),
		rule(["discovery.k8s.io"], ["endpointslices"], ["create", "delete", "get", "list", "update", "watch"]),
		eventsRule,
	],
	"ephemeral-volume-controller": [
		coreRule(["pods"], read),
		coreRule(["pods/finalizers"], ["update"]),
		coreRule(["persistentvolumeclaims"], ["create", ...read]),
		eventsRule,
	],
	"expand-controller": [
		coreRule(["persistentvolumes"], ["get", "list", "patch", "update", "watch"]),
		coreRule(["persistentvolumeclaims/status"], ["patch", "update"]),
		coreRule(["persistentvolumeclaims"], read),
		eventsRule,
	],
	"generic-garbage-collector": [rule(["*"], ["*"], ["delete", "get", "list", "patch", "update", "watch"]), eventsRule],
	"legacy-service-account-token-cleaner": [
		coreRule(["configmaps"], ["get"], ["kube-apiserver-legacy-service-account-token-tracking"]),
		coreRule(["secrets"], ["delete", "patch"]),
	],
	"namespace-controller": [
		coreRule(["namespaces"], ["delete", ...read]),
		coreRule(["namespaces/finalize", "namespaces/status"], ["update"]),
		rule(["*"], ["*"], ["delete", "deletecollection", ...read]),
	],
	"node-controller": [
		coreRule(["nodes"], ["delete", "get", "list", "patch", "update", "watch"]),
		coreRule(["nodes/status"], ["patch", "update"]),
		coreRule(["pods/status"], ["patch", "update"]),
		coreRule(["pods"], ["delete", ...read]),
		eventsRule,
	],
	"persistent-volume-binder": [
		coreRule(["persistentvolumes"], ["create", "delete", "get", "list", "update", "watch"]),
		coreRule(["persistentvolumes/status"], ["update"]),
		coreRule(["persistentvolumeclaims"], ["get", "list", "update", "watch"]),
		coreRule(["persistentvolumeclaims/status"], ["update"]),
		coreRule(["pods"], ["create", "delete", ...read]),
		rule(["storage.k8s.io"], ["storageclasses"], read),
		coreRule(["nodes"], ["list", "watch"]),
		eventsRule,
		coreRule(["events"], ["watch"]),
	],
	"pod-garbage-collector": [
		coreRule(["pods"], ["delete", "list", "watch"]),
		coreRule(["nodes"], read),
		coreRule(["pods/status"], ["patch"]),
	],
	"pv-protection-controller": [coreRule(["persistentvolumes"], ["get", "list", "update", "watch"]), eventsRule],
	"pvc-protection-controller": [
		coreRule(["persistentvolumeclaims"], ["get", "list", "update", "watch"]),
		coreRule(["persistentvolumeclaims/status"], ["update"]),
		coreRule(["pods"], read),
		eventsRule,
	],
	"resourcequota-controller": [
		rule(["*"], ["*"], ["list", "watch"]),
		coreRule(["resourcequotas/status"], ["update"]),
		eventsRule,
	],
	"root-ca-cert-publisher": [coreRule(["configmaps"], ["create", "update"]), eventsRule],
	"route-controller": [coreRule(["nodes"], ["list", "watch"]), coreRule(["nodes/status"], ["patch"]), eventsRule],
	"selinux-warning-controller": [
		eventsRule,
		coreRule(["persistentvolumes"], read),
		coreRule(["persistentvolumeclaims"], read),
		coreRule(["pods"], read),
		rule(["storage.k8s.io"], ["csidrivers"], read),
	],
	"service-account-controller": [coreRule(["serviceaccounts"], ["create"]), eventsRule],
	"service-cidrs-controller": [
		rule(["networking.k8s.io"], ["servicecidrs"], ["get", "list", "patch", "update", "watch"]),
		rule(["networking.k8s.io"], ["servicecidrs/finalizers"], ["patch", "update"]),
		rule(["networking.k8s.io"], ["servicecidrs/status"], ["patch", "update"]),
		rule(["networking.k8s.io"], ["ipaddresses"], read),
		eventsRule,
	],
	"service-controller": [
		coreRule(["services"], read),
		coreRule(["services/status"], ["patch", "update"]),
		coreRule(["nodes"], ["list", "watch"]),
		eventsRule,
	],
	"ttl-controller": [coreRule(["nodes"], ["list", "patch", "update", "watch"]), eventsRule],
	"validatingadmissionpolicy-status-controller": [
		rule(["admissionregistration.k8s.io"], ["validatingadmissionpolicies"], read),
		rule(["admissionregistration.k8s.io"], ["validatingadmissionpolicies/status"], ["get", "patch", "update"]),
		eventsRule,
	],
	"volumeattributesclass-protection-controller": [
		coreRule(["persistentvolumeclaims"], read),
		coreRule(["persistentvolumes"], read),
		rule(["storage.k8s.io"], ["volumeattributesclasses"], ["get", "list", "update", "watch"]),
		eventsRule,
	],
};
