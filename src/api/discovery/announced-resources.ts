/** Resources that discovery announces besides the kinds themselves. */
import { type Kind, qualifiedResource } from "../../kinds/engine/kind.ts";

/** A resource of a kind that is answered and never stored: reviews and bindings. */
export interface VirtualResource {
	group: string;
	version: string;
	kind: string;
	plural: string;
	singular: string;
	namespaced: boolean;
	verbs: readonly string[];
	shortNames?: readonly string[];
}

export const componentStatuses: VirtualResource = {
	group: "",
	version: "v1",
	kind: "ComponentStatus",
	plural: "componentstatuses",
	singular: "componentstatus",
	shortNames: ["cs"],
	namespaced: false,
	verbs: ["get", "list"],
};

/** What the API server answers without storing it, in v1.36. */
export const virtualResources: readonly VirtualResource[] = [
	virtual("", "Binding", "bindings", true),
	componentStatuses,
	virtual("authentication.k8s.io", "SelfSubjectReview", "selfsubjectreviews", false),
	virtual("authentication.k8s.io", "TokenReview", "tokenreviews", false),
	virtual("authorization.k8s.io", "LocalSubjectAccessReview", "localsubjectaccessreviews", true),
	virtual("authorization.k8s.io", "SelfSubjectAccessReview", "selfsubjectaccessreviews", false),
	virtual("authorization.k8s.io", "SelfSubjectRulesReview", "selfsubjectrulesreviews", false),
	virtual("authorization.k8s.io", "SubjectAccessReview", "subjectaccessreviews", false),
];

/** What metrics.k8s.io serves where the usage of nodes is known. */
export const usageResources: readonly VirtualResource[] = [
	{
		group: "metrics.k8s.io",
		version: "v1beta1",
		kind: "NodeMetrics",
		plural: "nodes",
		singular: "",
		namespaced: false,
		verbs: ["get", "list"],
	},
	{
		group: "metrics.k8s.io",
		version: "v1beta1",
		kind: "PodMetrics",
		plural: "pods",
		singular: "",
		namespaced: true,
		verbs: ["get", "list"],
	},
];

function virtual(group: string, kind: string, plural: string, namespaced: boolean): VirtualResource {
	return { group, version: "v1", kind, plural, singular: kind.toLowerCase(), namespaced, verbs: ["create"] };
}

export interface Subresource {
	/** The part of the path after the object's name: `status`, `scale`, `log`. */
	name: string;
	/** What it takes or returns; without group and version when they are the resource's own. */
	kind: string;
	group?: string;
	version?: string;
	/** In alphabetical order. */
	verbs: readonly string[];
}

const changing = ["get", "patch", "update"];
const connecting = ["create", "get"];
const proxying = ["create", "delete", "get", "patch", "update"];

/** Subresources that belong to one resource alone, by its qualified name. */
const special: Readonly<Record<string, readonly Subresource[]>> = {
	"certificatesigningrequests.certificates.k8s.io": [
		{ name: "approval", kind: "CertificateSigningRequest", verbs: changing },
	],
	namespaces: [{ name: "finalize", kind: "Namespace", verbs: ["update"] }],
	nodes: [{ name: "proxy", kind: "NodeProxyOptions", verbs: proxying }],
	pods: [
		{ name: "attach", kind: "PodAttachOptions", verbs: connecting },
		{ name: "binding", kind: "Binding", verbs: ["create"] },
		{ name: "ephemeralcontainers", kind: "Pod", verbs: changing },
		{ name: "eviction", kind: "Eviction", group: "policy", version: "v1", verbs: ["create"] },
		{ name: "exec", kind: "PodExecOptions", verbs: connecting },
		{ name: "log", kind: "Pod", verbs: ["get"] },
		{ name: "portforward", kind: "PodPortForwardOptions", verbs: connecting },
		{ name: "proxy", kind: "PodProxyOptions", verbs: proxying },
		{ name: "resize", kind: "Pod", verbs: changing },
	],
	"runs.history.coxswain.io": [{ name: "log", kind: "Run", verbs: ["get"] }],
	serviceaccounts: [
		{ name: "token", kind: "TokenRequest", group: "authentication.k8s.io", version: "v1", verbs: ["create"] },
	],
	services: [{ name: "proxy", kind: "ServiceProxyOptions", verbs: proxying }],
};

/** All subresources of a kind, in alphabetical order. */
export function subresourcesOf(kind: Kind): Subresource[] {
	const found: Subresource[] = [...(special[qualifiedResource(kind)] ?? [])];
	if (kind.subresources.status) found.push({ name: "status", kind: kind.kind, verbs: changing });
	if (kind.subresources.scale)
		found.push({ name: "scale", kind: "Scale", group: "autoscaling", version: "v1", verbs: changing });
	return found.sort((a, b) => (a.name < b.name ? -1 : 1));
}

const storedVerbs = ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"];

/** The verbs of a stored kind, in alphabetical order. */
export function verbsOf(kind: Kind): readonly string[] {
	if (kind.readOnly) return ["get", "list", "watch"];
	return kind.deletedOneByOne ? storedVerbs.filter((verb) => verb !== "deletecollection") : storedVerbs;
}
