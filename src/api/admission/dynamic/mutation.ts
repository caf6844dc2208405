/** What a webhook's patch makes of an object. */
import { semanticEqual } from "../../../core/equal.ts";
import { ApiError } from "../../../core/errors.ts";
import type { KubeObject } from "../../../core/object.ts";
import { patchProblem } from "../../../core/patches/errors.ts";
import { applyJsonPatch } from "../../../core/patches/json-patch.ts";
import { decodeAdmitted } from "../../resources/decode.ts";
import { metadataForUpdate } from "../../resources/metadata.ts";
import type { AdmissionAttributes } from "../../server/server.ts";
import { inVersion } from "./admission-request.ts";
import { type Invocation, internalError } from "./matching.ts";

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
	if (!isMutable(request))
		throw internalError(
			`admission webhook ${JSON.stringify(webhook)} attempted to modify the object, which is not supported for this operation`,
		);
	return replaceObject(request, { served }, patched(inVersion(request.kind, served, request.object), patch));
}

/** Only what is created or updated, as an object of its own kind, can become something else. */
export function isMutable({ operation, sent, subresource }: AdmissionAttributes): boolean {
	return operation !== "delete" && operation !== "connect" && sent === undefined && subresource !== "scale";
}

/**
 * Puts what was made of the object, in the version of the invocation, in its place.
 * @returns whether it is another @throws ApiError InternalError when it is no object of the kind any more
 */
export function replaceObject(request: AdmissionAttributes, { served }: Invocation, made: unknown): boolean {
	const { kind, object } = request;
	const next = decodeAdmitted(kind, served, made);
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
		throw internalError(patchProblem(error));
	}
}

/** Others hold the object, too. */
function replace(object: KubeObject, next: KubeObject): void {
	// Objects of all kinds are plain records.
	const fields = object as unknown as Record<string, unknown>;
	for (const field of Object.keys(fields)) if (!Object.hasOwn(next, field)) delete fields[field];
	Object.assign(fields, next);
}
