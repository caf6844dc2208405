/** Applies the patch of a webhook to an object. */
import { semanticEqual } from "../../../core/equal.ts";
import { ApiError } from "../../../core/errors.ts";
import { deepCopy, type KubeObject } from "../../../core/object.ts";
import { patchProblem } from "../../../core/patches/errors.ts";
import { applyJsonPatch } from "../../../core/patches/json-patch.ts";
import type { Scale } from "../../../kinds/generated/types.ts";
import { decode } from "../../../kinds/schema.ts";
import { decodeAdmitted } from "../../resources/decode.ts";
import { metadataForUpdate } from "../../resources/metadata.ts";
import { replicasOf, setReplicas } from "../../resources/scale.ts";
import type { AdmissionAttributes } from "../../server/server.ts";
import { isScale, seenAs } from "./admission-request.ts";
import { type Invocation, internalError } from "./matching.ts";
import { convertedTo } from "./view.ts";

/**
 * Applies a patch to the object of a request, in place. Metadata that the server sets is kept.
 * @param view the request in the version of the invocation, to which the patch was made
 * @returns whether the object has changed
 * @throws ApiError InternalError when the patch does not apply, or leaves no object of the kind
 */
export function applyMutation(
	request: AdmissionAttributes,
	view: AdmissionAttributes,
	invocation: Invocation,
	webhook: string,
	patch: readonly unknown[],
): boolean | Promise<boolean> {
	if (!isMutable(request))
		throw internalError(
			`admission webhook ${JSON.stringify(webhook)} attempted to modify the object, which is not supported for this operation`,
		);
	return replaceObject(request, view, invocation, patched(seenAs(view, invocation, view.object), patch));
}

/** Only creates and updates of whole objects and of Scales can be changed. */
export function isMutable({ operation, sent }: AdmissionAttributes): boolean {
	return operation !== "delete" && operation !== "connect" && sent === undefined;
}

/**
 * Replaces the object with the changed one, which is in the version of the invocation; for a Scale, sets the replicas.
 * @returns whether it differs @throws ApiError InternalError if it is no longer an object of the kind
 */
export function replaceObject(
	request: AdmissionAttributes,
	view: AdmissionAttributes,
	{ served }: Invocation,
	made: unknown,
): boolean | Promise<boolean> {
	if (isScale(request)) return rescale(request, made);
	const next = decodeAdmitted(view.kind, served, made);
	if (view.kind === request.kind) return taken(request, next);
	const back = convertedTo(request.kind, view.kind, [next]);
	const first = ([only = next]: readonly KubeObject[]) => taken(request, deepCopy(only));
	return back instanceof Promise ? back.then(first) : first(back);
}

function taken({ kind, object }: AdmissionAttributes, next: KubeObject): boolean {
	const { uid: _, ...metadata } = next.metadata;
	next.metadata = metadataForUpdate(kind, metadata, object.metadata);
	if (semanticEqual(next, object)) return false;
	replace(object, next);
	return true;
}

/** @throws ApiError InternalError if it is no longer a Scale */
function rescale({ kind, object }: AdmissionAttributes, made: unknown): boolean {
	const scale = decode(made, "Scale");
	const problem = scale.problems[0];
	if (problem !== undefined) throw internalError(problem.message);
	const { spec = {} } = scale.object as unknown as Scale;
	const { replicas = 0 } = spec;
	if (replicasOf(kind, object) === replicas) return false;
	setReplicas(kind, object, replicas);
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

/** The object may be in use elsewhere. */
function replace(object: KubeObject, next: KubeObject): void {
	// Objects of all kinds are plain records.
	const fields = object as unknown as Record<string, unknown>;
	for (const field of Object.keys(fields)) if (!Object.hasOwn(next, field)) delete fields[field];
	Object.assign(fields, next);
}
