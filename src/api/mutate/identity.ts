/** Checks that a body describes the object that the path names. */
import { ApiError } from "../../core/errors.ts";
import type { ObjectMeta } from "../../core/object.ts";
import type { Target } from "../resources/target.ts";

/** @throws ApiError BadRequest */
export function checkNamespace({ kind, namespace }: Target, { namespace: sent = "" }: Partial<ObjectMeta>): void {
	if (!kind.namespaced || sent === "" || sent === namespace) return;
	throw new ApiError(
		"BadRequest",
		"the namespace of the provided object does not match the namespace sent on the request",
	);
}

/**
 * A body without a name refers to the object of the path.
 * @throws ApiError BadRequest
 */
export function checkIdentity(target: Target, { name = "", ...metadata }: Partial<ObjectMeta>): void {
	if (name !== "" && name !== target.name)
		throw new ApiError(
			"BadRequest",
			`the name of the object (${name}) does not match the name on the URL (${target.name})`,
		);
	checkNamespace(target, metadata);
}
