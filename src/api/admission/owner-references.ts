/**
 * Owner references give power over objects: with one, the object is deleted with its owner, and a blocking one delays
 * the deletion of the owner. This step requires permission to do either directly.
 */

import { sameJson } from "../../core/equal.ts";
import type { OwnerReference } from "../../core/object.ts";
import type { Attributes } from "../request/authorizer.ts";
import { type AdmissionStep, refused } from "../server/admission-step.ts";
import type { AdmissionAttributes } from "../server/server.ts";

export const ownerReferencesPermissionEnforcement: AdmissionStep = {
	name: "OwnerReferencesPermissionEnforcement",
	isOptional: true,
	on: { operations: ["create", "update"], subresources: true },
	admit(request) {
		const owners = request.object.metadata.ownerReferences ?? [];
		const before = request.old?.metadata.ownerReferences ?? [];
		return sameJson(owners, before) ? undefined : demand(request, owners, before);
	},
};

/** @throws ApiError Forbidden, in the promise */
async function demand(
	request: AdmissionAttributes,
	owners: readonly OwnerReference[],
	before: readonly OwnerReference[],
): Promise<void> {
	const { operation, kind, namespace, name, subresource } = request;
	const place = namespace === undefined ? {} : { namespace };
	// Users may delete what they create.
	if (operation === "update") {
		const { group, version, plural } = kind;
		const resource = { group, version, plural, name, ...place, ...(subresource === undefined ? {} : { subresource }) };
		const refusal = await refusalOf(request, "delete", resource);
		if (refusal !== undefined)
			throw refused(request, `cannot set an ownerRef on a resource you can't delete: ${refusal}, <nil>`);
	}
	const blockedBefore = new Set(before.filter(({ blockOwnerDeletion }) => blockOwnerDeletion).map(({ uid }) => uid));
	for (const owner of owners) {
		if (!owner.blockOwnerDeletion || blockedBefore.has(owner.uid)) continue;
		const ownerKind = request.server.registry.kind(owner.apiVersion, owner.kind)?.kind;
		if (ownerKind === undefined) {
			const what = `APIVersion ${owner.apiVersion} Kind ${owner.kind}`;
			const why = `no matches for kind "${owner.kind}" in version "${owner.apiVersion}"`;
			throw refused(
				request,
				`cannot set blockOwnerDeletion in this case because cannot find RESTMapping for ${what}: ${why}`,
			);
		}
		const { group, version, plural, namespaced } = ownerKind;
		const resource = { group, version, plural, name: owner.name, subresource: "finalizers" };
		const refusal = await refusalOf(request, "update", namespaced ? { ...resource, ...place } : resource);
		if (refusal !== undefined)
			throw refused(
				request,
				`cannot set blockOwnerDeletion if an ownerReference refers to a resource you can't set finalizers on: ${refusal}, <nil>`,
			);
	}
}

/** Why the user may not; undefined if they may. */
async function refusalOf(
	{ server, user }: AdmissionAttributes,
	verb: string,
	resource: NonNullable<Attributes["resource"]>,
): Promise<string | undefined> {
	const { verdict, reason } = await server.authorizer.authorize({ user, verb, path: "", resource });
	return verdict === "allow" ? undefined : reason;
}
