/**
 * What agents may do (Kubernetes documentation, "Using Node Authorization", v1.36 with AuthorizeNodeWithSelectors): a
 * node reads the pods that are bound to it and what those name, and writes what is its own. The steps of admission
 * called NodeRestriction look at what it writes; here only the names are known.
 */
import { endedLogsPath } from "../../../core/ended-log.ts";
import { parseFieldSelector } from "../../../core/selection/field-selector.ts";
import { parseLabelSelector } from "../../../core/selection/selector.ts";
import { qualifiedResource } from "../../../kinds/engine/kind.ts";
import { nodeRoles } from "../../../kinds/rbac/bootstrap/node-roles.ts";
import { localVolumeNodeLabel } from "../../../kinds/storage/local-volume.ts";
import type { Authorizer, Decision, ResourceAttributes } from "../../request/authorizer.ts";
import { compileRules, rulesAllow } from "../rbac/rules.ts";
import type { NodeGraph } from "./graph.ts";
import { nodeNameOf } from "./node-identity.ts";

const allow: Decision = { verdict: "allow", reason: "" };
const silent: Decision = { verdict: "none", reason: "" };
/**
 * Permissions that do not depend on the node: upstream's role, which has no binding, and delivering the logs of Jobs'
 * containers.
 */
const everyNode = compileRules([
	...(nodeRoles.find(({ metadata }) => metadata.name === "system:node")?.rules ?? []),
	{ nonResourceURLs: [endedLogsPath], verbs: ["post"] },
]);
const leaseNamespace = "kube-node-lease";

/** The reasons have upstream's wording. */
export function nodeAuthorizer(graph: NodeGraph): Authorizer {
	return {
		authorize(attributes) {
			const { user, resource } = attributes;
			const node = nodeNameOf(user);
			if (node === undefined) return silent;
			if (node === "") return no(`unknown node for user ${JSON.stringify(user.name)}`);
			if (resource !== undefined) {
				const decide = decisions.get(qualifiedResource(resource));
				if (decide !== undefined) return decide({ graph, node, verb: attributes.verb, resource });
			}
			return rulesAllow(everyNode, attributes) ? allow : silent;
		},
		async rulesFor(user) {
			const nothing = { resourceRules: [], nonResourceRules: [] };
			if (nodeNameOf(user) === undefined) return { ...nothing, incomplete: false };
			// What a node may do depends on its pods, and is not listed.
			const evaluationError = "node authorizer does not support user rule resolution";
			return { ...nothing, incomplete: true, evaluationError };
		},
	};
}

interface Question {
	graph: NodeGraph;
	node: string;
	verb: string;
	resource: ResourceAttributes;
}

const decisions: ReadonlyMap<string, (question: Question) => Decision> = new Map([
	["secrets", readOne],
	["configmaps", readOne],
	["persistentvolumeclaims", claim],
	["persistentvolumes", volume],
	["resourceclaims.resource.k8s.io", getOne],
	["volumeattachments.storage.k8s.io", getOne],
	["serviceaccounts", account],
	["leases.coordination.k8s.io", lease],
	["csinodes.storage.k8s.io", csiNode],
	["resourceslices.resource.k8s.io", slice],
	["nodes", ownNode],
	["pods", pod],
]);

function no(reason: string): Decision {
	return { verdict: "none", reason };
}

function related({ graph, node, resource }: Question): Decision {
	const { plural, namespace = "", name = "" } = resource;
	if (name === "") return no("No Object name found");
	return isRelated(graph, node, plural, namespace, name)
		? allow
		: no(`no relationship found between node '${node}' and this object`);
}

function isRelated(graph: NodeGraph, node: string, plural: string, namespace: string, name: string): boolean {
	switch (plural) {
		case "pods":
			return graph.runs(node, namespace, name);
		case "persistentvolumes":
			return graph.claims(node, name);
		case "volumeattachments":
			return graph.attaches(node, name);
		case "resourceslices":
			return graph.offers(node, name);
		default:
			return graph.reaches(node, plural, namespace, name);
	}
}

/** Only single objects, also as a list or watch of one name. */
function readOne(question: Question): Decision {
	const { verb, resource } = question;
	if (verb !== "get" && verb !== "list" && verb !== "watch") return no("can only read resources of this type");
	if (hasSubresource(resource)) return no("cannot read subresource");
	if ((resource.namespace ?? "") === "") return no("can only read namespaced object of this type");
	return related(question);
}

function getOne(question: Question): Decision {
	if (question.verb !== "get") return no("can only get individual resources of this type");
	if (hasSubresource(question.resource)) return no("cannot get subresource");
	return related(question);
}

function claim(question: Question): Decision {
	if (question.resource.subresource !== "status") return getOne(question);
	if (question.verb !== "update" && question.verb !== "patch") return no("can only get/update/patch this type");
	return related(question);
}

/**
 * Besides upstream's: an agent watches the volumes that are directories of its node, and lets those go that were
 * deleted.
 */
function volume(question: Question): Decision {
	const { graph, node, verb, resource } = question;
	const { name = "", labelSelector } = resource;
	if (!hasSubresource(resource)) {
		if ((verb === "list" || verb === "watch") && selectsLabel(labelSelector, localVolumeNodeLabel, node)) return allow;
		if ((verb === "update" || verb === "patch") && graph.holds(node, name)) return allow;
	}
	return getOne(question);
}

function account(question: Question): Decision {
	const { verb, resource } = question;
	const { name = "", subresource = "" } = resource;
	if (verb === "get" && subresource === "") return related(question);
	if (verb !== "create" || name === "") return no("can only create tokens for individual service accounts");
	if (subresource !== "token") return no("can only create token subresource of serviceaccount");
	return related(question);
}

const writeVerbs = new Set(["create", "update", "patch", "delete"]);

function lease({ node, verb, resource }: Question): Decision {
	if (verb !== "get" && !writeVerbs.has(verb)) return no("can only get, create, update, patch, or delete a node lease");
	if (resource.namespace !== leaseNamespace)
		return no(`can only access leases in the "${leaseNamespace}" system namespace`);
	// Admission checks the name on create.
	if (verb !== "create" && resource.name !== node)
		return no("can only access node lease with the same name as the requesting node");
	return allow;
}

function csiNode({ node, verb, resource }: Question): Decision {
	if (verb !== "get" && !writeVerbs.has(verb)) return no("can only get, create, update, patch, or delete a CSINode");
	if (hasSubresource(resource)) return no("cannot authorize CSINode subresources");
	if (verb !== "create" && resource.name !== node)
		return no("can only access CSINode with the same name as the requesting node");
	return allow;
}

function slice(question: Question): Decision {
	const { node, verb, resource } = question;
	if (hasSubresource(resource)) return no("cannot authorize ResourceSlice subresources");
	if (verb === "create") return allow;
	if (verb === "get" || verb === "update" || verb === "patch" || verb === "delete") return related(question);
	if (verb === "list" || verb === "watch" || verb === "deletecollection")
		return selectsField(resource.fieldSelector, "spec.nodeName", node)
			? allow
			: no("can only list/watch/deletecollection resourceslices with nodeName field selector");
	return no(
		"only the following verbs are allowed for a ResourceSlice: get, watch, list, create, update, patch, delete, deletecollection",
	);
}

/** Names are compared, so that an agent can ask for its Node before there is one. */
function ownNode({ node, verb, resource }: Question): Decision {
	const { name = "", subresource = "" } = resource;
	if (subresource === "status") return verb === "update" || verb === "patch" ? allow : silent;
	if (subresource !== "") return silent;
	if (verb === "create" || verb === "update" || verb === "patch") return allow;
	if (verb !== "get" && verb !== "list" && verb !== "watch") return silent;
	if (name === node) return allow;
	if (name === "") return no(`node '${node}' cannot read all nodes, only its own Node object`);
	return no(`node '${node}' cannot read '${name}', only its own Node object`);
}

function pod(question: Question): Decision {
	const { node, verb, resource } = question;
	switch (resource.subresource ?? "") {
		case "":
			if (verb === "get") return getOne(question);
			if (verb === "create" || verb === "delete") return allow;
			if (verb !== "list" && verb !== "watch") return silent;
			if (selectsField(resource.fieldSelector, "spec.nodeName", node)) return allow;
			if ((resource.name ?? "") !== "") return related(question);
			return no("can only list/watch pods with spec.nodeName field selector");
		case "status":
			return verb === "update" || verb === "patch" ? allow : silent;
		case "eviction":
			return verb === "create" ? allow : silent;
		default:
			return silent;
	}
}

function hasSubresource({ subresource = "" }: ResourceAttributes): boolean {
	return subresource !== "";
}

/**
 * Whether only objects with this value are selected. What cannot be read selects nothing; it is refused when it is
 * used.
 */
function selectsField(selector: string | undefined, path: string, value: string): boolean {
	if (selector === undefined) return false;
	try {
		return parseFieldSelector(selector).requirements.some(
			(requirement) => requirement.path === path && requirement.operator === "=" && requirement.value === value,
		);
	} catch {
		return false;
	}
}

function selectsLabel(selector: string | undefined, key: string, value: string): boolean {
	if (selector === undefined) return false;
	try {
		return parseLabelSelector(selector).requirements.some(
			(requirement) => requirement.key === key && requirement.operator === "=" && requirement.values[0] === value,
		);
	} catch {
		return false;
	}
}
