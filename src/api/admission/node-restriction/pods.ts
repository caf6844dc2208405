/** How an agent may change pods: status and deletion of those bound to its node, and mirrors of its static pods. */

import { sameJson } from "../../../core/equal.ts";
import { nodes } from "../../../kinds/core/node.ts";
import type { Pod } from "../../../kinds/generated/types.ts";
import { mirrorAnnotation } from "../../../kinds/pod/static-pod.ts";
import { referencesOf } from "../../access/node/pod-references.ts";
import type { AdmissionAttributes } from "../../server/server.ts";

export function podProblem(node: string, request: AdmissionAttributes): string | undefined {
	const { operation, subresource } = request;
	// The step sees this kind's objects.
	const [pod, old] = [request.object as Pod, request.old as Pod | undefined];
	switch (subresource) {
		case undefined:
			if (operation === "create") return mirrorProblem(node, pod, request);
			if (operation !== "delete")
				return `unexpected operation "UPDATE", node "${node}" can only create and delete mirror pods`;
			return pod.spec.nodeName === node
				? undefined
				: `node "${node}" can only delete pods with spec.nodeName set to itself`;
		case "eviction":
			return evictionProblem(node, pod);
		case "status":
			if (operation !== "update" || old === undefined) return `unexpected operation "${operation.toUpperCase()}"`;
			return statusProblem(node, pod, old);
		default:
			return `unexpected pod subresource "${subresource}", only 'status' and 'eviction' are allowed`;
	}
}

function evictionProblem(node: string, { spec }: Pod): string | undefined {
	return spec.nodeName === node ? undefined : `node ${node} can only evict pods with spec.nodeName set to itself`;
}

function statusProblem(node: string, pod: Pod, old: Pod): string | undefined {
	if (old.spec.nodeName !== node)
		return `node "${node}" can only update pod status for pods with spec.nodeName set to itself`;
	if (!sameJson(pod.metadata.labels ?? {}, old.metadata.labels ?? {}))
		return `node "${node}" cannot update labels through pod status`;
	if (!sameJson(pod.status?.resourceClaimStatuses ?? [], old.status?.resourceClaimStatuses ?? []))
		return `node "${node}" cannot update resource claim statues`;
	if (!sameJson(pod.status?.extendedResourceClaimStatus, old.status?.extendedResourceClaimStatus))
		return `node "${node}" cannot update extended resource claim status`;
	return undefined;
}

/** A node may not create pods that would give it access to other objects. */
function mirrorProblem(node: string, pod: Pod, { server }: AdmissionAttributes): string | undefined {
	const { annotations, ownerReferences = [] } = pod.metadata;
	if (annotations?.[mirrorAnnotation] === undefined)
		return `pod does not have "${mirrorAnnotation}" annotation, node "${node}" can only create mirror pods`;
	if (pod.spec.nodeName !== node) return `node "${node}" can only create pods with spec.nodeName set to itself`;
	const may = `node "${node}" can only create pods with`;
	const [owner] = ownerReferences;
	if (ownerReferences.length > 1) return `${may} a single owner reference set to itself`;
	if (owner === undefined || owner.apiVersion !== "v1" || owner.kind !== "Node" || owner.name !== node)
		return `${may} an owner reference set to itself`;
	if (owner.controller !== true) return `${may} a controller owner reference set to itself`;
	if (owner.blockOwnerDeletion === true) return `node "${node}" must not set blockOwnerDeletion on an owner reference`;
	const found = server.cache.find(nodes, undefined, node);
	if (found === undefined) return `error looking up node ${node} to verify uid: node "${node}" not found`;
	if (found.metadata.uid !== owner.uid)
		return `node ${node} UID mismatch: expected ${owner.uid} got ${found.metadata.uid}`;
	return namedProblem(node, pod);
}

function namedProblem(node: string, pod: Pod): string | undefined {
	const cannot = `node "${node}" can not create pods that reference`;
	if ((pod.spec.serviceAccountName ?? "") !== "") return `${cannot} a service account`;
	// Checked like an ordinary pod: mirror pods give access to nothing.
	const named = [...referencesOf({ ...pod, metadata: { ...pod.metadata, annotations: {} } })];
	for (const plural of ["secrets", "configmaps"])
		if (named.some((one) => one.startsWith(`${plural}/`))) return `${cannot} ${plural}`;
	const sources = (pod.spec.volumes ?? []).flatMap(({ projected }) => projected?.sources ?? []);
	if (sources.some(({ clusterTrustBundle }) => clusterTrustBundle !== undefined))
		return `${cannot} clustertrustbundles`;
	if ((pod.spec.resourceClaims ?? []).length > 0) return `${cannot} resourceclaims`;
	if (named.some((one) => one.startsWith("persistentvolumeclaims/"))) return `${cannot} persistentvolumeclaims`;
	return undefined;
}
