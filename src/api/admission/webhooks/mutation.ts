/** What a webhook's patch makes of an object. */
import { semanticEqual } from "../../../core/equal.ts";
import { ApiError, messageOf } from "../../../core/errors.ts";
import type { KubeObject } from "../../../core/object.ts";
import { applyJsonPatch } from "../../../core/patches/json-patch.ts";
import { decodeAdmitted } from "../../resources/decode.ts";
import { metadataForUpdate } from "../../resources/metadata.ts";
import type { AdmissionAttributes } from "../../server/server.ts";
import { inVersion } from "../dynamic/admission-request.ts";
import { type Invocation, internalError } from "../dynamic/matching.ts";

/**
 * Applies a patch to the object of a request, in place. Of its metadata, the server's own part stays as it is.
 * @returns whether the object has changed
 * @throws ApiError InternalError when the patch does not apply, or leaves no object of the kind
 */
export function applyMutation(
	request: AdmissionAttributes,
	{ served }: Invocation,
	webhook: string,
	patch: readonly unknown[],
): boolean {
	const { kind, object, operation, sent, subresource } = request;
	if (operation === "delete" || operation === "connect" || sent !== undefined || subresource === "scale")
		throw internalError(
			`admission webhook ${JSON.stringify(webhook)} attempted to modify the object, which is not supported for this operation`,
		);
	const next = decodeAdmitted(kind, served, patched(inVersion(kind, served, object), patch));
	const { uid: _, ...metadata } = next.metadata;
	next.metadata = metadataForUpdate(kind, metadata, object.metadata);
	if (semanticEqual(next, object)) return false;
	replace(object, next);
	return true;
}

function patched(object: KubeObject, patch: readonly unknown[]): unknown {
	try {
		return applyJsonPatch(object, patch);
	} catch (error) {
		if (error instanceof ApiError && error.reason === "RequestEntityTooLarge") throw error;
		throw internalError(messageOf(error));
	}
}

/** Others hold the object, too. */
function replace(object: KubeObject, next: KubeObject): void {
	// Objects of all kinds are plain records.
	const fields = object as unknown as Record<string, unknown>;
	for (const field of Object.keys(fields)) if (!Object.hasOwn(next, field)) delete fields[field];
	Object.assign(fields, next);
}
