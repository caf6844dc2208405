/** How an agent may change its Node: not in ways that would attract other pods. Pure. */

import { sameJson } from "../../../core/equal.ts";
import type { Node } from "../../../kinds/generated/types.ts";
import type { AdmissionAttributes } from "../../server/server.ts";

/**
 * Labels under `kubernetes.io` and `k8s.io` that a kubelet gives its Node (Well-Known Labels, Annotations and Taints).
 */
const ownLabels = new Set([
	"kubernetes.io/hostname",
	"kubernetes.io/os",
	"kubernetes.io/arch",
	"beta.kubernetes.io/os",
	"beta.kubernetes.io/arch",
	"beta.kubernetes.io/instance-type",
	"node.kubernetes.io/instance-type",
	"topology.kubernetes.io/zone",
	"topology.kubernetes.io/region",
	"failure-domain.beta.kubernetes.io/zone",
	"failure-domain.beta.kubernetes.io/region",
]);
/** A kubelet may set every label of these domains and their subdomains. */
const ownDomains = ["kubelet.kubernetes.io", "node.kubernetes.io"];

export function nodeProblem(node: string, { operation, name, object, old }: AdmissionAttributes): string | undefined {
	const requested = name === "" ? object.metadata.name : name;
	if (requested !== node) return `node "${node}" is not allowed to modify node "${requested}"`;
	// The step sees this kind's objects.
	const [now, before] = [object as Node, old as Node | undefined];
	if (operation === "create") {
		if (now.spec?.configSource !== undefined)
			return `node "${node}" is not allowed to create pods with a non-nil configSource`;
		const forbidden = forbiddenLabels(changedLabels(now, undefined));
		if (forbidden.length > 0)
			return `node "${node}" is not allowed to set the following labels: ${forbidden.join(", ")}`;
	}
	if (operation !== "update") return undefined;
	const { configSource } = now.spec ?? {};
	if (configSource !== undefined && !sameJson(configSource, before?.spec?.configSource))
		return `node "${node}" is not allowed to update configSource to a new non-nil configSource`;
	if (!sameJson(now.spec?.taints ?? [], before?.spec?.taints ?? []))
		return `node "${node}" is not allowed to modify taints`;
	if (!sameJson(now.metadata.ownerReferences ?? [], before?.metadata.ownerReferences ?? []))
		return `node "${node}" is not allowed to modify ownerReferences`;
	const forbidden = forbiddenLabels(changedLabels(now, before));
	return forbidden.length > 0 ? `is not allowed to modify labels: ${forbidden.join(", ")}` : undefined;
}

function changedLabels(now: Node, before: Node | undefined): string[] {
	const [labels, old] = [now.metadata.labels ?? {}, before?.metadata.labels ?? {}];
	if (labels === old) return [];
	return [...new Set([...Object.keys(labels), ...Object.keys(old)])].filter((key) => labels[key] !== old[key]);
}

/** The labels that a node may not set on itself, sorted. */
export function forbiddenLabels(keys: readonly string[]): string[] {
	return keys.filter((key) => isForbidden(key)).sort();
}

function isForbidden(key: string): boolean {
	const domain = key.includes("/") ? key.slice(0, key.indexOf("/")) : "";
	if (isBelow(domain, "node-restriction.kubernetes.io")) return true;
	if (!isBelow(domain, "kubernetes.io") && !isBelow(domain, "k8s.io")) return false;
	return !ownLabels.has(key) && !ownDomains.some((own) => isBelow(domain, own));
}

function isBelow(domain: string, parent: string): boolean {
	return domain === parent || domain.endsWith(`.${parent}`);
}
