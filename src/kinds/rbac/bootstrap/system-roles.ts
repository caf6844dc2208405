/** The roles of all users, and of the cluster's components except its controllers. */
import { clusterRole, coreRule, eventsRule, pathRule, read, rule } from "./make.ts";

const health = ["/healthz", "/livez", "/readyz"];
const version = ["/version", "/version/"];
const reviewTokens = rule(["authentication.k8s.io"], ["tokenreviews"], ["create"]);
const reviewAccess = rule(["authorization.k8s.io"], ["subjectaccessreviews"], ["create"]);

const everyone = [
	clusterRole("system:basic-user", [
		rule(["authorization.k8s.io"], ["selfsubjectaccessreviews", "selfsubjectrulesreviews"], ["create"]),
		rule(["authentication.k8s.io"], ["selfsubjectreviews"], ["create"]),
	]),
	clusterRole("system:discovery", [
		pathRule(["/api", "/api/*", "/apis", "/apis/*", ...health, "/openapi", "/openapi/*", ...version]),
	]),
	clusterRole("system:public-info-viewer", [pathRule([...health, ...version])]),
	clusterRole("system:service-account-issuer-discovery", [
		pathRule([
			"/.well-known/openid-configuration",
			"/.well-known/openid-configuration/",
			"/openid/v1/jwks",
			"/openid/v1/jwks/",
		]),
	]),
	clusterRole("system:cluster-trust-bundle-discovery", [rule(["certificates.k8s.io"], ["clustertrustbundles"], read)]),
	clusterRole("system:monitoring", [
		pathRule([...health.flatMap((path) => [path, `${path}/*`]), "/metrics", "/metrics/slis", "/statusz", "/flagz"]),
	]),
];

const delegation = [
	clusterRole("system:auth-delegator", [reviewTokens, reviewAccess]),
	clusterRole("system:kube-aggregator", [coreRule(["endpoints", "services"], read)]),
	clusterRole("system:heapster", [
		coreRule(["events", "namespaces", "nodes", "pods"], read),
		rule(["extensions"], ["deployments"], read),
	]),
];

const certificates = "certificates.k8s.io";
const approver = (name: string, signer = name) =>
	clusterRole(`system:certificates.k8s.io:${name}-approver`, [
		rule([certificates], ["signers"], ["approve"], [`kubernetes.io/${signer}`]),
	]);
const nodeCertificate = (kind: string) =>
	clusterRole(`system:certificates.k8s.io:certificatesigningrequests:${kind}`, [
		rule([certificates], [`certificatesigningrequests/${kind}`], ["create"]),
	]);

const certificateRoles = [
	nodeCertificate("nodeclient"),
	nodeCertificate("selfnodeclient"),
	approver("kube-apiserver-client"),
	approver("kube-apiserver-client-kubelet"),
	approver("kubelet-serving"),
	approver("legacy-unknown"),
];

const parts = [
	clusterRole("system:kube-controller-manager", [
		eventsRule,
		rule(["coordination.k8s.io"], ["leases"], ["create"]),
		rule(["coordination.k8s.io"], ["leases"], ["get", "update"], ["kube-controller-manager"]),
		coreRule(["secrets", "serviceaccounts"], ["create"]),
		coreRule(["secrets"], ["delete"]),
		coreRule(["configmaps", "namespaces", "secrets", "serviceaccounts"], ["get"]),
		coreRule(["secrets", "serviceaccounts"], ["update"]),
		reviewTokens,
		reviewAccess,
		rule(["*"], ["*"], ["list", "watch"]),
		coreRule(["serviceaccounts/token"], ["create"]),
	]),
	clusterRole("system:kube-scheduler", [
		eventsRule,
		rule(["coordination.k8s.io"], ["leases"], ["create"]),
		rule(["coordination.k8s.io"], ["leases"], ["get", "update"], ["kube-scheduler"]),
		coreRule(["nodes"], read),
		coreRule(["pods"], ["delete", ...read]),
		coreRule(["bindings", "pods/binding"], ["create"]),
		coreRule(["pods/status"], ["patch", "update"]),
		coreRule(["replicationcontrollers", "services"], read),
		rule(["apps", "extensions"], ["replicasets"], read),
		rule(["apps"], ["statefulsets"], read),
		rule(["policy"], ["poddisruptionbudgets"], read),
		coreRule(["persistentvolumeclaims", "persistentvolumes"], read),
		reviewTokens,
		reviewAccess,
		rule(["storage.k8s.io"], ["csinodes"], read),
		rule(["storage.k8s.io"], ["volumeattachments"], read),
		coreRule(["namespaces"], read),
		rule(["storage.k8s.io"], ["csidrivers"], read),
		rule(["storage.k8s.io"], ["csistoragecapacities"], read),
		rule(["resource.k8s.io"], ["deviceclasses"], read),
		rule(["resource.k8s.io"], ["resourceclaims"], ["get", "list", "patch", "update", "watch"]),
		rule(["resource.k8s.io"], ["resourceclaims/status"], ["get", "list", "patch", "update", "watch"]),
		rule(["resource.k8s.io"], ["resourceclaims/binding"], ["patch", "update"]),
		coreRule(["pods/finalizers"], ["get", "list", "patch", "update", "watch"]),
		rule(["resource.k8s.io"], ["resourceslices"], read),
	]),
	clusterRole("system:volume-scheduler", [
		coreRule(["persistentvolumes"], ["get", "list", "patch", "update", "watch"]),
		rule(["storage.k8s.io"], ["storageclasses"], read),
		coreRule(["persistentvolumeclaims"], ["get", "list", "patch", "update", "watch"]),
	]),
	clusterRole("system:persistent-volume-provisioner", [
		coreRule(["persistentvolumes"], ["create", "delete", ...read]),
		coreRule(["persistentvolumeclaims"], ["get", "list", "update", "watch"]),
		rule(["storage.k8s.io"], ["storageclasses"], read),
		coreRule(["events"], ["watch"]),
		eventsRule,
	]),
	clusterRole("system:kube-dns", [coreRule(["endpoints", "services"], ["list", "watch"])]),
];

export const systemRoles = [...everyone, ...delegation, ...certificateRoles, ...parts];
